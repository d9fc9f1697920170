public import HostAccess
public import PCI

/// A DEVICE as a person names it: an address, a glob of addresses, a network interface, a block device, a stable identity,
/// or the virtual function of any of these by its index.
public struct DeviceSelector: Hashable, Sendable {
    /// As it was written.
    public let text: String
    private let pattern: Pattern
    private let virtualFunction: Int?

    private enum Pattern: Hashable {
        case address(PCIAddress)
        case glob(String)
        case interface(String)
        case block(String)
        case identity(StableIdentity)
    }

    /// Reads a name. What it is follows from its spelling alone: a "/dev/" in front, a "/" further on, colons and dots, or
    /// neither.
    ///
    /// - Throws: `DeviceSelectionError`, malformed.
    public init(_ text: String) throws(DeviceSelectionError) {
        self.text = text
        var name = Substring(text)
        if let (physicalFunction, index) = StableIdentity.virtualFunction(name) {
            virtualFunction = index
            name = physicalFunction
        } else {
            virtualFunction = nil
        }
        pattern = try Self.pattern(String(name), of: text)
    }

    private static func pattern(_ name: String, of text: String) throws(DeviceSelectionError) -> Pattern {
        if name.hasPrefix("/") {
            let device = name.dropFirst("/dev/".count)
            guard name.hasPrefix("/dev/"), !device.isEmpty, !device.contains("/") else {
                throw DeviceSelectionError(text, .malformed)
            }
            return .block(String(device))
        }
        if let address = PCIAddress(name) { return .address(address) }
        if name.utf8.contains(UInt8(ascii: "/")) {
            guard let identity = StableIdentity(name), identity.virtualFunction == nil else {
                throw DeviceSelectionError(text, .malformed)
            }
            return .identity(identity)
        }
        let isGlob = name.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
        if name.utf8.contains(UInt8(ascii: ":")) {
            guard isGlob, name.utf8.allSatisfy({ hexadecimalDigit($0) != nil || ":.*?".utf8.contains($0) }) else {
                throw DeviceSelectionError(text, .malformed)
            }
            return .glob(name)
        }
        // The kernel's own rule for interface names: no "/", no white space, at most 15 bytes.
        guard !name.isEmpty, !isGlob, name.utf8.count < 16,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") })
        else { throw DeviceSelectionError(text, .malformed) }
        return .interface(name)
    }

    /// The devices that it names on a host, by address; never none.
    ///
    /// A stable identity needs the snapshot's topology, and one with a serial number is compared with the device's only
    /// where that was read.
    ///
    /// - Throws: `DeviceSelectionError` when nothing matches.
    public func devices(in snapshot: HostSnapshot) throws(DeviceSelectionError) -> [Device] {
        let devices: [Device]
        switch pattern {
        case .address(let address):
            devices = snapshot.device(at: address).map { [$0] } ?? []
        case .glob(let glob):
            devices = snapshot.devices.filter { device in
                let full = device.address.description
                return Self.matches(full, glob)
                    || device.address.domain == 0 && Self.matches(String(full.dropFirst(5)), glob)
            }
        case .interface(let name):
            devices = snapshot.devices.filter { $0.interfaces.contains(name) || $0.blockDevices.contains(name) }
            if devices.isEmpty { throw DeviceSelectionError(text, .noInterface) }
        case .block(let name):
            devices = snapshot.devices.filter { $0.blockDevices.contains(name) }
            if devices.isEmpty { throw DeviceSelectionError(text, .noBlockDevice) }
        case .identity(let identity):
            do { devices = [try snapshot.device(identity)] } catch { throw DeviceSelectionError(text, error) }
        }
        if devices.isEmpty { throw DeviceSelectionError(text, .noDevice) }
        guard let virtualFunction else { return devices }
        var functions: [Device] = []
        for device in devices {
            guard let all = device.sriov?.virtualFunctions, virtualFunction < all.count,
                let function = snapshot.device(at: all[virtualFunction])
            else {
                let count = device.sriov?.virtualFunctions.count ?? 0
                throw DeviceSelectionError(text, .noVirtualFunction(of: device.address, count: count))
            }
            functions.append(function)
        }
        return functions
    }

    /// The same, with what only a stable identity asks for read from the host when this is one: where devices hang, and
    /// the serial number of the one that is meant, if it names one.
    public func devices(
        in snapshot: HostSnapshot, on host: any HostAccess
    ) throws(DeviceSelectionError) -> [Device] {
        guard case .identity(let identity) = pattern else { return try devices(in: snapshot) }
        var snapshot = snapshot
        snapshot.readTopology(from: host)
        if identity.serial != nil {
            do {
                snapshot.readSerialNumbers(of: [try snapshot.device(identity).address], from: host)
            } catch {
                throw DeviceSelectionError(text, error)
            }
        }
        return try devices(in: snapshot)
    }

    /// Whether `text` matches a glob of "*" (any run) and "?" (any one character). Linear in both: only the last "*" is
    /// ever tried again.
    static func matches(_ text: String, _ glob: String) -> Bool {
        let text = Array(text.utf8)
        let glob = Array(glob.lowercased().utf8)
        var position = 0
        var index = 0
        var star: (glob: Int, text: Int)?
        while position < text.count {
            if index < glob.count, glob[index] == UInt8(ascii: "*") {
                star = (index, position)
                index += 1
            } else if index < glob.count, glob[index] == text[position] || glob[index] == UInt8(ascii: "?") {
                index += 1
                position += 1
            } else if let last = star {
                star = (last.glob, last.text + 1)
                index = last.glob + 1
                position = last.text + 1
            } else {
                return false
            }
        }
        return glob[index...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// A DEVICE that names nothing.
public struct DeviceSelectionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Why.
    public enum Reason: Error, Hashable, Sendable {
        /// It is spelt wrong, whatever the host looks like.
        case malformed
        /// No device has that address.
        case noDevice
        /// No such interface or disk, or one without a PCI device under it.
        case noInterface
        /// No such disk, or one without a PCI device under it.
        case noBlockDevice
        /// The physical function has no VF of that index.
        case noVirtualFunction(of: PCIAddress, count: Int)
        /// Where devices hang is not known: the snapshot was read without it, or the capture's links do not say.
        case noTopology
        /// A stable identity's place is empty; its device may be at another one now.
        case emptyPlace(candidates: [Candidate])
        /// At a stable identity's place sits another device.
        case otherDevice(Candidate)
    }

    /// A device that is not the one that was asked for.
    public struct Candidate: Hashable, Sendable {
        /// Where it is now.
        public var address: PCIAddress
        /// What it is called.
        public var identity: StableIdentity

        /// Makes a candidate.
        public init(address: PCIAddress, identity: StableIdentity) {
            self.address = address
            self.identity = identity
        }
    }

    /// What was asked for.
    public var text: String
    /// Why it names nothing.
    public var reason: Reason

    /// Describes a name that names nothing.
    public init(_ text: String, _ reason: Reason) {
        self.text = text
        self.reason = reason
    }

    /// Whether it is spelt wrong, whatever the host looks like.
    public var isMalformed: Bool { reason == .malformed }

    /// One sentence, with what to do.
    public var description: String {
        switch reason {
        case .malformed:
            "'\(text)' is no device: write an address (01:00.0), a glob (01:00.*), an interface (eth0), a disk "
                + "(/dev/nvme0n1), a virtual function (01:00.0:vf3) or a stable identity (vfioctl list --stable)"
        case .noDevice:
            "no PCI device matches \(text) (vfioctl list shows what is there)"
        case .noInterface:
            "no PCI device has an interface or disk \(text): it is not there, or not a PCI device's"
        case .noBlockDevice:
            "no PCI device has the disk \(text): it is not there, a partition, or not a PCI device's"
        case .noVirtualFunction(let address, let count):
            "\(text): \(address) has \(count) virtual functions, counted from 0"
        case .noTopology:
            "\(text) cannot be looked for: where devices hang is not known here (the links in /sys/bus/pci/devices)"
        case .emptyPlace(let candidates) where candidates.isEmpty:
            "no device is where \(text) was, and no other one has its ids (vfioctl list --stable shows what is there)"
        case .emptyPlace(let candidates):
            "no device is where \(text) was; the same kind of device is now "
                + candidates.map { "\($0.address) (\($0.identity))" }.joined(separator: ", ")
        case .otherDevice(let other):
            "another device is where \(text) was: \(other.address), \(other.identity)"
        }
    }
}

extension HostSnapshot {
    /// The device of a stable identity, its virtual function left aside.
    fileprivate func device(_ identity: StableIdentity) throws(DeviceSelectionError.Reason) -> Device {
        var isKnown = false
        var candidates: [DeviceSelectionError.Candidate] = []
        for device in devices where device.physicalFunction == nil {
            guard let topology = device.topology else { continue }
            isKnown = true
            let isThere = identity.isPlace(of: device.address, topology)
            guard isThere || device.identity == identity.ids, let other = stableIdentity(of: device) else { continue }
            let isSameModel = other.isSameModel(as: identity)
            if isThere, isSameModel { return device }
            let candidate = DeviceSelectionError.Candidate(address: device.address, identity: other)
            if isThere { throw .otherDevice(candidate) }
            if isSameModel { candidates.append(candidate) }
        }
        throw isKnown || devices.isEmpty ? .emptyPlace(candidates: candidates) : .noTopology
    }
}
