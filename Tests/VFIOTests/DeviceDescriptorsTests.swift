internal import Glibc
internal import LinuxIO
internal import SystemPackage
internal import Testing

@testable internal import VFIO

@Suite("Descriptors for a hand-off")
struct DeviceDescriptorsTests {
    private func both(_ kernel: ScriptedKernel) throws -> [DeviceNodes] {
        [
            try kernel.device,
            try DeviceNodes(at: "/sys/bus/pci/devices/" + ScriptedKernel.sibling, calls: kernel),
        ]
    }

    @Test("unbound opens each device and an iommufd, and asks nothing of either")
    func unbound() throws {
        let kernel = ScriptedKernel()
        let handOff = try DeviceDescriptors(both(kernel), .unbound, calls: kernel)
        #expect(handOff.deviceDescriptors.count == 2 && handOff.iommufd != nil)
        #expect(handOff.addressSpaceID == nil && handOff.container == nil && handOff.groupDescriptors == [])
        #expect(kernel.made == [])
    }

    @Test("attached binds each device to one iommufd and attaches it to one address space")
    func attached() throws {
        let kernel = ScriptedKernel()
        let handOff = try DeviceDescriptors(both(kernel), .attached, calls: kernel)
        #expect(handOff.addressSpaceID == 77)
        #expect(
            kernel.requests == [
                "IOMMU_IOAS_ALLOC", "VFIO_DEVICE_BIND_IOMMUFD", "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
                "VFIO_DEVICE_BIND_IOMMUFD", "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
            ])
    }

    @Test("through groups opens a group once for all of its devices")
    func group() throws {
        let kernel = ScriptedKernel()
        let handOff = try DeviceDescriptors(both(kernel), .group, calls: kernel)
        #expect(handOff.container != nil && handOff.iommufd == nil)
        #expect(handOff.groupDescriptors.count == 2)
        #expect(Set(handOff.groupDescriptors).count == 1)
        #expect(kernel.requests.count { $0 == "VFIO_GROUP_SET_CONTAINER" } == 1)
    }

    @Test("that fails at the second device leaves nothing open of the first")
    func failure() throws {
        let kernel = ScriptedKernel { $0.unopenable["/dev/vfio/devices/vfio1"] = .permissionDenied }
        let error = try refusal { try DeviceDescriptors(both(kernel), .unbound, calls: kernel) }
        #expect(error.code == .notPermitted && error.subject == ScriptedKernel.sibling)
        #expect(!kernel.isOpen("/dev/iommu"))
    }

    @Test("closes its descriptors when it goes, and leaves them open when it is released")
    func release() throws {
        let kernel = ScriptedKernel()
        do { _ = try DeviceDescriptors(both(kernel), .unbound, calls: kernel).devices }
        #expect(!kernel.isOpen("/dev/iommu"))
        let handOff = try DeviceDescriptors(both(kernel), .unbound, calls: kernel)
        let iommufd = try #require(handOff.iommufd as CInt?)
        let numbers = handOff.deviceDescriptors + [iommufd]
        handOff.release()
        #expect(kernel.isOpen("/dev/iommu"))
        for number in numbers { close(number) }
    }
}
