internal import Glibc
internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

/// Captures of real machines, which lie beside the project and not in it.
private enum Fixtures {
    static let directory = packageDirectory + "/../shared/fixtures"
    static let captures = [
        "hwloc/2pa-pcidomain32bits.tar.bz2", "hwloc/32intel64-2p8co2t+8ve.tar.bz2",
        "hwloc/40intel64-2g2n4c+pcilocality.tar.bz2", "hwloc/40intel64-4n10c+pci-conflicts.tar.bz2",
        "ghw/linux-amd64-415ee03b8c4d1c4f07ae2e9d8b3d3d6d.tar.gz",
        "ghw/linux-amd64-61797caf7c0b6bca1725ad7975ed4773.tar.gz",
    ]
    static let capturesWithoutPCI = ["hwloc/64amd64-4p2n4ca2co.tar.bz2", "hwloc/offline-cpu0-node0.tar.bz2"]

    static let areHere = unsafe access(directory + "/" + captures[0], R_OK) == 0
    static let haveOracle = areHere && isInstalled("lspci")

    private static var packageDirectory: String {
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    }

    /// Unpacks a capture; the path of the directory in it that holds `sys`.
    static func unpack(_ name: String, into directory: TemporaryDirectory) throws -> String {
        // Without the CPUs and power management, which are most of the files and nothing that is looked at.
        let excluded = ["*/devices/system", "*/devices/virtual", "*/power"].map { "--exclude='\($0)'" }
        let tar = output(
            of: "tar -C '\(directory.path)' \(excluded.joined(separator: " ")) -xf '\(Fixtures.directory)/\(name)' "
                + "&& find '\(directory.path)' -name sys -type d")
        try #require(tar.status == 0, "tar must unpack \(name)")
        let system = try #require(tar.text.split(separator: "\n").min { $0.utf8.count < $1.utf8.count })
        return String(system.dropLast("/sys".count))
    }
}

/// One device as `lspci -D -n -k` reports it.
private struct Reported: Hashable {
    var address: String
    var classID: String
    var ids: String
    var subsystem: String?
    var revision: String?
    var driver: String?

    /// Reads lspci's output: a line a device, indented lines about it.
    static func all(in text: String) -> [Reported] {
        var devices: [Reported] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if line.first != "\t", fields.count >= 3 {
                let revision = fields.count >= 5 ? String(fields[4].dropLast()) : nil
                devices.append(
                    Reported(
                        address: String(fields[0]), classID: String(fields[1].dropLast()), ids: String(fields[2]),
                        revision: revision))
            } else if fields.count >= 2, fields[0] == "\tSubsystem:" {
                devices[devices.count - 1].subsystem = String(fields[1])
            } else if line.hasPrefix("\tKernel driver in use: ") {
                devices[devices.count - 1].driver = fields.last.map(String.init)
            }
        }
        return devices
    }
}

@Suite("Captures of real machines read as lspci reads them")
struct RealMachineTests {
    let directory = TemporaryDirectory()

    @Test(
        "devices, ids, classes and drivers",
        .enabled(if: Fixtures.haveOracle, "needs ../shared/fixtures beside the package, and lspci"),
        arguments: Fixtures.captures)
    func sameAsLspci(capture: String) throws {
        let root = try Fixtures.unpack(capture, into: directory)
        let lspci = output(of: "lspci -D -n -k -A linux-sysfs -O 'sysfs.path=\(root)/sys/bus/pci' 2>/dev/null")
        #expect(lspci.status == 0)
        let reported = Reported.all(in: lspci.text)
        #expect(!reported.isEmpty)

        let devices = try HostSnapshot.read(from: CapturedDirectory(root)).devices
        // These captures hold the links to drivers and mostly not the drivers; nothing else is wrong with them.
        #expect(devices.flatMap(\.problems).filter { !$0.hasPrefix("driver leads to ") } == [])
        #expect(devices.map(\.address.description) == reported.map(\.address))
        for (device, reported) in zip(devices, reported) {
            let id = device.identity
            #expect(hexadecimal(device.classID >> 8, width: 4) == reported.classID, "\(device.address)")
            #expect(Self.pair(id.vendorID, id.deviceID) == reported.ids, "\(device.address)")
            #expect(device.driver == reported.driver, "\(device.address)")
            if let subsystem = reported.subsystem {
                #expect(Self.pair(id.subsystemVendorID, id.subsystemDeviceID) == subsystem, "\(device.address)")
            }
            if let revision = device.revision, revision != 0 {
                #expect(hexadecimal(revision, width: 2) == reported.revision, "\(device.address)")
            }
        }
    }

    @Test(
        "a machine without PCI is an empty list, not an error",
        .enabled(if: Fixtures.areHere, "needs ../shared/fixtures beside the package"),
        arguments: Fixtures.capturesWithoutPCI)
    func withoutPCI(capture: String) throws {
        let root = try Fixtures.unpack(capture, into: directory)
        let snapshot = try HostSnapshot.read(from: CapturedDirectory(root))
        #expect(snapshot.devices.isEmpty)
        #expect(snapshot.notes == ["this host has no PCI bus: /sys/bus/pci/devices is not there"])
    }

    @Test(
        "interfaces, disks and virtual functions of known machines",
        .enabled(if: Fixtures.areHere, "needs ../shared/fixtures beside the package"))
    func facts() throws {
        let root = try Fixtures.unpack(Fixtures.captures[1], into: directory)
        let snapshot = try HostSnapshot.read(from: CapturedDirectory(root))
        let card = try #require(try DeviceSelector("enp96s0f0").devices(in: snapshot).first)
        #expect(card.address.description == "0000:60:00.0")
        #expect(card.sriov?.totalVFs == 64)
        #expect(card.numaNode == 0)

        let laptop = TemporaryDirectory()
        let other = try HostSnapshot.read(
            from: CapturedDirectory(try Fixtures.unpack(Fixtures.captures[4], into: laptop)))
        #expect(try DeviceSelector("/dev/nvme0n1").devices(in: other).map(\.address.description) == ["0000:04:00.0"])
        #expect(other.groups.count == 15)
        #expect(other.group(8)?.devices.count == 3)
    }

    private static func pair(_ vendor: UInt16, _ device: UInt16) -> String {
        hexadecimal(vendor, width: 4) + ":" + hexadecimal(device, width: 4)
    }
}
