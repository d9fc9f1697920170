internal import HostAccess

/// A kernel module of a host: there already, there to be loaded, or not.
enum KernelModule: Equatable {
    /// Loaded, or built in and showing itself; `where` is the evidence.
    case present(where: String)
    /// In the list of modules, or of what is built in.
    case loadable(where: String)
    /// In neither list.
    case absent(where: String)
    /// There are no lists to look in.
    case unknown

    /// Whether it is there, or will be when needed.
    var isUsable: Bool {
        switch self {
        case .present, .loadable: true
        case .absent, .unknown: false
        }
    }

    /// Looks for a module: `/sys/module`, then `modules.builtin` and `modules.dep` of the running kernel (depmod(8)).
    static func find(_ name: String, on files: HostFiles) -> KernelModule {
        let loaded = "/sys/module/" + name.underscored
        if files.exists(loaded) { return .present(where: loaded) }
        guard let release = files.text("/proc/sys/kernel/osrelease").content, !release.contains("/") else {
            return .unknown
        }
        let directory = "/lib/modules/" + release
        var looked: [String] = []
        for list in ["modules.builtin", "modules.dep"] {
            let path = "\(directory)/\(list)"
            guard let lists = files.bytes(path, limit: 64 << 20).content else { continue }
            looked.append(path)
            let lines = lists.split(separator: UInt8(ascii: "\n"))
            if lines.contains(where: { moduleName($0) == name.underscored }) {
                return list == "modules.dep" ? .loadable(where: path) : .present(where: path)
            }
        }
        return looked.isEmpty ? .unknown : .absent(where: looked.joined(separator: " and "))
    }

    /// `vfio_pci` of `kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/…`.
    private static func moduleName(_ line: ArraySlice<UInt8>) -> String? {
        let path = line.prefix { $0 != UInt8(ascii: ":") }
        let file = path.split(separator: UInt8(ascii: "/")).last ?? path
        guard let dot = file.firstIndex(of: UInt8(ascii: ".")), file[dot...].starts(with: ".ko".utf8) else {
            return nil
        }
        return String(decoding: file[..<dot], as: UTF8.self).underscored
    }
}
