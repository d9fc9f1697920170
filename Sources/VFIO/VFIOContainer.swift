internal import CLinux
internal import LinuxIO
internal import PCI

/// The older way: a container that holds the mappings, and IOMMU groups put into it. One function a request.
struct VFIOContainer {
    static let path = "/dev/vfio/vfio"

    let kernel: VFIOKernel

    /// A new container, once the kernel has said that it speaks this version and has the type1v2 IOMMU.
    ///
    /// - Parameter subject: what it is for, in errors.
    func open(for subject: String) throws(VFIOError) -> OwnedDescriptor {
        let container = try kernel.open(Self.path, for: subject)
        let version = try kernel.call(.getAPIVersion, on: container.rawValue, for: subject)
        guard version == Int(VFIO_API_VERSION) else {
            throw VFIOError(
                .unsupported, subject, "the kernel speaks version \(version) of VFIO; this library knows 0")
        }
        let hasType1 = try kernel.call(
            .checkExtension, on: container.rawValue, value: UInt(VFIO_TYPE1v2_IOMMU), for: subject)
        guard hasType1 > 0 else {
            throw VFIOError(
                .unsupported, subject, "the kernel has no type1v2 IOMMU driver: modprobe vfio_iommu_type1")
        }
        return container
    }

    /// Opens a device's group; refuses one that is not viable, naming the members that spoil it.
    func openGroup(of nodes: DeviceNodes) throws(VFIOError) -> OwnedDescriptor {
        guard let id = nodes.iommuGroup, let path = nodes.groupNode else { throw Self.noGroup(nodes) }
        let group: OwnedDescriptor
        do {
            group = try kernel.open(path, for: nodes.name)
        } catch {
            // The group's node is there as soon as one of its devices is bound.
            throw error.code == .notBound ? notBound(nodes, instead: error) : error
        }
        var status = vfio_group_status()
        status.argsz = UInt32(MemoryLayout<vfio_group_status>.size)
        try kernel.call(.groupGetStatus, on: group.rawValue, &status, for: nodes.name)
        guard status.flags & UInt32(VFIO_GROUP_FLAGS_VIABLE) != 0 else {
            throw VFIOError(
                .notViable, nodes.name,
                "its IOMMU group \(id) is not viable\(kernel.spoilers(of: id)): "
                    + "bind the whole group (vfioctl bind --group)"
            )
        }
        return group
    }

    /// Puts a group into a container.
    func add(_ group: borrowing OwnedDescriptor, to container: CInt, for nodes: DeviceNodes) throws(VFIOError) {
        var container = container
        try kernel.call(.groupSetContainer, on: group.rawValue, &container, for: nodes.name)
    }

    /// Gives the container its IOMMU; it must hold a group by then.
    func setIOMMU(of container: CInt, for nodes: DeviceNodes) throws(VFIOError) {
        try kernel.call(.setIOMMU, on: container, value: UInt(VFIO_TYPE1v2_IOMMU), for: nodes.name)
    }

    /// Opens a device of a group: this resets it.
    func openDevice(_ nodes: DeviceNodes, in group: CInt) throws(VFIOError) -> OwnedDescriptor {
        var name = Array(nodes.name.utf8) + [0]
        do {
            return OwnedDescriptor(
                adopting: CInt(try kernel.call(.groupGetDevice, on: group, bytes: &name, for: nodes.name)))
        } catch {
            throw error.code == .notBound ? notBound(nodes, instead: error) : error
        }
    }

    /// Which addresses the container takes.
    func capabilities(of container: CInt, for subject: String) throws(VFIOError) -> IOVACapabilities {
        var request = vfio_iommu_type1_info()
        request.argsz = UInt32(MemoryLayout<vfio_iommu_type1_info>.size)
        let answer = try kernel.information(.containerGetInfo, on: container, request, for: subject)
        let info = answer.header(vfio_iommu_type1_info.self)
        let sizes = info.flags & UInt32(VFIO_IOMMU_INFO_PGSIZES) != 0 ? info.iova_pgsizes : 0
        let smallest = sizes == 0 ? UInt64(MemoryMapping.Pages.ordinary.size) : 1 << sizes.trailingZeroBitCount
        var result = IOVACapabilities(ranges: [], alignment: smallest)
        do throws(BrokenChain) {
            guard info.flags & UInt32(VFIO_IOMMU_INFO_CAPS) != 0 else { throw BrokenChain("no list of addresses") }
            let chain = try InfoCapability.chain(
                in: answer, from: info.cap_offset, after: MemoryLayout<vfio_iommu_type1_info>.size)
            for capability in chain {
                switch Int32(capability.id) {
                case VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE:
                    for (start, last) in try capability.pairs() {
                        guard let range = IOVARange(start: start, last: last) else {
                            throw BrokenChain("a range of addresses that ends before it begins")
                        }
                        result.ranges.append(range)
                    }
                case VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL where capability.content.count >= 4:
                    result.availableMappings = capability.content.load(at: 0)
                default:
                    break
                }
            }
        } catch {
            throw VFIOError(.malformedAnswer, subject, "\(Request.containerGetInfo.name): \(error.reason)")
        }
        return result
    }

    /// Maps memory of this process for every device of the container.
    func map(_ memory: UnsafeRawBufferPointer, at iova: UInt64, _ access: DMAAccess, in container: CInt)
        throws(VFIOError)
    {
        var flags: UInt32 = 0
        if access.contains(.read) { flags |= UInt32(VFIO_DMA_MAP_FLAG_READ) }
        if access.contains(.write) { flags |= UInt32(VFIO_DMA_MAP_FLAG_WRITE) }
        var request = vfio_iommu_type1_dma_map(
            argsz: UInt32(MemoryLayout<vfio_iommu_type1_dma_map>.size), flags: flags,
            vaddr: UInt64(UInt(bitPattern: memory.baseAddress)), iova: iova, size: UInt64(memory.count))
        try kernel.call(.containerMap, on: container, &request, for: Self.path)
    }

    /// Takes mappings away. Returns how many bytes were mapped.
    func unmap(_ range: IOVARange, in container: CInt) throws(VFIOError) -> UInt64 {
        var request = vfio_iommu_type1_dma_unmap()
        request.argsz = UInt32(MemoryLayout<vfio_iommu_type1_dma_unmap>.size)
        request.iova = range.start
        request.size = range.count ?? 0
        try kernel.call(.containerUnmap, on: container, &request, for: Self.path)
        return request.size
    }

    static func noGroup(_ nodes: DeviceNodes) -> VFIOError {
        VFIOError(
            .unsupported, nodes.name,
            "no IOMMU translates for it, it is in no IOMMU group: turn the IOMMU on (firmware setup, intel_iommu=on)")
    }

    private func notBound(_ nodes: DeviceNodes, instead error: VFIOError) -> VFIOError {
        guard nodes.driver.map({ !isVFIODriver($0) }) ?? true else { return error }
        return VFIOError(.notBound, nodes.name, nodes.notBoundMessage, errno: error.errno)
    }
}

/// vfio-pci, its variants (mlx5_vfio_pci, nvgrace_gpu_vfio_pci) and vfio-mdev's kind all have it in their names.
func isVFIODriver(_ name: String) -> Bool { name.contains("vfio") }

extension DeviceNodes {
    /// Refuses a PCI device that is plainly not there to be opened. (A mediated device's driver need not have a telling
    /// name, and the kernel decides.)
    func checkDriver() throws(VFIOError) {
        guard deviceNode == nil, PCIAddress(name) != nil, driver.map({ !isVFIODriver($0) }) ?? true else { return }
        throw VFIOError(.notBound, name, notBoundMessage)
    }

    /// Why nothing can be opened, when it is so.
    var notBoundMessage: String {
        let state = driver.map { "it is bound to \($0), which is no VFIO driver" } ?? "it is bound to no driver"
        return "\(state): bind it first (vfioctl bind \(name))"
    }
}

extension VFIOKernel {
    /// The members of a group that a host driver holds, as a clause for a sentence; empty when none is seen.
    ///
    /// The kernel's rule (`iommu_group_claim_dma_owner`): members without a driver, on a VFIO driver, on pci-stub or on
    /// pcieport do no harm.
    func spoilers(of group: Int) -> String {
        let members = calls.entries("/sys/kernel/iommu_groups/\(group)/devices") ?? []
        let spoilers = members.sorted().compactMap { member -> String? in
            guard let driver = calls.linkName("/sys/kernel/iommu_groups/\(group)/devices/\(member)/driver"),
                !isVFIODriver(driver), driver != "pci-stub", driver != "pcieport"
            else { return nil }
            return "\(member) is bound to \(driver)"
        }
        return spoilers.isEmpty ? "" : " (" + spoilers.joined(separator: ", ") + ")"
    }
}
