public import PCI

/// A DEVICE as a person names it: an address, a glob of addresses, a network interface, a block device, or the virtual
/// function of any of these by its index.
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
    }

    /// Reads a name. What it is follows from its spelling alone: a "/dev/" in front, colons and dots, or neither.
    ///
    /// - Throws: `DeviceSelectionError`, malformed.
    public init(_ text: String) throws(DeviceSelectionError) {
        self.text = text
        var name = Substring(text)
        if let colon = text.lastIndex(of: ":"), text[colon...].dropFirst().hasPrefix("vf"),
            let index = Int(text[colon...].dropFirst(3)), index >= 0, index < 1 << 16
        {
            virtualFunction = index
            name = text[..<colon]
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
    public enum Reason: Hashable, Sendable {
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
                + "(/dev/nvme0n1) or a virtual function (01:00.0:vf3)"
        case .noDevice:
            "no PCI device matches \(text) (vfioctl list shows what is there)"
        case .noInterface:
            "no PCI device has an interface or disk \(text): it is not there, or not a PCI device's"
        case .noBlockDevice:
            "no PCI device has the disk \(text): it is not there, a partition, or not a PCI device's"
        case .noVirtualFunction(let address, let count):
            "\(text): \(address) has \(count) virtual functions, counted from 0"
        }
    }
}
