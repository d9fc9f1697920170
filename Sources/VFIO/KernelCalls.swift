internal import CLinux
internal import Glibc
internal import LinuxIO

/// Everything that this library asks of the kernel but mapped registers: one narrow place, so that answers which no
/// test machine gives can be given in a test.
protocol KernelCalls: Sendable {
    /// open(2), close-on-exec.
    func open(_ path: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor

    /// ioctl(2) with a structure, or nothing: the call's result, or -errno.
    func ioctl(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer?) -> Int

    /// ioctl(2) with a number: the call's result, or -errno.
    func ioctl(_ descriptor: CInt, _ request: UInt, value: UInt) -> Int

    /// The last component of a symbolic link's target; nil when there is no such link.
    func linkName(_ path: String) -> String?

    /// The names in a directory; nil when there is no such directory.
    func entries(_ path: String) -> [String]?
}

/// The real kernel.
struct LiveKernel: KernelCalls {
    func open(_ path: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor {
        try OwnedDescriptor.open(path, flags: flags)
    }

    func ioctl(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer?) -> Int {
        unsafe clinux_ioctl(descriptor, request, argument)
    }

    func ioctl(_ descriptor: CInt, _ request: UInt, value: UInt) -> Int {
        clinux_ioctl_value(descriptor, request, value)
    }

    func linkName(_ path: String) -> String? {
        do {
            return try OwnedDescriptor.readLink(path).split(separator: "/").last.map(String.init)
        } catch {
            return nil
        }
    }

    func entries(_ path: String) -> [String]? {
        do { return try OwnedDescriptor.open(path, flags: O_RDONLY | O_DIRECTORY).entries() } catch { return nil }
    }
}

/// A VFIO or iommufd ioctl, by the name that the kernel's documentation has for it.
struct Request: Hashable, Sendable {
    let name: String
    let number: UInt

    static let checkExtension = Request(name: "VFIO_CHECK_EXTENSION", number: C_VFIO_CHECK_EXTENSION)
    static let getAPIVersion = Request(name: "VFIO_GET_API_VERSION", number: C_VFIO_GET_API_VERSION)
    static let setIOMMU = Request(name: "VFIO_SET_IOMMU", number: C_VFIO_SET_IOMMU)
    static let groupGetStatus = Request(name: "VFIO_GROUP_GET_STATUS", number: C_VFIO_GROUP_GET_STATUS)
    static let groupSetContainer = Request(name: "VFIO_GROUP_SET_CONTAINER", number: C_VFIO_GROUP_SET_CONTAINER)
    static let groupGetDevice = Request(name: "VFIO_GROUP_GET_DEVICE_FD", number: C_VFIO_GROUP_GET_DEVICE_FD)
    static let bind = Request(name: "VFIO_DEVICE_BIND_IOMMUFD", number: C_VFIO_DEVICE_BIND_IOMMUFD)
    static let attach = Request(name: "VFIO_DEVICE_ATTACH_IOMMUFD_PT", number: C_VFIO_DEVICE_ATTACH_IOMMUFD_PT)
    static let getInfo = Request(name: "VFIO_DEVICE_GET_INFO", number: C_VFIO_DEVICE_GET_INFO)
    static let getRegionInfo = Request(name: "VFIO_DEVICE_GET_REGION_INFO", number: C_VFIO_DEVICE_GET_REGION_INFO)
    static let getInterruptInfo = Request(name: "VFIO_DEVICE_GET_IRQ_INFO", number: C_VFIO_DEVICE_GET_IRQ_INFO)
    static let setInterrupts = Request(name: "VFIO_DEVICE_SET_IRQS", number: C_VFIO_DEVICE_SET_IRQS)
    static let reset = Request(name: "VFIO_DEVICE_RESET", number: C_VFIO_DEVICE_RESET)
    static let containerGetInfo = Request(name: "VFIO_IOMMU_GET_INFO", number: C_VFIO_IOMMU_GET_INFO)
    static let containerMap = Request(name: "VFIO_IOMMU_MAP_DMA", number: C_VFIO_IOMMU_MAP_DMA)
    static let containerUnmap = Request(name: "VFIO_IOMMU_UNMAP_DMA", number: C_VFIO_IOMMU_UNMAP_DMA)
    static let allocateIOAS = Request(name: "IOMMU_IOAS_ALLOC", number: C_IOMMU_IOAS_ALLOC)
    static let ioasRanges = Request(name: "IOMMU_IOAS_IOVA_RANGES", number: C_IOMMU_IOAS_IOVA_RANGES)
    static let ioasMap = Request(name: "IOMMU_IOAS_MAP", number: C_IOMMU_IOAS_MAP)
    static let ioasUnmap = Request(name: "IOMMU_IOAS_UNMAP", number: C_IOMMU_IOAS_UNMAP)
}
