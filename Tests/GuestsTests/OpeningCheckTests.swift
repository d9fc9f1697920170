import Changes
import Guests
import Host
import Testing
import VFIO

@Suite("Before a device is opened")
struct OpeningCheckTests {
    @Test("one on vfio-pci, in a viable group, that nobody holds may be opened", arguments: VFIOBackend.allCases)
    func free(backend: VFIOBackend) {
        #expect(host().objectionsToOpening([igb], through: backend) == Plan())
    }

    @Test(
        "one on a host driver, or on none, is told to be bound first",
        arguments: [("igb", "igb"), (nil, "no driver"), ("pci-stub", "pci-stub")] as [(String?, String)])
    func hostDriver(driver: String?, named: String) {
        let plan = host(driver: driver).objectionsToOpening([igb], through: .iommufd)
        #expect(
            plan.obstacles.first?.contains("bound to \(named), not to a VFIO driver: vfioctl bind 0000:01:00.0") == true
        )
    }

    @Test("a group with a member on a host driver is not viable, and the member is named")
    func notViable() {
        let plan = host(siblingDriver: "e1000").objectionsToOpening([igb], through: .group)
        #expect(plan.obstacles.count == 1)
        #expect(plan.obstacles.first?.contains("group 7 is not viable: 0000:01:00.1 is bound to e1000") == true)
    }

    @Test("who holds the device is named, and so is who holds another member of its group")
    func held() {
        #expect(
            host(heldBy: "pid 12 (qemu)").objectionsToOpening([igb], through: .iommufd).refusals
                == [Refusal(device: "0000:01:00.0", by: "vfio", detail: "pid 12 (qemu)")])
        #expect(
            host(siblingHeldBy: "pid 12 (qemu)").objectionsToOpening([igb], through: .group).refusals
                == [Refusal(device: "0000:01:00.1", by: "vfio", detail: "pid 12 (qemu)")])
        #expect(
            host(siblingHeldBy: "pid 12 (qemu)").objectionsToOpening([igb], through: .iommufd, besides: [sibling])
                .refusals.isEmpty)
    }

    @Test("both devices of one group are looked at once")
    func twoOfAGroup() {
        let plan = host(heldBy: "pid 12").objectionsToOpening([igb, sibling], through: .group)
        #expect(plan.refusals.count == 1)
    }

    @Test("without a node of its own a device is open to the group backend alone")
    func noCdev() {
        #expect(host(cdev: nil).objectionsToOpening([igb], through: .group) == Plan())
        let plan = host(cdev: nil).objectionsToOpening([igb], through: .iommufd)
        #expect(plan.obstacles.first?.contains("--backend group") == true)
    }

    @Test("without an IOMMU group nothing can be opened by the group backend")
    func noGroup() {
        #expect(host(group: nil).objectionsToOpening([igb], through: .group).obstacles.count == 1)
    }

    @Test("a device that went meanwhile is said to have gone")
    func gone() {
        let plan = host().objectionsToOpening([address("0000:ff:00.0")], through: .iommufd)
        #expect(plan.obstacles == ["there is no device 0000:ff:00.0 any more"])
    }
}
