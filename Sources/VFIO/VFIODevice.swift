internal import CLinux
public import LinuxIO
public import PCI

/// A device that is open through VFIO: its regions, its interrupts, and the address space it sees. Closed when the
/// owner goes, and then reset by the kernel, as it is when it is opened.
public struct VFIODevice: ~Copyable, Sendable {
    /// The name it is known by: `0000:01:00.0`.
    public let name: String
    /// Which of the kernel's two ways is used, and why.
    public let backend: BackendChoice
    /// The addresses it sees. Other devices may share it.
    public let addressSpace: IOAddressSpace
    /// What it says of itself, read when it was opened.
    public let info: DeviceInfo
    /// The open device, for what this library does not do, and for KVM.
    public let descriptor: OwnedDescriptor

    let kernel: VFIOKernel
    private let membership: GroupMembership

    /// Opens a PCI device, in an address space of its own.
    ///
    /// - Parameters:
    ///   - address: its address; it must be bound to vfio-pci or a variant of it.
    ///   - backend: which way; nil takes iommufd where it is offered, and `backend.reason` says why or why not.
    /// - Throws: `.noSuchDevice`, `.notBound`, `.notViable`, `.held`, `.notPermitted`, `.unsupported`, or what else the
    ///   kernel says. Nothing is left open then.
    public static func open(_ address: PCIAddress, backend: VFIOBackend? = nil) throws(VFIOError) -> VFIODevice {
        try open(DeviceNodes(of: address), backend: backend)
    }

    /// Opens a device, in an address space of its own.
    public static func open(_ nodes: DeviceNodes, backend: VFIOBackend? = nil) throws(VFIOError) -> VFIODevice {
        try open(nodes, backend: backend, calls: LiveKernel())
    }

    /// Opens a device, in an address space that it shares with others. Devices of one IOMMU group have to share one.
    public static func open(_ nodes: DeviceNodes, in space: IOAddressSpace) throws(VFIOError) -> VFIODevice {
        try VFIODevice(nodes, in: space, BackendChoice(space.backend, reason: "its address space is of this kind"))
    }

    static func open(
        _ nodes: DeviceNodes, backend: VFIOBackend?, calls: some KernelCalls
    ) throws(VFIOError) -> VFIODevice {
        let choice =
            backend.map { BackendChoice($0, reason: "it was asked for") }
            ?? BackendChoice.automatic(for: nodes, calls: calls)
        try nodes.checkDriver()
        let space = try IOAddressSpace(choice.backend, for: nodes.name, calls: calls)
        return try VFIODevice(nodes, in: space, choice)
    }

    private init(_ nodes: DeviceNodes, in space: IOAddressSpace, _ backend: BackendChoice) throws(VFIOError) {
        let descriptor = try space.attach(nodes)
        let membership = GroupMembership(of: space.backend == .group ? nodes.iommuGroup : nil, in: space)
        let info = try space.kernel.deviceInfo(of: descriptor.rawValue, for: nodes.name)
        // In this order they go, too: the device before its group.
        self.descriptor = descriptor
        self.membership = membership
        self.info = info
        self.backend = backend
        name = nodes.name
        addressSpace = space
        kernel = space.kernel
    }

    /// Resets the device, and nothing but it: VFIO_DEVICE_RESET. Its registers and its configuration are what they are
    /// after power-on, but for what VFIO restores. Takes 0.1 s for a function-level reset.
    ///
    /// - Throws: `.unsupported` when it cannot be reset on its own.
    public borrowing func reset() throws(VFIOError) {
        guard info.flags.contains(.reset) else {
            throw VFIOError(.unsupported, name, "the device has no way to be reset on its own")
        }
        try kernel.call(.reset, on: descriptor.rawValue, for: name)
    }
}

/// A device's part in holding its group; given back when it goes.
struct GroupMembership: ~Copyable, Sendable {
    private let group: Int?
    private let space: IOAddressSpace

    init(of group: Int?, in space: IOAddressSpace) {
        self.group = group
        self.space = space
    }

    deinit { space.leave(group) }
}

extension VFIOKernel {
    func deviceInfo(of device: CInt, for name: String) throws(VFIOError) -> DeviceInfo {
        let answer = try information(.getInfo, on: device, vfio_device_info(), for: name)
        do {
            return try DeviceInfo(answer: answer)
        } catch {
            throw VFIOError(.malformedAnswer, name, "\(Request.getInfo.name): \(error.reason)")
        }
    }
}
