internal import LinuxIO

/// Which of the kernel's two ways of giving a device out is used.
public enum VFIOBackend: String, CaseIterable, Hashable, Sendable, Codable {
    /// The IOMMU group and a container: /dev/vfio/N and /dev/vfio/vfio, with the type1v2 IOMMU. Every kernel with VFIO.
    case group
    /// The device's own node and iommufd: /dev/vfio/devices/vfioN and /dev/iommu. Linux 6.6 and newer.
    case iommufd
}

/// A backend, and why it is this one.
public struct BackendChoice: Hashable, Sendable {
    /// What is used.
    public var backend: VFIOBackend
    /// Why, as half a sentence: "/dev/iommu: No such file or directory".
    public var reason: String

    /// Makes a choice.
    public init(_ backend: VFIOBackend, reason: String) {
        self.backend = backend
        self.reason = reason
    }
}

extension BackendChoice {
    /// iommufd where the kernel offers it for this device and lets us use it, the group otherwise.
    ///
    /// Looks by opening the nodes and closing them again: that resets no device, which only binding does.
    public static func automatic(for nodes: DeviceNodes) -> BackendChoice {
        automatic(for: nodes, calls: LiveKernel())
    }

    static func automatic(for nodes: DeviceNodes, calls: some KernelCalls) -> BackendChoice {
        guard let node = nodes.deviceNode else {
            return BackendChoice(
                .group, reason: "\(nodes.name) has no node under /dev/vfio/devices (Linux 6.6 and newer, with iommufd)")
        }
        for path in [IOMMUFD.path, node] {
            do {
                _ = try calls.open(path, flags: readWrite)
            } catch {
                return BackendChoice(.group, reason: "\(path): \(error.errno)")
            }
        }
        return BackendChoice(.iommufd, reason: "\(IOMMUFD.path) and \(node) are there and may be opened")
    }
}
