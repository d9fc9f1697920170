public import Host
public import HostAccess
public import PCI

/// What a watch tells of a device, with the device as it is by then.
public struct DeviceChange: Hashable, Sendable {
    /// What kind of news it is.
    public enum Kind: Hashable, Sendable {
        /// An event.
        case event(DeviceEvent)
        /// Events were lost. What follows is every device that is gone, and every one that is there.
        case overrun
        /// After an overrun: gone since it was last seen.
        case vanished(PCIAddress)
        /// After an overrun: there.
        case present(PCIAddress)
    }

    /// What kind of news it is.
    public var kind: Kind
    /// The device as it is now; nil when it is not there any more.
    public var device: Device?
    /// The device as it was seen last before; nil when it was not there.
    public var previous: Device?

    /// Makes news of a device.
    public init(_ kind: Kind, device: Device? = nil, previous: Device? = nil) {
        self.kind = kind
        self.device = device
        self.previous = previous
    }

    /// The device it is about; nil for an overrun.
    public var address: PCIAddress? {
        switch kind {
        case .event(let event): event.address
        case .vanished(let address), .present(let address): address
        case .overrun: nil
        }
    }
}

/// The PCI devices of this machine, followed from one look at them to the next.
///
/// It listens before it first looks, so that nothing between the two is lost. Events that come while a look is being taken
/// are told with the next one: a burst costs a look, not a look each.
public struct DeviceWatch: ~Copyable, Sendable {
    private var events: DeviceEvents
    private let host: any HostAccess
    private let parts: HostSnapshot.Parts
    /// The last look.
    public private(set) var snapshot: HostSnapshot

    /// The most notices that are told together, so that a long burst is not told at its end only.
    private static let batch = 512

    /// Begins to listen, then looks.
    ///
    /// - Parameters:
    ///   - source: who announces the events; nil takes udevd where it runs, or else the kernel.
    ///   - parts: what is read of the devices beyond groups and drivers.
    public init(from source: DeviceEvents.Source? = nil, parts: HostSnapshot.Parts = .all) throws(HostAccessError) {
        let events = try DeviceEvents(from: source)
        let host = LiveHost()
        let snapshot = try HostSnapshot.read(from: host, parts: parts)
        self.events = events
        self.host = host
        self.parts = parts
        self.snapshot = snapshot
    }

    /// Who announces the events.
    public var source: DeviceEvents.Source { events.source }

    /// Readable (poll(2)) once there is something to tell.
    public var descriptor: CInt { events.descriptor }

    /// What has changed, in order, without waiting; empty when nothing has.
    public mutating func changes() throws(HostAccessError) -> [DeviceChange] {
        var notices: [DeviceEvents.Notice] = []
        while notices.count < Self.batch, let notice = try events.next() { notices.append(notice) }
        guard !notices.isEmpty else { return [] }
        let before = snapshot
        snapshot = try HostSnapshot.read(from: host, parts: parts)
        return Self.changes(notices, from: before, to: snapshot)
    }

    /// What notices mean between two looks at the devices.
    public static func changes(
        _ notices: [DeviceEvents.Notice], from before: HostSnapshot, to now: HostSnapshot
    ) -> [DeviceChange] {
        notices.flatMap { notice -> [DeviceChange] in
            switch notice {
            case .event(let event):
                return [
                    DeviceChange(
                        .event(event), device: now.device(at: event.address), previous: before.device(at: event.address)
                    )
                ]
            case .overrun:
                let vanished = before.devices.filter { now.device(at: $0.address) == nil }
                return [DeviceChange(.overrun)]
                    + vanished.map { DeviceChange(.vanished($0.address), previous: $0) }
                    + now.devices.map {
                        DeviceChange(.present($0.address), device: $0, previous: before.device(at: $0.address))
                    }
            }
        }
    }
}
