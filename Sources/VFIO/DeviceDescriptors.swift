internal import LinuxIO

/// Devices opened to be handed off to another program, such as a virtual machine monitor: descriptors and nothing
/// else. All are closed when the owner goes, unless they were released.
public struct DeviceDescriptors: ~Copyable, Sendable {
    /// How far the devices are prepared.
    public enum Preparation: Hashable, Sendable {
        /// The device's node opened, not bound, beside a fresh iommufd: what QEMU takes, which binds it itself.
        case unbound
        /// Bound to the iommufd and attached to one fresh address space in it.
        case attached
        /// Opened through its group, which is in one fresh container. A program gets the group's and the container's
        /// descriptors beside the device's. QEMU takes none of these.
        case group
    }

    /// How far the devices are prepared.
    public let preparation: Preparation
    /// The devices, in the order asked for.
    public let devices: [DeviceNodes]
    /// Each device's descriptor, in that order.
    public let deviceDescriptors: [CInt]
    /// The iommufd; nil with groups.
    public let iommufd: CInt?
    /// The id of the address space in the iommufd, when attached.
    public let addressSpaceID: UInt32?
    /// The container, with groups.
    public let container: CInt?
    /// Each device's group's descriptor, with groups; devices of one group have the same one. Empty otherwise.
    public let groupDescriptors: [CInt]

    private let descriptors: OwnedDescriptors

    /// Opens devices for a hand-off. When one fails, none is left open.
    public static func open(_ devices: [DeviceNodes], _ preparation: Preparation) throws(VFIOError) -> DeviceDescriptors
    {
        try DeviceDescriptors(devices, preparation, calls: LiveKernel())
    }

    init(_ devices: [DeviceNodes], _ preparation: Preparation, calls: any KernelCalls) throws(VFIOError) {
        let kernel = VFIOKernel(calls: calls)
        var opened = OwnedDescriptors()
        var numbers: [CInt] = []
        var groups: [CInt] = []
        var iommufd: CInt?
        var container: CInt?
        var ioas: UInt32?
        let subject = devices.map(\.name).joined(separator: ", ")
        for nodes in devices { try nodes.checkDriver() }
        switch preparation {
        case .unbound, .attached:
            let backend = IOMMUFD(kernel: kernel)
            let number = opened.append(try backend.open(for: subject))
            let space = preparation == .attached ? try backend.allocateAddressSpace(in: number) : nil
            for nodes in devices {
                let device = try backend.openDevice(nodes)
                if let space {
                    try backend.bind(device, to: number, for: nodes)
                    try backend.attach(device, to: space, for: nodes)
                }
                numbers.append(opened.append(device))
            }
            (iommufd, ioas) = (number, space)
        case .group:
            let backend = VFIOContainer(kernel: kernel)
            let number = opened.append(try backend.open(for: subject))
            var known: [Int: CInt] = [:]
            for nodes in devices {
                let group: CInt
                if let id = nodes.iommuGroup, let number = known[id] {
                    group = number
                } else {
                    let descriptor = try backend.openGroup(of: nodes)
                    try backend.add(descriptor, to: number, for: nodes)
                    if known.isEmpty { try backend.setIOMMU(of: number, for: nodes) }
                    group = opened.append(descriptor)
                    if let id = nodes.iommuGroup { known[id] = group }
                }
                groups.append(group)
                numbers.append(opened.append(try backend.openDevice(nodes, in: group)))
            }
            container = number
        }
        self.preparation = preparation
        self.devices = devices
        self.iommufd = iommufd
        self.container = container
        deviceDescriptors = numbers
        groupDescriptors = groups
        addressSpaceID = ioas
        descriptors = opened
    }

    /// Gives up ownership without closing: the numbers stay open, for the program that this process becomes.
    ///
    /// They are close-on-exec until that is taken off them.
    public consuming func release() {
        _ = descriptors.release()
    }
}
