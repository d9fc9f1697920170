internal import CLibPCI
internal import CLibUdev
public import Host
internal import LinuxIO
internal import PCI
internal import Synchronization

/// Names of vendors, devices and classes, from this machine's databases: udev's hardware database, or pci.ids where that
/// does not exist.
///
/// Both hold the same names. The hardware database is a trie that is mapped into memory: the first answer takes 0.3 ms and
/// further ones 0.05 ms. A plain pci.ids takes 4 million instructions to look through; libpci, 25 million to read and parse:
/// it is asked where pci.ids is compressed, or in a place that only it knows. Answers are kept, since a host has far fewer
/// kinds of devices than devices.
public final class SystemDeviceNames: DeviceNames {
    /// Which name is asked for.
    private enum Question: Hashable {
        case vendor(UInt16)
        case device(UInt16, UInt16)
        case classification(UInt16)
    }

    private struct State {
        var databases: Databases?
        var answers: [Question: String?] = [:]
    }

    private let state = Mutex(State())

    /// Opens nothing before the first name is asked for.
    public init() {}

    /// The vendor's name: `ID_VENDOR_FROM_DATABASE`, or pci.ids.
    public func vendor(_ vendorID: UInt16) -> String? { answer(.vendor(vendorID)) }

    /// The device's name: `ID_MODEL_FROM_DATABASE`, or pci.ids.
    public func device(_ vendorID: UInt16, _ deviceID: UInt16) -> String? { answer(.device(vendorID, deviceID)) }

    /// The name of base class and subclass: `ID_PCI_SUBCLASS_FROM_DATABASE`, or pci.ids.
    public func classification(_ classID: UInt32) -> String? {
        answer(.classification(UInt16(truncatingIfNeeded: classID >> 8)))
    }

    private func answer(_ question: Question) -> String? {
        state.withLock { state in
            if let known = state.answers[question] { return known }
            let databases = state.databases ?? Databases()
            state.databases = databases
            let answer: String? =
                switch question {
                case .vendor(let vendor): databases.vendor(vendor)
                case .device(let vendor, let device): databases.device(vendor, device)
                case .classification(let classAndSubclass): databases.classification(classAndSubclass)
                }
            state.answers[question] = .some(answer)
            return answer
        }
    }
}

/// The open databases. Used under the lock above only: neither library is thread-safe for one handle.
@safe private final class Databases {
    private let udev: OpaquePointer?
    private let hardware: OpaquePointer?
    private let list: NameList?
    private var pci: UnsafeMutablePointer<pci_access>?

    init() {
        unsafe udev = udev_new()
        unsafe hardware = unsafe udev.flatMap { unsafe udev_hwdb_new($0) }
        list = unsafe hardware == nil ? Self.readList() : nil
        unsafe pci = unsafe hardware == nil && list == nil ? clibpci_names() : nil
    }

    deinit {
        if let hardware = unsafe hardware { _ = unsafe udev_hwdb_unref(hardware) }
        if let udev = unsafe udev { _ = unsafe udev_unref(udev) }
        if let pci = unsafe pci { unsafe pci_cleanup(pci) }
    }

    /// pci.ids, where it lies on Debian and where it lies elsewhere.
    private static func readList() -> NameList? {
        for path in ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"] {
            do {
                let file = try OwnedDescriptor.open(path, flags: readingFlags)
                return NameList(try file.contents(limit: 64 << 20, subject: path))
            } catch {
                continue
            }
        }
        return nil
    }

    func vendor(_ vendorID: UInt16) -> String? {
        if unsafe hardware != nil { return property("ID_VENDOR_FROM_DATABASE", of: modalias(vendorID, nil)) }
        if let list { return list.vendor(vendorID) }
        return unsafe name { access, buffer, size in unsafe clibpci_vendor(access, buffer, size, CInt(vendorID)) }
    }

    func device(_ vendorID: UInt16, _ deviceID: UInt16) -> String? {
        if unsafe hardware != nil { return property("ID_MODEL_FROM_DATABASE", of: modalias(vendorID, deviceID)) }
        if let list { return list.device(vendorID, deviceID) }
        return unsafe name { access, buffer, size in
            unsafe clibpci_device(access, buffer, size, CInt(vendorID), CInt(deviceID))
        }
    }

    func classification(_ classAndSubclass: UInt16) -> String? {
        if unsafe hardware != nil {
            let digits = hexadecimal(classAndSubclass, width: 4).uppercased()
            let modalias = "pci:v*d*sv*sd*bc\(digits.prefix(2))sc\(digits.suffix(2))"
            return property("ID_PCI_SUBCLASS_FROM_DATABASE", of: modalias)
                ?? property("ID_PCI_CLASS_FROM_DATABASE", of: modalias)
        }
        if let list { return list.classification(classAndSubclass) }
        return unsafe name { access, buffer, size in
            unsafe clibpci_class(access, buffer, size, CInt(classAndSubclass))
        }
    }

    private func modalias(_ vendorID: UInt16, _ deviceID: UInt16?) -> String {
        let vendor = "pci:v0000" + hexadecimal(vendorID, width: 4).uppercased()
        return deviceID.map { vendor + "d0000" + hexadecimal($0, width: 4).uppercased() } ?? vendor
    }

    private func property(_ key: String, of modalias: String) -> String? {
        var entry = unsafe udev_hwdb_get_properties_list_entry(hardware, modalias, 0)
        while let current = unsafe entry {
            if let name = unsafe udev_list_entry_get_name(current), unsafe String(cString: name) == key {
                return unsafe udev_list_entry_get_value(current).map { value in unsafe String(cString: value) }
            }
            unsafe entry = udev_list_entry_get_next(current)
        }
        return nil
    }

    private func name(
        _ look: (UnsafeMutablePointer<pci_access>, UnsafeMutablePointer<CChar>, CInt) -> UnsafePointer<CChar>?
    ) -> String? {
        guard let pci = unsafe pci else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            return unsafe look(pci, base, CInt(buffer.count)).map { unsafe String(cString: $0) }
        }
    }
}
