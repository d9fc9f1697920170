internal import LinuxIO
internal import PCI
internal import SystemPackage
internal import Testing

@testable internal import VFIO

@Suite("Opening a device")
struct OpeningTests {
    @Test("through its group makes the requests in the order that the kernel wants")
    func group() throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(.group)
        #expect(device.name == ScriptedKernel.name)
        #expect(device.backend == BackendChoice(.group, reason: "it was asked for"))
        #expect(
            kernel.requests.prefix(7) == [
                "VFIO_GET_API_VERSION", "VFIO_CHECK_EXTENSION", "VFIO_GROUP_GET_STATUS", "VFIO_GROUP_SET_CONTAINER",
                "VFIO_SET_IOMMU", "VFIO_GROUP_GET_DEVICE_FD", "VFIO_IOMMU_GET_INFO",
            ])
        #expect(try kernel.argument(of: "VFIO_SET_IOMMU") == [3])
        #expect(try kernel.argument(of: "VFIO_GROUP_GET_DEVICE_FD") == Array(ScriptedKernel.name.utf8))
        #expect(kernel.made.first { $0.request == "VFIO_GROUP_SET_CONTAINER" }?.path == "/dev/vfio/12")
        #expect(device.info.flags == [.pci, .reset])
    }

    @Test("through its own node binds it to a fresh iommufd and attaches it to a fresh address space")
    func iommufd() throws {
        let kernel = ScriptedKernel()
        let device = try kernel.open(.iommufd)
        #expect(device.backend.backend == .iommufd)
        #expect(
            kernel.requests.prefix(4) == [
                "IOMMU_IOAS_ALLOC", "VFIO_DEVICE_BIND_IOMMUFD", "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
                "IOMMU_IOAS_IOVA_RANGES",
            ])
        let bind = try kernel.argument(of: "VFIO_DEVICE_BIND_IOMMUFD")
        #expect(bind.load(UInt32.self, at: 4) == 0)
        #expect(bind.load(Int32.self, at: 8) == device.addressSpace.descriptor.rawValue)
        let attach = try kernel.argument(of: "VFIO_DEVICE_ATTACH_IOMMUFD_PT")
        #expect(attach.load(UInt32.self, at: 8) == 77)
    }

    @Test("takes iommufd by itself where it is offered, and says why it does not where it does not")
    func automatic() throws {
        let modern = ScriptedKernel()
        #expect(try modern.open(nil).backend.backend == .iommufd)

        let noIOMMUFD = ScriptedKernel { $0.unopenable["/dev/iommu"] = .noSuchFileOrDirectory }
        let byGroup = try noIOMMUFD.open(nil)
        #expect(byGroup.backend == BackendChoice(.group, reason: "/dev/iommu: No such file or directory"))

        let noNode = ScriptedKernel { $0.directories["/sys/bus/pci/devices/0000:01:00.0/vfio-dev"] = nil }
        let old = try noNode.open(nil)
        #expect(old.backend.backend == .group)
        #expect(old.backend.reason.contains("no node under /dev/vfio/devices"))

        let forbidden = ScriptedKernel { $0.unopenable["/dev/vfio/devices/vfio0"] = .permissionDenied }
        #expect(try forbidden.open(nil).backend.reason == "/dev/vfio/devices/vfio0: Permission denied")
    }

    @Test("of one group twice opens the group once, and gives it back with the last of them")
    func siblings() throws {
        let kernel = ScriptedKernel()
        let sibling = try DeviceNodes(at: "/sys/bus/pci/devices/" + ScriptedKernel.sibling, calls: kernel)
        let space = try IOAddressSpace(.group, for: "a test", calls: kernel)
        do {
            let first = try VFIODevice.open(kernel.device, in: space)
            do {
                let second = try VFIODevice.open(sibling, in: space)
                #expect(second.name == ScriptedKernel.sibling)
            }
            #expect(kernel.isOpen("/dev/vfio/12"))
            #expect(first.name == ScriptedKernel.name)
        }
        #expect(!kernel.isOpen("/dev/vfio/12"))
        #expect(kernel.requests.count { $0 == "VFIO_GROUP_SET_CONTAINER" } == 1)

        let again = try VFIODevice.open(sibling, in: space)
        #expect(again.name == ScriptedKernel.sibling)
        #expect(
            kernel.requests.count { $0 == "VFIO_SET_IOMMU" } == 2, "a container loses its IOMMU with its last group")
    }

    @Test("leaves nothing open when it fails, at whichever request")
    func failures() throws {
        let requests = [
            "VFIO_GET_API_VERSION", "VFIO_CHECK_EXTENSION", "VFIO_GROUP_GET_STATUS", "VFIO_GROUP_SET_CONTAINER",
            "VFIO_SET_IOMMU", "VFIO_GROUP_GET_DEVICE_FD", "VFIO_DEVICE_GET_INFO",
        ]
        for request in requests {
            let kernel = ScriptedKernel { $0.refused[request] = .ioError }
            let error = try refusal { try kernel.open(.group) }
            #expect(error.errno == .ioError && error.message.contains(request))
            #expect(!kernel.isOpen("/dev/vfio/12"), "\(request)")
            #expect(!kernel.isOpen("/dev/vfio/vfio"), "\(request)")
        }
        for request in ["IOMMU_IOAS_ALLOC", "VFIO_DEVICE_BIND_IOMMUFD", "VFIO_DEVICE_ATTACH_IOMMUFD_PT"] {
            let kernel = ScriptedKernel { $0.refused[request] = .ioError }
            #expect(try refusal { try kernel.open(.iommufd) }.errno == .ioError)
            #expect(!kernel.isOpen("/dev/iommu"), "\(request)")
        }
    }

    @Test(
        "that the kernel refuses is told with the request, the answer and what to do next",
        arguments: [
            (
                VFIOBackend.group, "VFIO_GROUP_SET_CONTAINER", Errno.notPermitted, VFIOError.Code.notViable,
                "whole group"
            ),
            (.group, "VFIO_SET_IOMMU", .notPermitted, .refused, "interrupt remapping"),
            (.group, "VFIO_GROUP_GET_DEVICE_FD", .resourceBusy, .held, "another process"),
            (.iommufd, "VFIO_DEVICE_BIND_IOMMUFD", .notPermitted, .notViable, "whole group"),
            (.iommufd, "VFIO_DEVICE_BIND_IOMMUFD", .invalidArgument, .held, "already"),
            (.iommufd, "VFIO_DEVICE_BIND_IOMMUFD", .resourceBusy, .held, "through its group"),
            (.iommufd, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", .invalidArgument, .held, "different address space"),
        ])
    func explained(
        backend: VFIOBackend, request: String, errno: Errno, code: VFIOError.Code, advice: String
    ) throws {
        let kernel = ScriptedKernel { $0.refused[request] = errno }
        let error = try refusal { try kernel.open(backend) }
        #expect(error.code == code)
        #expect(error.errno == errno)
        #expect(error.description.hasPrefix("0000:01:00.0: \(request): \(errno): "))
        #expect(error.description.contains(advice))
    }

    @Test("whose group is not viable names the member and its driver", arguments: VFIOBackend.allCases)
    func notViable(backend: VFIOBackend) throws {
        let kernel = ScriptedKernel { script in
            let members = "/sys/kernel/iommu_groups/12/devices"
            script.directories[members] = ["0000:01:00.0", "0000:01:00.1", "0000:00:1c.0", "0000:01:00.2"]
            script.links["\(members)/0000:01:00.0/driver"] = "vfio-pci"
            script.links["\(members)/0000:01:00.1/driver"] = "e1000"
            script.links["\(members)/0000:00:1c.0/driver"] = "pcieport"
            script.isViable = false
            script.refused["VFIO_DEVICE_BIND_IOMMUFD"] = .notPermitted
        }
        let error = try refusal { try kernel.open(backend) }
        #expect(error.code == .notViable)
        #expect(
            error.description
                == "0000:01:00.0: its IOMMU group 12 is not viable (0000:01:00.1 is bound to e1000): "
                + "bind the whole group (vfioctl bind --group)")
    }

    @Test("that is held, forbidden, not bound or not there says which")
    func nodes() throws {
        let held = ScriptedKernel { $0.unopenable["/dev/vfio/12"] = .resourceBusy }
        #expect(try refusal { try held.open(.group) }.code == .held)

        let forbidden = ScriptedKernel { $0.unopenable["/dev/vfio/devices/vfio0"] = .permissionDenied }
        #expect(try refusal { try forbidden.open(.iommufd) }.code == .notPermitted)

        let unbound = ScriptedKernel { script in
            script.directories["/sys/bus/pci/devices/0000:01:00.0/vfio-dev"] = nil
            script.links["/sys/bus/pci/devices/0000:01:00.0/driver"] = "igb"
            script.unopenable["/dev/vfio/12"] = .noSuchFileOrDirectory
        }
        for backend in VFIOBackend.allCases {
            let error = try refusal { try unbound.open(backend) }
            #expect(error.code == .notBound)
            #expect(
                error.description
                    == "0000:01:00.0: it is bound to igb, which is no VFIO driver: "
                    + "bind it first (vfioctl bind 0000:01:00.0)")
        }

        let withoutVFIO = ScriptedKernel { script in
            script.directories["/sys/bus/pci/devices/0000:01:00.0/vfio-dev"] = nil
            script.links["/sys/bus/pci/devices/0000:01:00.0/driver"] = nil
            script.unopenable["/dev/vfio/vfio"] = .noSuchFileOrDirectory
        }
        let driverless = try refusal { try withoutVFIO.open(nil) }
        #expect(driverless.code == .notBound, "that nothing is bound comes before what the kernel lacks")

        let noIOMMU = ScriptedKernel { $0.links["/sys/bus/pci/devices/0000:01:00.0/iommu_group"] = nil }
        for backend in VFIOBackend.allCases {
            #expect(try refusal { try noIOMMU.open(backend) }.code == .unsupported)
        }

        let address = try #require(PCIAddress("0000:02:00.0"))
        let absent = try refusal { try DeviceNodes(of: address, calls: ScriptedKernel()) }
        #expect(absent.code == .noSuchDevice)
    }

    @Test("on a kernel without type1v2, or of another version, is refused")
    func otherKernels() throws {
        let kernel = ScriptedKernel { $0.refused["VFIO_CHECK_EXTENSION"] = .inappropriateIOCTLForDevice }
        #expect(try refusal { try kernel.open(.group) }.code == .unsupported)
        let noModule = ScriptedKernel { $0.unopenable["/dev/vfio/vfio"] = .noSuchFileOrDirectory }
        let error = try refusal { try noModule.open(.group) }
        #expect(error.code == .unsupported)
        #expect(
            error.description
                == "0000:01:00.0: could not open /dev/vfio/vfio: No such file or directory: "
                + "the vfio module is not loaded: modprobe vfio-pci")
    }

    @Test("and resetting it asks the kernel only when the device can be")
    func reset() throws {
        let kernel = ScriptedKernel()
        try kernel.open(.group).reset()
        #expect(kernel.requests.last == "VFIO_DEVICE_RESET")

        let fixed = ScriptedKernel { $0.deviceFlags = 2 }
        let device = try fixed.open(.iommufd)
        #expect(try refusal { try device.reset() }.code == .unsupported)
        #expect(!fixed.requests.contains("VFIO_DEVICE_RESET"))
    }
}
