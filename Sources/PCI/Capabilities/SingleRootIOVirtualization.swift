/// Single Root I/O Virtualization: virtual functions (PCI Express 9.3.3; `PCI_SRIOV_…` in linux/pci_regs.h).
public struct SingleRootIOVirtualization: Hashable, Sendable {
    /// The virtual functions exist (`PCI_SRIOV_CTRL_VFE`).
    public let isEnabled: Bool
    /// Their memory regions answer (`PCI_SRIOV_CTRL_MSE`).
    public let memoryEnabled: Bool
    /// Their routing ids may take a function number above 7 (`PCI_SRIOV_CTRL_ARI`).
    public let ariHierarchy: Bool
    /// Migration of virtual functions is supported, which nobody built (`PCI_SRIOV_CAP_VFM`).
    public let migration: Bool
    /// The vector for migration's interrupt (`PCI_SRIOV_CAP_INTR`).
    public let interruptMessage: Int
    /// Virtual functions that are there at first (`PCI_SRIOV_INITIAL_VF`).
    public let initialVFs: Int
    /// The most there can be (`PCI_SRIOV_TOTAL_VF`).
    public let totalVFs: Int
    /// How many there are now, or would be if enabled (`PCI_SRIOV_NUM_VF`).
    public let numVFs: Int
    /// The function whose drivers this one's depends on; its own number where none (`PCI_SRIOV_FUNC_LINK`).
    public let dependencyLink: Int
    /// The routing id of the first virtual function, minus that of this one (`PCI_SRIOV_VF_OFFSET`). Where the device
    /// makes it depend on `ariHierarchy` or `numVFs`, it is what holds now.
    public let firstVFOffset: Int
    /// From one virtual function's routing id to the next (`PCI_SRIOV_VF_STRIDE`).
    public let vfStride: Int
    /// The device id of every virtual function (`PCI_SRIOV_VF_DID`).
    public let vfDeviceID: UInt16
    /// The sizes of page that regions can be aligned to, in bytes (`PCI_SRIOV_SUP_PGSIZE`).
    public let supportedPageSizes: [UInt64]
    /// The size that they are aligned to now, in bytes; 0 where the register is (`PCI_SRIOV_SYS_PGSIZE`).
    public let systemPageSize: UInt64
    /// The regions of the virtual functions, one after the other from these addresses on (`PCI_SRIOV_BAR`).
    public let vfRegions: [BaseAddress]

    init?(_ registers: Registers) {
        guard registers.reaches(0x40) else { return nil }
        let capabilities = registers.long(0x04)
        let control = registers.word(0x08)
        migration = capabilities.bit(0)
        interruptMessage = capabilities.bits(21...31)
        isEnabled = control.bit(0)
        memoryEnabled = control.bit(3)
        ariHierarchy = control.bit(4)
        initialVFs = Int(registers.word(0x0c))
        totalVFs = Int(registers.word(0x0e))
        numVFs = Int(registers.word(0x10))
        dependencyLink = Int(registers.byte(0x12))
        firstVFOffset = Int(registers.word(0x14))
        vfStride = Int(registers.word(0x16))
        vfDeviceID = registers.word(0x1a)
        let supported = registers.long(0x1c)
        supportedPageSizes = (0..<32).filter(supported.bit).map { 4096 << UInt64($0) }
        systemPageSize = UInt64(registers.long(0x20)) << 12
        vfRegions = BaseAddress.all(in: stride(from: 0x24, to: 0x3c, by: 4).map(registers.long))
    }

    /// Where the virtual function of that index sits, if the physical function sits at `address`; nil when the routing
    /// id would be past the last bus of the domain, or when the device has not so many.
    public func address(ofVF index: Int, of address: PCIAddress) -> PCIAddress? {
        guard (0..<totalVFs).contains(index) else { return nil }
        let routingID = Int(address.routingID) + firstVFOffset + index * vfStride
        return UInt16(exactly: routingID).map { PCIAddress(domain: address.domain, routingID: $0) }
    }
}
