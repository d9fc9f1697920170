internal import PCI

/// What libvirt takes and gives back by itself: host devices with managed='yes', by domain and by network.
///
/// Read from the files of the system's daemon, not asked of it: /etc/libvirt/qemu/*.xml and /etc/libvirt/qemu/networks/*.xml.
struct LibvirtRivals {
    private(set) var rivals: [Rival] = []
    private(set) var forbidden: [String] = []

    init(files: HostFiles, interfaces: [String: PCIAddress]) {
        let directory = "/etc/libvirt/qemu"
        let listing = files.listing(directory)
        if listing.isForbidden { forbidden.append(directory) }
        for name in listing.content ?? [] where name.hasSuffix(".xml") {
            let path = "\(directory)/\(name)"
            let text = files.text(path)
            if text.isForbidden { forbidden.append(path) }
            let managed = Self.managedDevices(inDomain: text.content ?? "")
            guard !managed.isEmpty else { continue }
            rivals.append(
                Rival(
                    subject: .driverOwner,
                    evidence:
                        "libvirt takes \(list(managed.map(\.description))) when the domain \(name.dropLast(4)) starts, "
                        + "and gives it back to its host driver when it stops (managed='yes' in \(path))",
                    cure: "write managed='no' there (virsh edit), or leave the device to libvirt", devices: Set(managed)
                ))
        }
        let networks = directory + "/networks"
        for name in files.names(in: networks) where name.hasSuffix(".xml") {
            let path = "\(networks)/\(name)"
            let text = files.text(path)
            if text.isForbidden { forbidden.append(path) }
            let elements = XMLElements(text.content ?? "")
            guard elements.tags("forward").contains(where: { $0["mode"] == "hostdev" && $0["managed"] == "yes" }) else {
                continue
            }
            let functions = elements.tags("pf").compactMap { $0["dev"] }
            let addresses = elements.tags("address").compactMap(Self.address)
            rivals.append(
                Rival(
                    subject: .driverOwner,
                    evidence:
                        "libvirt gives out virtual functions of \(list(functions + addresses.map(\.description))) for "
                        + "the network \(name.dropLast(4)) (managed='yes' in \(path))",
                    cure: "write managed='no' there (virsh net-edit), or leave the functions to libvirt",
                    devices: Set(functions.compactMap { interfaces[$0] } + addresses)))
        }
    }

    /// The source addresses of the `<hostdev … type='pci' managed='yes'>` of a domain.
    static func managedDevices(inDomain text: String) -> [PCIAddress] {
        var managed: [PCIAddress] = []
        var isInside = false
        var isInSource = false
        for tag in XMLElements(text).tags {
            switch tag.name {
            case "hostdev": isInside = tag["type"] == "pci" && tag["managed"] == "yes"
            case "interface": isInside = tag["type"] == "hostdev" && tag["managed"] == "yes"
            case "/hostdev", "/interface": isInside = false
            case "source": isInSource = true
            case "/source": isInSource = false
            case "address" where isInside && isInSource:
                if let address = address(tag) { managed.append(address) }
            default: break
            }
        }
        return managed
    }

    /// `<address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/>`.
    private static func address(_ tag: XMLElements.Tag) -> PCIAddress? {
        let numbers = ["domain", "bus", "slot", "function"].map { name -> UInt32? in
            guard let text = tag[name] else { return name == "domain" ? 0 : nil }
            return text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
        }
        guard let domain = numbers[0], let bus = numbers[1].flatMap({ UInt8(exactly: $0) }),
            let slot = numbers[2].flatMap({ UInt8(exactly: $0) }),
            let function = numbers[3].flatMap({ UInt8(exactly: $0) })
        else { return nil }
        return PCIAddress(domain: domain, bus: bus, device: slot, function: function)
    }
}

/// The tags of an XML text, one after another: as much of XML as it takes to find attributes of settings that another
/// program wrote. Comments are left out, text between tags is passed over.
struct XMLElements {
    struct Tag: Equatable {
        /// `hostdev`; `/hostdev` where it ends.
        var name: String
        var attributes: [String: String]

        subscript(attribute: String) -> String? { attributes[attribute] }
    }

    private(set) var tags: [Tag] = []

    func tags(_ name: String) -> [Tag] { tags.filter { $0.name == name } }

    init(_ text: String) {
        var rest = Array(text.utf8)[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[(open + 1)...]
            if rest.starts(with: "!--".utf8) {
                rest = Self.after("-->", in: rest)
            } else {
                // ">" may stand in an attribute's quotes.
                var quote: UInt8?
                var end = rest.startIndex
                while end < rest.endIndex, quote != nil || rest[end] != UInt8(ascii: ">") {
                    if quote == rest[end] {
                        quote = nil
                    } else if quote == nil, rest[end] == UInt8(ascii: "'") || rest[end] == UInt8(ascii: "\"") {
                        quote = rest[end]
                    }
                    end += 1
                }
                if let tag = Self.tag(rest[..<end]) { tags.append(tag) }
                rest = rest[end...]
            }
        }
    }

    private static func after(_ mark: String, in text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let mark = Array(mark.utf8)
        var rest = text
        while !rest.isEmpty, !rest.starts(with: mark) { rest = rest.dropFirst() }
        return rest.dropFirst(mark.count)
    }

    private static func tag(_ text: ArraySlice<UInt8>) -> Tag? {
        var rest = text
        let name = rest.prefix { $0 > 0x20 }
        rest = rest.dropFirst(name.count)
        var attributes: [String: String] = [:]
        while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
            let key = trimmedText(rest[..<equals])
            let value = rest[(equals + 1)...].drop { $0 <= 0x20 }
            guard let quote = value.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { break }
            let content = value.dropFirst().prefix { $0 != quote }
            attributes[key] = String(decoding: content, as: UTF8.self)
            rest = value.dropFirst(content.count + 2)
        }
        let text = String(decoding: name, as: UTF8.self)
        return text.isEmpty
            ? nil : Tag(name: text.hasSuffix("/") ? String(text.dropLast()) : text, attributes: attributes)
    }

    private static func trimmedText(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    }
}
