internal import HostAccess
internal import Netlink
internal import PCI

/// Who uses network interfaces: addresses and routes of the host, what they are part of and what stands on them, the host's
/// storage that comes over them, and the session that the question is asked from.
struct InterfaceUses {
    /// Something that goes through an interface.
    private struct Traffic: Hashable {
        var by: Use.Kind
        /// `/ is mounted over NFS from 10.0.0.1:/srv`, to be followed by "through eth0".
        var what: String
    }

    private let network: NetworkState
    /// What goes through each interface itself, by position.
    private var traffic: [Int: [Traffic]] = [:]
    /// What could not be looked at, of any interface.
    private(set) var unseen: [String]

    /// - Parameters:
    ///   - storage: the host's storage that comes over the network.
    ///   - usesOfDisk: who uses a disk: one that comes over the network is used through an interface.
    init(on host: any HostAccess, _ storage: NetworkStorage, usesOfDisk: (String) -> [Use]) {
        network = NetworkState(on: host)
        unseen = network.unseen
        addSession(host)
        add(storage, usesOfDisk)
    }

    // MARK: what goes through where

    private mutating func addSession(_ host: any HostAccess) {
        let session = SessionConnections(on: host)
        unseen += session.unseen
        for connection in session.connections {
            let who = "the ssh session of process \(connection.pid) (\(connection.command)) with \(connection.peer)"
            add(Traffic(by: .session, what: who + " goes"), .init(local: connection.local, peer: connection.peer))
        }
    }

    private mutating func add(_ storage: NetworkStorage, _ usesOfDisk: (String) -> [Use]) {
        for mount in storage.mounts { add(Traffic(by: .mount, what: mount.what), mount.way) }
        for session in storage.sessions {
            let uses = session.disks.flatMap(usesOfDisk)
            for use in uses {
                add(Traffic(by: use.by, what: "\(use.detail), and \(session.name) goes"), session.way)
            }
            if uses.isEmpty { add(Traffic(by: .session, what: "\(session.name) goes"), session.way) }
        }
    }

    private mutating func add(_ item: Traffic, _ way: NetworkStorage.Way) {
        // What the host has with itself goes through no wire.
        if let peer = way.peer, peer.isLoopback || !network.positions(withAddress: peer).isEmpty { return }
        let named = way.interface.flatMap { network.position(of: $0) }
        let positions = named.map { [$0] } ?? self.positions(of: way.local, toward: way.peer)
        if positions.isEmpty {
            unseen.append(
                "could not look through which interface \(item.what): none has its address or the route to it")
        }
        for position in positions where traffic[position]?.contains(item) != true {
            traffic[position, default: []].append(item)
        }
    }

    /// The interface of the connection's own address; where that is not known, or on no wire (an address of the host that
    /// is announced by routing stands on the loopback), the one of the route to the other side.
    private func positions(of address: IPAddress?, toward peer: IPAddress?) -> [Int] {
        let own = address.map { network.positions(withAddress: $0) } ?? []
        let onWire = own.filter { !network.interfaces[$0].link.isWithinHost }
        if !onWire.isEmpty { return onWire }
        return peer.map { network.positions(toward: $0) } ?? []
    }

    // MARK: one device

    /// Every use of a device's interfaces.
    func uses(of device: Device) -> [Use] {
        device.interfaces.flatMap { name in position(of: name, on: device).map { uses(of: $0) } ?? [] }
    }

    /// What could not be looked at, of this device alone.
    func unseen(of device: Device) -> [String] {
        device.interfaces.filter { position(of: $0, on: device) == nil }.map { name in
            "could not look at who uses \(name): it is not in the network namespace of this process"
        }
    }

    /// A device's interface. In a container with a sysfs that is not its own, an interface of that name may be another: the
    /// kernel says on which device it is (since 5.14).
    private func position(of name: String, on device: Device) -> Int? {
        guard let position = network.position(of: name) else { return nil }
        let link = network.interfaces[position].link
        if link.parentBus == "pci", let parent = link.parentDevice, PCIAddress(parent) != device.address { return nil }
        return position
    }

    private func uses(of position: Int) -> [Use] {
        let name = network.interfaces[position].link.name
        var uses: [Use] = []
        let addresses = network.addresses(of: position)
        if !addresses.isEmpty { uses.append(Use(by: .address, detail: "\(name) has \(enumerated(addresses))")) }
        if let routes = network.routes(through: position) {
            let verb = routes.count == 1 ? "goes" : "go"
            uses.append(Use(by: .route, detail: "\(routes.text) \(verb) through \(name)"))
        }
        uses += trafficUses(of: position)
        let above = network.directlyAbove(position)
        guard !above.isEmpty else { return uses }
        var seen: Set<Int> = [position]
        let master = network.master(of: position)
        if let master {
            uses.append(Use(by: .enslaved, detail: "\(name) is part of \(network.named(master, &seen))"))
        }
        let stacked = above.filter { $0 != master }
        guard !stacked.isEmpty else { return uses }
        var texts = stacked.prefix(4).map { network.named($0, &seen) }
        if stacked.count > 4 { texts.append("\(stacked.count - 4) more") }
        uses.append(
            Use(
                by: .stacked,
                detail: "\(enumerated(texts, limit: 5)) \(texts.count == 1 ? "is" : "are") stacked on \(name)"))
        return uses
    }

    /// What goes through an interface, or through one that stands on it.
    private func trafficUses(of position: Int) -> [Use] {
        guard !traffic.isEmpty else { return [] }
        let name = network.interfaces[position].link.name
        return network.above(position).sorted().flatMap { carrier in
            (traffic[carrier] ?? []).map { item in
                let through = network.interfaces[carrier].link.name
                let place = carrier == position ? name : "\(through), which stands on \(name)"
                return Use(by: item.by, detail: "\(item.what) through \(place)")
            }
        }
    }
}

extension Link {
    /// Whether what goes through it stays within the host.
    fileprivate var isWithinHost: Bool { flags.contains(.loopback) || name == "lo" || kind == "dummy" }
}
