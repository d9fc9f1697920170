internal import SystemPackage

// What a refusal means and what to do next, per request and errno, as measured on Linux 6.12 and read in its source.
extension VFIOKernel {
    /// Why a node could not be opened.
    func explain(opening path: String, for subject: String, _ errno: Errno) -> VFIOError {
        let (code, advice): (VFIOError.Code, String)
        switch (errno, path) {
        case (.permissionDenied, _), (.notPermitted, _):
            (code, advice) = (.notPermitted, "run as root, or give the node to this user (chown)")
        case (.noSuchFileOrDirectory, VFIOContainer.path):
            (code, advice) = (.unsupported, "the vfio module is not loaded: modprobe vfio-pci")
        case (.noSuchFileOrDirectory, IOMMUFD.path):
            (code, advice) = (
                .unsupported, "this kernel has no iommufd, or its module is not loaded: use the group backend"
            )
        case (.noSuchFileOrDirectory, _), (.noSuchAddressOrDevice, _), (.operationNotSupportedByDevice, _):
            (code, advice) = (.notBound, "the device has left its VFIO driver: bind it again (vfioctl bind)")
        case (.resourceBusy, _):
            (code, advice) = (
                .held, "another process has it open (fuser -v \(path) names it), a virtual machine for example"
            )
        default:
            (code, advice) = (.refused, "see the kernel's log")
        }
        return VFIOError(code, subject, "could not open \(path): \(errno): \(advice)", errno: errno)
    }

    /// Why a request was refused.
    func explain(_ request: Request, for subject: String, _ errno: Errno) -> VFIOError {
        let (code, advice) = meaning(of: errno, from: request)
        return VFIOError(code, subject, "\(request.name): \(errno): \(advice)", errno: errno)
    }

    private func meaning(of errno: Errno, from request: Request) -> (VFIOError.Code, String) {
        switch (request, errno) {
        case (.groupSetContainer, .notPermitted):
            (.notViable, "the IOMMU group is not viable, a host driver has one of its devices: bind the whole group")
        case (.groupSetContainer, .resourceBusy), (.groupGetStatus, .resourceBusy):
            (.held, "another process has the group in use, or a host driver one of its devices")
        case (.setIOMMU, .notPermitted):
            (
                .refused,
                "the platform does not remap interrupts, so a device could forge them: turn interrupt remapping on; "
                    + "allow_unsafe_interrupts=1 of vfio_iommu_type1 gives this protection up"
            )
        case (.setIOMMU, .operationNotSupportedByDevice), (.setIOMMU, .invalidArgument):
            (.unsupported, "no IOMMU driver takes this group: modprobe vfio_iommu_type1")
        case (.groupGetDevice, .operationNotSupportedByDevice):
            (.notBound, "the device is bound to no VFIO driver: bind it first (vfioctl bind)")
        case (.groupGetDevice, .resourceBusy):
            (.held, "another process has the device open through its own node, with iommufd")
        case (.groupGetDevice, .permissionDenied), (.bind, .permissionDenied):
            (.notPermitted, "the physical function was opened with a VF token, and wants the same one here")
        case (.bind, .notPermitted):
            (
                .notViable,
                "the IOMMU group is not viable (a host driver has one of its devices), another iommufd has the group, "
                    + "or the platform does not remap interrupts: bind the whole group, use one iommufd for it"
            )
        case (.bind, .invalidArgument):
            (.held, "the device is bound to an iommufd already, of this process or another one")
        case (.bind, .resourceBusy):
            (.held, "another process has the device open through its group")
        case (.bind, .badFileDescriptor), (.attach, .noSuchFileOrDirectory):
            (.refused, "the descriptor is no iommufd, or has no such address space")
        case (.attach, .invalidArgument):
            (.held, "another device of its IOMMU group is attached to a different address space: use one for the group")
        case (.containerMap, .fileExists), (.ioasMap, .fileExists), (.ioasMap, .addressInUse):
            (.addressInUse, "something is mapped at these addresses already: unmap it first, or choose others")
        case (.containerMap, .noMemory), (.ioasMap, .noMemory):
            (.limitReached, "RLIMIT_MEMLOCK does not suffice: raise it (ulimit -l, LimitMEMLOCK=), or map less")
        case (.containerMap, .noSpace):
            (
                .limitReached,
                "the container has as many mappings as vfio_iommu_type1's dma_entry_limit allows: "
                    + "map fewer, larger ones"
            )
        case (.containerMap, .invalidArgument), (.ioasMap, .invalidArgument):
            (.refused, "address, memory and length must be whole pages of the IOMMU, and the addresses ones it takes")
        case (.containerMap, .badAddress), (.ioasMap, .badAddress):
            (.refused, "the memory is not mapped in this process, or not writable")
        case (.ioasUnmap, .noSuchFileOrDirectory):
            (.addressInUse, "nothing is mapped there")
        case (.containerUnmap, .invalidArgument), (.ioasUnmap, .invalidArgument):
            (.refused, "the range cuts a mapping in two: unmap what was mapped, whole")
        case (.getRegionInfo, .invalidArgument):
            (.noSuchRegion, "the device has no such region")
        case (.getInterruptInfo, .invalidArgument):
            (.noSuchInterrupt, "the device has no such interrupt")
        case (.setInterrupts, .invalidArgument):
            (.refused, "another kind of interrupt is enabled (disable it first), or the vectors are not the device's")
        case (.setInterrupts, .noSpace):
            (.limitReached, "the host has no interrupt vectors left for it")
        case (.reset, .inappropriateIOCTLForDevice), (.reset, .invalidArgument):
            (.unsupported, "the device has no way to be reset on its own")
        case (_, .inappropriateIOCTLForDevice):
            (.unsupported, "this kernel does not know the request")
        case (_, .operationNotSupportedByDevice), (_, .ioError):
            (.refused, "the device does not answer: it was removed, sleeps, or is being reset")
        default:
            (.refused, "see the kernel's log")
        }
    }
}
