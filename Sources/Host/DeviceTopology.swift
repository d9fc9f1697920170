internal import HostAccess
public import PCI

/// Where a function hangs: its root bus, and the bridges from there down to it.
public struct DeviceTopology: Hashable, Sendable, Codable {
    /// The domain of the root bus; 0 but on large hosts.
    public var domain: UInt32
    /// The number of the root bus: firmware gives each root complex its own (`pci0000:80`).
    public var rootBus: UInt8
    /// The bridges between the root bus and the function, from the root down; empty for one on the root bus. Below a
    /// VMD controller the controller is one of them, and what follows has a domain of its own.
    public var bridges: [PCIAddress]

    /// Makes a topology of what was read.
    public init(domain: UInt32, rootBus: UInt8, bridges: [PCIAddress]) {
        self.domain = domain
        self.rootBus = rootBus
        self.bridges = bridges
    }

    /// Reads the link of `/sys/bus/pci/devices/ADDRESS`, which names the whole way down, as `pci_setup_device` in
    /// drivers/pci/probe.c and `device_add` make it: `../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0`.
    ///
    /// Nil for one that does not begin at a root bus, or does not end at `address`.
    public init?(link: String, to address: PCIAddress) {
        var root: (domain: UInt32, bus: UInt8)?
        var functions: [PCIAddress] = []
        for component in link.split(separator: "/") {
            if let function = PCIAddress(component) {
                functions.append(function)
            } else if root == nil {
                // What stands before the root bus (`platform`, an ACPI device) says nothing about PCI.
                root = Self.rootBus(component)
            }
        }
        guard let root, functions.popLast() == address else { return nil }
        self.init(domain: root.domain, rootBus: root.bus, bridges: functions)
    }

    /// `pci0000:80`.
    private static func rootBus(_ component: Substring) -> (domain: UInt32, bus: UInt8)? {
        let name = "pci"
        guard component.hasPrefix(name) else { return nil }
        return StableIdentity.bus(component.dropFirst(name.utf8.count))
    }

    /// The bridge whose secondary bus the function is on; nil on a root bus, also that of a VMD controller's domain.
    func parent(of address: PCIAddress) -> PCIAddress? {
        bridges.last.flatMap { $0.domain == address.domain ? $0 : nil }
    }
}

extension HostSnapshot {
    /// Reads where each device hangs: one readlink(2) a device. A capture whose links are directories does not say.
    mutating func readTopology(from host: any HostAccess) {
        do {
            let bus = try host.directory("/sys/bus/pci/devices")
            for index in devices.indices where devices[index].topology == nil {
                devices[index].topology = Self.topology(of: devices[index].address, in: bus)
            }
        } catch {
            // A snapshot without devices: a note of it says why.
        }
    }

    private static func topology(of address: PCIAddress, in bus: any HostDirectory) -> DeviceTopology? {
        do {
            return DeviceTopology(link: try bus.readLink(address.description), to: address)
        } catch {
            return nil
        }
    }
}
