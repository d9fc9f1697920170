internal import Glibc
internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

/// What lies beside the project and not in it: captures of real machines.
private let fixtures = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/../shared/fixtures"
private let captures = [
    "hwloc/2pa-pcidomain32bits.tar.bz2", "hwloc/32intel64-2p8co2t+8ve.tar.bz2",
    "hwloc/40intel64-2g2n4c+pcilocality.tar.bz2", "hwloc/40intel64-4n10c+pci-conflicts.tar.bz2",
    "ghw/linux-amd64-415ee03b8c4d1c4f07ae2e9d8b3d3d6d.tar.gz",
    "ghw/linux-amd64-61797caf7c0b6bca1725ad7975ed4773.tar.gz",
]
private let areFixturesHere = unsafe access(fixtures + "/" + captures[0], R_OK) == 0

@Suite("Identities and groups of real machines")
struct RealTopologyTests {
    let directory = TemporaryDirectory()

    /// The devices of a capture, as links to where they hang and what their attributes say.
    func unpack(_ name: String) throws -> CapturedDirectory {
        let excluded = ["*/devices/system", "*/devices/virtual", "*/power"].map { "--exclude='\($0)'" }
        let tar = output(
            of: "tar -C '\(directory.path)' \(excluded.joined(separator: " ")) -xf '\(fixtures)/\(name)' "
                + "&& find '\(directory.path)' -name sys -type d")
        try #require(tar.status == 0, "tar must unpack \(name)")
        let system = try #require(tar.text.split(separator: "\n").min { $0.utf8.count < $1.utf8.count })
        return try CapturedDirectory(String(system.dropLast("/sys".count)))
    }

    /// Every device has an identity of its own, which reads back and names that device alone.
    func everyIdentityIsOneDevice(on host: CapturedDirectory) throws {
        let snapshot = try HostSnapshot.read(from: host, parts: .topology)
        try #require(!snapshot.devices.isEmpty)
        var seen: Set<String> = []
        for device in snapshot.devices {
            let identity = try #require(snapshot.stableIdentity(of: device), "\(device.address)").description
            #expect(seen.insert(identity).inserted, "\(identity) is \(device.address)'s and another's")
            #expect(StableIdentity(identity)?.description == identity)
            #expect(try DeviceSelector(identity).devices(in: snapshot).map(\.address) == [device.address])
        }
    }

    @Test(
        "every device has an identity of its own",
        .enabled(if: areFixturesHere, "needs ../shared/fixtures beside the package"), arguments: captures)
    func identities(capture: String) throws {
        try everyIdentityIsOneDevice(on: unpack(capture))
    }

    @Test(
        "so has each of the 281 of a DGX A100, up to nine bridges deep",
        .enabled(if: areFixturesHere, "needs ../shared/fixtures beside the package"))
    func deepTopology() throws {
        let text = output(of: "cat '\(fixtures)/umockdev/NVIDIA_DGXA100.pci.umockdev'").text
        for record in text.split(separator: "P: ") {
            let lines = record.split(separator: "\n")
            let path = "sys" + lines[0]
            let address = String(lines[0].split(separator: "/").last ?? "")
            let event = lines.filter { $0.hasPrefix("E: PCI_") }.map { $0.dropFirst(3) + "\n" }.joined()
            tree(path, address, event)
        }
        let host = try CapturedDirectory(directory.path)
        try everyIdentityIsOneDevice(on: host)
        let snapshot = try HostSnapshot.read(from: host, parts: .topology)
        #expect(snapshot.devices.count == 281)
        #expect(snapshot.devices.compactMap { $0.topology?.bridges.count }.max() == 9)
        #expect(Set(snapshot.devices.compactMap { $0.topology?.rootBus }).count > 1)
    }

    private func tree(_ path: String, _ address: String, _ event: String) {
        directory.file(path + "/uevent", event)
        directory.link("sys/bus/pci/devices/\(address)", to: "../../../" + path.dropFirst("sys/".count))
    }

    @Test(
        "a laptop's groups, captured without configuration space, are explained as far as they can be, and no further",
        .enabled(if: areFixturesHere, "needs ../shared/fixtures beside the package"))
    func groupsWithoutConfiguration() throws {
        let host = try unpack(captures[4])
        let snapshot = try HostSnapshot.read(from: host)
        let isolation = snapshot.isolation(on: host)
        #expect(isolation.groups.count == 15)
        #expect(isolation.groups.flatMap(\.differences) == [])
        for group in isolation.groups where (snapshot.group(group.id)?.devices.count ?? 0) > 1 {
            #expect(group.agreement == .assumed, "nothing of it could be read")
            #expect(group.causes.map(\.kind) == [.functions])
            #expect(group.causes.flatMap(\.devices) == snapshot.group(group.id)?.devices)
        }
        let integrated = try #require(isolation.group(10))
        #expect(
            integrated.agreement == .assumed, "0000:00:14.3 is apart from its siblings, which nothing shows to be right"
        )
    }
}
