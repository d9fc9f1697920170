package import Netlink

/// Dumps as a kernel would give them, made of values with the library's own builder.
package enum DumpBytes {
    /// An answer to RTM_GETLINK.
    package static func links(_ links: [Link]) throws(NetlinkError) -> [UInt8] {
        try dump(links) { link throws(NetlinkError) in
            var message = MessageBuilder(type: .newLink, flags: .multi)
            try message.append(UInt16(0))
            try message.append(link.hardwareType)
            try message.append(link.index)
            try message.append(link.flags.rawValue)
            try message.append(UInt32(0))
            try message.add(Link.Key.name, text: link.name)
            try message.add(Link.Key.operationalState, number: link.operationalState.rawValue)
            if let master = link.master { try message.add(Link.Key.master, number: master) }
            if let lower = link.lower { try message.add(Link.Key.lower, number: lower) }
            if let id = link.lowerNamespace { try message.add(Link.Key.lowerNamespace, number: id) }
            if !link.hardwareAddress.isEmpty { try message.add(Link.Key.hardwareAddress, link.hardwareAddress) }
            if link.kind != nil || link.memberKind != nil {
                try message.nest(Link.Key.info) { info throws(NetlinkError) in
                    if let kind = link.kind { try info.add(Link.Key.infoKind, text: kind) }
                    if let kind = link.memberKind { try info.add(Link.Key.infoMemberKind, text: kind) }
                }
            }
            if !link.alternativeNames.isEmpty {
                try message.nest(Link.Key.properties) { list throws(NetlinkError) in
                    for name in link.alternativeNames { try list.add(Link.Key.alternativeName, text: name) }
                }
            }
            if let parent = link.parentDevice { try message.add(Link.Key.parentDevice, text: parent) }
            if let bus = link.parentBus { try message.add(Link.Key.parentBus, text: bus) }
            return message.bytes
        }
    }

    /// An answer to RTM_GETADDR.
    package static func addresses(_ addresses: [InterfaceAddress]) throws(NetlinkError) -> [UInt8] {
        try dump(addresses) { address throws(NetlinkError) in
            var message = MessageBuilder(type: .newAddress, flags: .multi)
            try message.append(family(of: address.local))
            try message.append(UInt8(address.prefixLength))
            try message.append(UInt8(0))
            try message.append(address.scope)
            try message.append(address.interface)
            try message.add(InterfaceAddress.Key.address, (address.peer ?? address.local).bytes)
            if address.local.bitWidth == 32 || address.peer != nil {
                try message.add(InterfaceAddress.Key.local, address.local.bytes)
            }
            if let label = address.label { try message.add(InterfaceAddress.Key.label, text: label) }
            return message.bytes
        }
    }

    /// An answer to RTM_GETROUTE.
    package static func routes(_ routes: [Route]) throws(NetlinkError) -> [UInt8] {
        try dump(routes) { route throws(NetlinkError) in
            var message = MessageBuilder(type: .newRoute, flags: .multi)
            try message.append(family(of: route.destination.address))
            try message.append(UInt8(route.destination.length))
            try message.append(UInt16(0))
            try message.append(UInt8(truncatingIfNeeded: route.table > 255 ? 252 : route.table))
            try message.append(route.origin.rawValue)
            try message.append(UInt8(0))
            try message.append(route.kind.rawValue)
            try message.append(UInt32(route.isCached ? 0x200 : 0))
            try message.add(Route.Key.table, number: route.table)
            if route.destination.length > 0 { try message.add(Route.Key.destination, route.destination.address.bytes) }
            if route.metric > 0 { try message.add(Route.Key.metric, number: route.metric) }
            if let id = route.nextHopObject { try message.add(Route.Key.nextHopObject, number: id) }
            if let hop = route.nextHops.first, route.nextHops.count == 1 {
                try add(hop, of: route, to: &message)
                if let interface = hop.interface { try message.add(Route.Key.interface, number: interface) }
            } else if !route.nextHops.isEmpty {
                try message.nest(Route.Key.multipath) { list throws(NetlinkError) in
                    for hop in route.nextHops {
                        var own = MessageBuilder(type: .newRoute, flags: [])
                        try add(hop, of: route, to: &own)
                        let attributes = own.bytes.dropFirst(NetlinkMessage.headerSize)
                        try list.append(UInt16(8 + attributes.count))
                        try list.append(UInt16(0))
                        try list.append(hop.interface ?? 0)
                        try list.append(bytes: attributes)
                    }
                }
            }
            return message.bytes
        }
    }

    /// Messages, and the one that ends a dump.
    package static func dump<Value>(
        _ values: [Value], _ encode: (Value) throws(NetlinkError) -> [UInt8]
    ) throws(NetlinkError) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in values { bytes += try encode(value) }
        var end = MessageBuilder(type: .done, flags: .multi)
        try end.append(Int32(0))
        return bytes + end.bytes
    }

    private static func family(of address: IPAddress) -> UInt8 { address.bitWidth == 32 ? 2 : 10 }

    private static func add(
        _ hop: Route.NextHop, of route: Route, to message: inout MessageBuilder
    ) throws(NetlinkError) {
        guard let gateway = hop.gateway else { return }
        if gateway.bitWidth == route.destination.address.bitWidth {
            try message.add(Route.Key.gateway, gateway.bytes)
        } else {
            var via: [UInt8] = []
            unsafe withUnsafeBytes(of: UInt16(family(of: gateway))) { unsafe via.append(contentsOf: $0) }
            try message.add(Route.Key.via, via + gateway.bytes)
        }
    }
}
