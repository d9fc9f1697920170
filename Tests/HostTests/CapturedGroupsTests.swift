internal import Glibc
internal import Host
internal import HostAccess
internal import TestSupport
internal import Testing

/// The captures that are kept with the project, made in the lab.
private let fixtures = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fixtures"
private let captures = output(of: "cd '\(fixtures)' 2>/dev/null && ls -d */").text.split(separator: "\n")
    .map { String($0.dropLast()) }

@Suite("Groups and identities of the captures that are kept here")
struct CapturedGroupsTests {
    @Test("every group is worked out to be the kernel's, from the capture alone", arguments: captures)
    func groups(capture: String) throws {
        let host = try CapturedDirectory(fixtures + "/" + capture)
        let snapshot = try HostSnapshot.read(from: host)
        let isolation = snapshot.isolation(on: host)
        #expect(isolation.groups.count > 20)
        for group in isolation.groups {
            #expect(group.agreement == .computed, "group \(group.id): \(group.differences) \(group.unread)")
            #expect(group.iommu?.addressBits == 48)
        }
        let shared = snapshot.groups.filter { $0.devices.count > 1 }
        #expect(shared.count >= 2)
        #expect(shared.allSatisfy { isolation.group($0.id)?.causes.isEmpty == false }, "each has a reason")
    }

    @Test("every device is found by its identity", arguments: captures)
    func identities(capture: String) throws {
        let host = try CapturedDirectory(fixtures + "/" + capture)
        let snapshot = try HostSnapshot.read(from: host)
        for device in snapshot.devices {
            let identity = try #require(snapshot.stableIdentity(of: device)).description
            #expect(try DeviceSelector(identity).devices(in: snapshot, on: host).map(\.address) == [device.address])
        }
    }
}
