internal import HostAccess
internal import Readiness
internal import Testing

@Suite("The manual's FINDINGS")
struct ManualTests {
    @Test("have an entry for each finding, in the order of the code, and no other")
    func entries() throws {
        let package = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let manual = try CapturedDirectory(package).text("/Man/vfioctl.8")
        let section = manual.split(separator: "\n").drop { $0 != ".Sh FINDINGS" }.dropFirst().prefix {
            !$0.hasPrefix(".Sh ")
        }
        let entries = section.filter { $0.hasPrefix(".It Cm ") }.map { String($0.dropFirst(".It Cm ".count)) }
        #expect(entries == Finding.Subject.allCases.map(\.rawValue))
    }

    @Test("go by names that stay, for scripts: one may be added, none may change")
    func names() {
        #expect(
            Finding.Subject.allCases.map(\.rawValue) == [
                "iommu", "groups", "translation", "interrupt-remapping", "posted-interrupts", "vfio-pci", "iommufd",
                "container", "cdev", "noiommu", "lockdown", "secure-boot", "kvm", "nested", "access",
                "node-permissions",
                "memlock", "memlock-group", "memlock-iommufd", "dma-entries", "guest-memory", "huge-pages", "vf-owner",
                "driver-owner", "interrupt-owner", "device-kind", "device-group", "device-viable", "device-unused",
                "device-reserved-memory", "device-driver", "device-reset", "device-boot-vga", "device-numa",
                "device-vf-buses", "device-node", "device-attributes",
            ])
    }
}
