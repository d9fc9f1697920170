internal import Host
internal import HostAccess
internal import PCI
internal import Readiness
internal import SystemPackage
internal import VFIO

/// One PCI function, its attributes any bytes at all.
@Sendable func parseDevice(_ bytes: [UInt8]) {
    read(
        bytes, below: "/sys/bus/pci/devices/0000:01:00.0/",
        files: [
            "uevent", "class", "vendor", "device", "subsystem_vendor", "subsystem_device", "revision", "numa_node",
            "driver_override", "sriov_totalvfs", "sriov_offset", "sriov_stride", "sriov_drivers_autoprobe", "config",
            "virtfn0", "virtfn00", "driver", "iommu_group", "vfio-dev/vfio0", "resource", "vpd", "reset_method",
            "modalias",
            "boot_vga", "power_state", "power/control", "power/runtime_status", "current_link_speed", "max_link_width",
            "firmware_node/path",
        ],
        besides: ["/sys/bus/pci/drivers/igb/module": [], "/sys/bus/pci/drivers/vfio-pci/module": []])
}

/// A host whose tables are any bytes at all: mounts, swap, addresses, routes, interrupts, reserved regions.
@Sendable func parseTables(_ bytes: [UInt8]) {
    let device = "/sys/bus/pci/devices/0000:01:00.0"
    read(
        bytes, below: "/",
        files: [
            "proc/self/mountinfo", "proc/swaps", "proc/net/route", "proc/net/ipv6_route", "proc/net/if_inet6",
            "proc/net/fib_trie", "proc/interrupts", "sys/kernel/iommu_groups/1/reserved_regions",
            "sys/block/dm-0/dm/name", "proc/irq/30/smp_affinity_list", "sys/devices/system/cpu/online", "netlink/link",
            "netlink/address", "netlink/route", "proc/iomem", "proc/cmdline", "proc/self/stat", "proc/net/tcp",
            "proc/7/mountinfo", "proc/7/fd/4", "proc/7/fdinfo/4", "sys/class/vtconsole/vtcon1/name",
            "run/udev/data/b8:0",
            "proc/meminfo", "proc/sys/kernel/osrelease", "lib/modules/6/modules.alias", "proc/self/limits",
            "proc/cpuinfo",
            "etc/modprobe.d/vfio.conf", "etc/udev/rules.d/10-vfio.rules",
            "proc/driver/nvidia/gpus/0000:01:00.0/information",
        ],
        besides: [
            device + "/uevent": Array("DRIVER=vfio-pci\nPCI_CLASS=20000\nPCI_ID=8086:10C9\nPCI_SUBSYS_ID=0:0\n".utf8),
            device + "/iommu_group": Array(">../../../kernel/iommu_groups/1".utf8),
            device + "/driver": Array(">../../../bus/pci/drivers/vfio-pci".utf8),
            device + "/msi_irqs/30": Array("msix\n".utf8),
            "/sys/bus/pci/drivers/vfio-pci/module": [],
            "/sys/class/net/eth0": Array(">../../devices/pci0000:00/0000:01:00.0/net/eth0".utf8),
            "/sys/block/sda": Array(">../devices/pci0000:00/0000:01:00.0/host0/block/sda".utf8),
            "/sys/block/dm-0": Array(">../devices/virtual/block/dm-0".utf8),
            "/sys/class/block/sda/holders/dm-0": [],
            "/sys/class/block/sda/dev": Array("8:0\n".utf8),
            "/sys/class/vtconsole/vtcon1/bind": Array("1\n".utf8),
            "/proc/7/comm": Array("agent\n".utf8),
            "/proc/7/ns/mnt": Array(">mnt:[4026532000]".utf8),
            "/proc/1/comm": Array("init\n".utf8),
            "/proc/1/fd/3": Array(">/dev/vfio/1".utf8),
        ])
}

/// Reads a host whose files are the parts of `bytes` between zeros, in order: a part that begins with ">" is the target of a link.
private func read(_ bytes: [UInt8], below base: String, files: [String], besides: [String: [UInt8]]) {
    var content = besides
    for (name, part) in zip(files, bytes.split(separator: 0, omittingEmptySubsequences: false)) where !part.isEmpty {
        content[base + name] = Array(part)
    }
    let host = TreeHost(content)
    guard var snapshot = try? HostSnapshot.read(from: host) else { return }
    let addresses = snapshot.devices.map(\.address)
    snapshot.readHardware(of: addresses, from: host)
    snapshot.readSignatures(of: addresses, from: host)
    _ = snapshot.isolation(on: host)
    _ = Readiness.check(host, snapshot, devices: snapshot.devices, guestMemory: MemorySize("4G"))
    for device in snapshot.devices { _ = InterruptSnapshot.read(from: host, of: device) }
    for group in snapshot.groups { _ = snapshot.viability(of: group) }
    precondition(Set(snapshot.devices.map(\.address)).count == snapshot.devices.count, "an address has one device")
}

/// A host of files in memory, without the cost of the simulated kernel: paths are taken as they stand, links lead nowhere.
private struct TreeHost: HostAccess {
    var path: String
    private let content: [String: [UInt8]]
    private let directories: [String: Set<String>]

    init(_ content: [String: [UInt8]]) {
        path = ""
        self.content = content
        var directories: [String: Set<String>] = [:]
        for file in content.keys {
            var rest = file[...]
            while let slash = rest.lastIndex(of: "/") {
                directories[String(rest[..<slash]), default: []].insert(String(rest[rest.index(after: slash)...]))
                rest = rest[..<slash]
            }
        }
        self.directories = directories
    }

    private init(_ other: TreeHost, path: String) {
        self.path = path
        content = other.content
        directories = other.directories
    }

    private func absolute(_ name: String) -> String {
        name.isEmpty ? path : name.hasPrefix("/") ? name : path + "/" + name
    }

    private func bytes(_ name: String, isLink: Bool) -> [UInt8]? {
        guard let bytes = content[absolute(name)], (bytes.first == UInt8(ascii: ">")) == isLink else { return nil }
        return bytes
    }

    func read(_ path: String, limit: Int) throws(HostAccessError) -> [UInt8] {
        guard let bytes = bytes(path, isLink: false) else {
            throw HostAccessError(.read, absolute(path), errno: .noSuchFileOrDirectory)
        }
        guard bytes.count <= limit else {
            throw HostAccessError(.read, absolute(path), code: .unreadable, errno: .fileTooLarge)
        }
        return bytes
    }

    func readLink(_ path: String) throws(HostAccessError) -> String {
        guard let bytes = bytes(path, isLink: true) else {
            throw HostAccessError(.readLink, absolute(path), errno: .noSuchFileOrDirectory)
        }
        return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }

    func entries(_ path: String) throws(HostAccessError) -> [String] {
        guard let names = directories[absolute(path)] else {
            throw HostAccessError(.list, absolute(path), errno: .noSuchFileOrDirectory)
        }
        return Array(names)
    }

    func exists(_ path: String) -> Bool { content[absolute(path)] != nil || directories[absolute(path)] != nil }

    func directory(_ path: String) throws(HostAccessError) -> any HostDirectory {
        guard directories[absolute(path)] != nil else {
            throw HostAccessError(.open, absolute(path), errno: .noSuchFileOrDirectory)
        }
        return TreeHost(self, path: absolute(path))
    }

    func write(_ value: String, to path: String, timeLimit: Duration) throws(HostAccessError) { try refuse(path) }
    func loadModule(_ name: String) throws(HostAccessError) { try refuse(name) }
    func replaceFile(_ path: String, with content: [UInt8]) throws(HostAccessError) { try refuse(path) }
    func removeFile(_ path: String) throws(HostAccessError) { try refuse(path) }
    func pause(_ duration: Duration) {}

    func lock(_ path: String) throws(HostAccessError) -> any HostLock {
        throw HostAccessError(.lock, path, errno: .readOnlyFileSystem)
    }

    private func refuse(_ path: String) throws(HostAccessError) {
        throw HostAccessError(.write, path, errno: .readOnlyFileSystem)
    }
}
