internal import CLibUdev
public import HostAccess
public import PCI
internal import SystemPackage

/// A change of a PCI device, as it was announced: a kobject uevent (Documentation/core-api/kobject.rst).
public struct DeviceEvent: Hashable, Sendable {
    /// What happened, in the kernel's word for it.
    public struct Action: RawRepresentable, Hashable, Sendable {
        /// `add`, `remove`, `bind`, `unbind`, `change`; a kernel may say others.
        public var rawValue: String

        /// Takes the kernel's word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The device appeared.
        public static let add = Action(rawValue: "add")
        /// The device is gone.
        public static let remove = Action(rawValue: "remove")
        /// A driver has taken it.
        public static let bind = Action(rawValue: "bind")
        /// Its driver has let it go.
        public static let unbind = Action(rawValue: "unbind")
        /// Something else about it changed.
        public static let change = Action(rawValue: "change")
    }

    /// What happened.
    public var action: Action
    /// To which device.
    public var address: PCIAddress
    /// The driver that the event names: for `bind`, the one that has taken it.
    public var driver: String?
    /// The kernel's number of the event (`SEQNUM`), the same for whoever hears of it.
    public var sequence: UInt64

    /// Makes an event.
    public init(_ action: Action, _ address: PCIAddress, driver: String? = nil, sequence: UInt64 = 0) {
        self.action = action
        self.address = address
        self.driver = driver
        self.sequence = sequence
    }
}

/// The changes of this machine's PCI devices as they happen: libudev's monitor (`udev_monitor_new_from_netlink`).
///
/// Whoever looks at the devices after this was made, and then follows the events, misses nothing in between.
///
/// Not copyable: it owns the socket. A thread at a time may use it, any thread.
@safe public struct DeviceEvents: ~Copyable, @unchecked Sendable {
    /// Who announces them.
    public enum Source: String, Hashable, Sendable {
        /// udevd, once it has dealt with an event: names, links and permissions are settled. It deals with several devices
        /// at a time, so only the events of one device come in order.
        case udev
        /// The kernel itself, at once; needs no udevd.
        case kernel
    }

    /// What there is to tell.
    public enum Notice: Hashable, Sendable {
        /// A device changed.
        case event(DeviceEvent)
        /// Events came faster than they were read, and some are lost: only a new look at the devices helps.
        case overrun
    }

    /// Who announces the events.
    public let source: Source
    private let udev: OpaquePointer
    private let monitor: OpaquePointer

    /// The file that is there while udevd listens for its own commands.
    static let sign = "/run/udev/control"

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - source: who announces the events; nil takes udevd where it runs (`/run/udev/control`), or else the kernel.
    ///   - bufferSize: how many bytes of events may wait to be read; without CAP_NET_ADMIN, at most
    ///     `net.core.rmem_max`.
    /// - Throws: the kernel's answer to the netlink socket.
    public init(from source: Source? = nil, bufferSize: Int = 2 << 20) throws(HostAccessError) {
        let source = source ?? (LiveHost().exists(Self.sign) ? .udev : .kernel)
        guard let udev = unsafe udev_new() else {
            throw HostAccessError(.open, "the device events of \(source.rawValue)", errno: .noMemory)
        }
        var monitor: OpaquePointer?
        let result = unsafe clibudev_monitor(udev, source.rawValue, CInt(clamping: bufferSize), &monitor)
        guard result == 0, let monitor = unsafe monitor else {
            _ = unsafe udev_unref(udev)
            throw HostAccessError(
                .open, "the device events of \(source.rawValue)", errno: Errno(rawValue: CInt(clamping: -result)))
        }
        self.source = source
        unsafe self.udev = udev
        unsafe self.monitor = monitor
    }

    deinit {
        _ = unsafe udev_monitor_unref(monitor)
        _ = unsafe udev_unref(udev)
    }

    /// Readable (poll(2)) once there is something to tell: `udev_monitor_get_fd`. It stays this value's own.
    public var descriptor: CInt { unsafe udev_monitor_get_fd(monitor) }

    /// The next notice, without waiting; nil when there is none now. Events of what is no PCI address are passed over.
    public mutating func next() throws(HostAccessError) -> Notice? {
        while true {
            var device: OpaquePointer?
            let result = unsafe clibudev_receive(monitor, &device)
            if result == 0 { return nil }
            guard result > 0, let device = unsafe device else {
                let errno = Errno(rawValue: CInt(clamping: -result))
                if errno == .noBufferSpace { return .overrun }
                throw HostAccessError(.read, "the device events of \(source.rawValue)", errno: errno)
            }
            defer { _ = unsafe udev_device_unref(device) }
            guard let action = unsafe text(udev_device_get_action(device)),
                let address = unsafe text(udev_device_get_sysname(device)).flatMap({ PCIAddress($0) })
            else { continue }
            let driver = unsafe text(udev_device_get_property_value(device, "DRIVER"))
            let sequence = unsafe udev_device_get_seqnum(device)
            return .event(
                DeviceEvent(DeviceEvent.Action(rawValue: action), address, driver: driver, sequence: UInt64(sequence)))
        }
    }

    private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        unsafe pointer.map { text in unsafe String(cString: text) }
    }
}
