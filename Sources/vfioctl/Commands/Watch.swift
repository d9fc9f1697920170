internal import ArgumentParser
internal import Glibc
internal import Host
internal import HostAccess
internal import LinuxIO
internal import LiveHost
internal import PCI
internal import Rendering
internal import SystemPackage

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow PCI devices as they appear, go, and change their drivers.",
        discussion: """
            One line a change, until SIGINT or SIGTERM, or until nobody reads any more: then it ends with status 0. With \
            --json each line is an object, with the device as list shows it. The events are udev's, or, where udevd does \
            not run, the kernel's own; --verbose says which.
            """)

    @Argument(
        help: ArgumentHelp("Only these devices; a glob also takes those that are yet to come.", valueName: "device"))
    var devices: [String] = []

    @OptionGroup var global: GlobalOptions

    func validate() throws { try DeviceArguments.validate(devices) }

    func run() throws {
        guard global.root == nil else {
            throw CommandFailure(
                .usage, "watch follows this machine, and nothing happens in a captured host: leave --root out")
        }
        do {
            let ending = try EndingSignals()
            // The table's line shows neither uses nor overrides.
            var watch = try DeviceWatch(parts: global.json ? [.uses, .details] : [])
            var filter = try DeviceFilter(devices, in: watch.snapshot, on: LiveHost())
            if global.verbose { Output.note("vfioctl: \(Self.described(watch.source))") }
            let output = WatchOutput(until: ending.descriptor.rawValue)
            let names = SystemDeviceNames()
            while true {
                let events = try waitForAny([
                    (watch.descriptor, .readable), (ending.descriptor.rawValue, .readable),
                    (STDOUT_FILENO, []),
                ])
                // Whoever asks for the end has it, however much there is to tell.
                guard events[1].isEmpty, !events[2].contains(.gone) else { return }
                let changes = try watch.changes()
                let lines = try filter.kept(changes, now: watch.snapshot).map {
                    try line(of: $0, source: watch.source, names)
                }
                if changes.contains(where: { $0.kind == .overrun }) {
                    Output.note(
                        "vfioctl: events came faster than they could be read, and some are lost: all devices are listed"
                    )
                }
                guard try output.write(Array(lines.joined())) else { return }
            }
        } catch let error as SystemCallError {
            throw CommandFailure(.refused, "\(error)")
        } catch let error as HostAccessError {
            throw CommandFailure(error)
        }
    }

    private static func described(_ source: DeviceEvents.Source) -> String {
        switch source {
        case .udev: "watching by udev's events"
        case .kernel: "watching by the kernel's events: udevd does not run (/run/udev/control is not there)"
        }
    }

    private func line(of change: DeviceChange, source: DeviceEvents.Source, _ names: SystemDeviceNames) throws
        -> [UInt8]
    {
        let report = WatchReport(change, source: source, names: names)
        return global.json ? try Output.encoded(report) : Array(report.text(of: change, names: names).utf8)
    }
}

/// Which changes a watch tells.
struct DeviceFilter {
    private let selectors: [DeviceSelector]
    private let host: any HostAccess
    /// What the selectors named at the last look.
    private var named: Set<PCIAddress> = []

    /// - Throws: the contract's status when a name matches nothing now.
    init(_ names: [String], in snapshot: HostSnapshot, on host: any HostAccess) throws {
        named = Set(try DeviceArguments(names).resolve(in: snapshot, on: host).map(\.address))
        selectors = try names.map { try DeviceSelector($0) }
        self.host = host
    }

    /// The changes of devices that were named: by what they were before, by what they are now, or, where one came and went
    /// between two looks, by its address.
    mutating func kept(_ changes: [DeviceChange], now: HostSnapshot) -> [DeviceChange] {
        guard !selectors.isEmpty, !changes.isEmpty else { return changes }
        let before = named
        named = addresses(in: now)
        return changes.filter { change in
            guard let address = change.address else { return true }
            if before.contains(address) || named.contains(address) { return true }
            guard change.device == nil, change.previous == nil else { return false }
            let identity = DeviceIdentity(vendorID: 0, deviceID: 0, subsystemVendorID: 0, subsystemDeviceID: 0)
            let unseen = Device(address: address, identity: identity, classID: 0)
            return !addresses(in: HostSnapshot(devices: [unseen], groups: [], drivers: [])).isEmpty
        }
    }

    private func addresses(in snapshot: HostSnapshot) -> Set<PCIAddress> {
        selectors.reduce(into: []) { found, selector in
            // One that names nothing now may name something later.
            do { found.formUnion(try selector.devices(in: snapshot, on: host).map(\.address)) } catch {}
        }
    }
}

/// Standard output for lines that may wait for a slow reader, and do not outlast an order to end.
struct WatchOutput {
    private let ending: CInt

    /// - Parameter ending: readable once the process is to end.
    init(until ending: CInt) { self.ending = ending }

    /// Writes all of it; false when the reader has gone, or the process is to end before it has taken all.
    func write(_ bytes: [UInt8]) throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let events = try waitForAny([(STDOUT_FILENO, .writable), (ending, .readable)])
            guard events[1].isEmpty else { return false }
            // A pipe that is said to be writable takes this much without making the writer wait: PIPE_BUF.
            let piece = rest.prefix(4096)
            do {
                rest = rest.dropFirst(try FileDescriptor.standardOutput.writeAll(piece))
            } catch {
                if (error as? Errno) == .brokenPipe { return false }
                throw CommandFailure(.unwritten, "the answer could not be written: \(error)")
            }
        }
        return true
    }
}
