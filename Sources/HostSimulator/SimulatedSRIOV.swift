internal import HostAccess
internal import PCI
internal import SystemPackage

// Virtual functions: sriov_numvfs and sriov_drivers_autoprobe.
extension SimulatedKernel {
    mutating func setAutoprobe(at path: String, to value: String) throws(Errno) {
        switch trimmed(Array(value.utf8)) {
        case "1", "y", "Y", "on": tree.put("1", at: path + "/sriov_drivers_autoprobe")
        case "0", "n", "N", "off": tree.put("0", at: path + "/sriov_drivers_autoprobe")
        default: throw .invalidArgument
        }
    }

    /// The kernel's order of answers: what is no 16-bit number (EINVAL), the same count (nothing done), a PF without a
    /// driver (ENOENT), above the limit (ERANGE), from one count to another (EBUSY).
    mutating func setVFCount(of address: PCIAddress, at path: String, to value: String) throws(Errno) {
        let text = trimmed(Array(value.utf8))
        if text.isEmpty { return }
        let number = text.hasPrefix("0x") ? UInt16(text.dropFirst(2), radix: 16) : UInt16(text)
        guard let count = number.map(Int.init) else { throw .invalidArgument }
        guard count <= Int(tree.text("sriov_totalvfs", from: path) ?? "") ?? 0 else { throw .outOfRange }
        let current = Int(tree.text("sriov_numvfs", from: path) ?? "") ?? 0
        if count == current { return }
        guard let driver = boundDriver(of: address), driver != "vfio-pci" else { throw .noSuchFileOrDirectory }
        guard count == 0 || current == 0 else { throw .resourceBusy }
        if count == 0 { removeVFs(of: path, count: current) } else { try addVFs(count, of: address, at: path) }
        tree.put("\(count)", at: path + "/sriov_numvfs")
    }

    private mutating func addVFs(_ count: Int, of physicalFunction: PCIAddress, at path: String) throws(Errno) {
        guard let offset = Int(tree.text("sriov_offset", from: path) ?? ""), (1...0xffff).contains(offset),
            let stride = Int(tree.text("sriov_stride", from: path) ?? ""),
            (1...0xffff).contains(stride) || stride == 0 && count == 1,
            Int(physicalFunction.routingID) + offset + (count - 1) * stride <= Int(UInt16.max)
        else { throw .invalidArgument }
        var group = (tree.entries(Self.groups).compactMap(Int.init).max() ?? -1) + 1
        for index in 0..<count {
            let routingID = UInt16(Int(physicalFunction.routingID) + offset + index * stride)
            let address = PCIAddress(domain: physicalFunction.domain, routingID: routingID)
            addVF(address, index: index, of: path, group: group)
            group += 1
        }
    }

    private mutating func addVF(_ address: PCIAddress, index: Int, of physicalFunction: String, group: Int) {
        let path = VirtualTree.parent(of: physicalFunction) + "/\(address)"
        let virtualID = tree.text("sriov_vf_device", from: physicalFunction) ?? "ffff"
        let deviceID = virtualID.hasPrefix("0x") ? virtualID : "0x" + virtualID
        for name in ["vendor", "class", "revision", "subsystem_vendor", "subsystem_device", "numa_node"] {
            if let value = tree.text(name, from: physicalFunction) { tree.put(value, at: path + "/" + name) }
        }
        tree.put(deviceID, at: path + "/device")
        tree.put("(null)", at: path + "/driver_override")
        tree.put(vfUevent(address, path: path), at: path + "/uevent")
        tree.link(path + "/subsystem", to: Self.bus)
        tree.link(path + "/physfn", to: physicalFunction)
        tree.link("\(physicalFunction)/virtfn\(index)", to: path)
        tree.link("\(Self.bus)/devices/\(address)", to: path)
        if tree.linkName("iommu_group", from: physicalFunction) != nil {
            tree.link(path + "/iommu_group", to: "\(Self.groups)/\(group)")
            tree.link("\(Self.groups)/\(group)/devices/\(address)", to: path)
            tree.put("0x00000000fee00000 0x00000000feefffff msi", at: "\(Self.groups)/\(group)/reserved_regions")
        }
        devices[address] = path
        // A VF whose driver refuses it exists all the same, without one.
        if tree.text("sriov_drivers_autoprobe", from: physicalFunction) != "0" { try? probe(address) }
    }

    private func vfUevent(_ address: PCIAddress, path: String) -> String {
        func digits(_ name: String) -> String {
            (tree.text(name, from: path).map { $0.hasPrefix("0x") ? String($0.dropFirst(2)) : $0 } ?? "0").uppercased()
        }
        return """
            PCI_CLASS=\(String(Int(digits("class"), radix: 16) ?? 0, radix: 16, uppercase: true))
            PCI_ID=\(digits("vendor")):\(digits("device"))
            PCI_SUBSYS_ID=\(digits("subsystem_vendor")):\(digits("subsystem_device"))
            PCI_SLOT_NAME=\(address)
            """
    }

    private mutating func removeVFs(of physicalFunction: String, count: Int) {
        for index in 0..<count {
            let link = "\(physicalFunction)/virtfn\(index)"
            if let address = tree.linkName(link).flatMap({ PCIAddress($0) }), let path = devices[address] {
                unbind(address)
                if let group = tree.linkName("iommu_group", from: path) { tree.remove("\(Self.groups)/\(group)") }
                tree.remove("\(Self.bus)/devices/\(address)")
                tree.remove(path)
                devices[address] = nil
            }
            tree.remove(link)
        }
    }
}
