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

    /// Looks for a module: `/sys/module`, then `modules.builtin` and `modules.dep` of the running kernel (depmod(8)).
    static func find(_ name: String, on host: any HostAccess) -> KernelModule {
        let loaded = "/sys/module/" + underscored(name)
        if host.exists(loaded) { return .present(where: loaded) }
        guard let release = host.optionalText("/proc/sys/kernel/osrelease"), !release.contains("/") else {
            return .unknown
        }
        let directory = "/lib/modules/" + release
        var looked: [String] = []
        for list in ["modules.builtin", "modules.dep"] {
            let path = "\(directory)/\(list)"
            guard let lines = lines(of: path, on: host) else { continue }
            looked.append(path)
            if lines.contains(where: { moduleName($0) == underscored(name) }) {
                return list == "modules.dep" ? .loadable(where: path) : .present(where: path)
            }
        }
        return looked.isEmpty ? .unknown : .absent(where: looked.joined(separator: " and "))
    }

    private static func lines(of path: String, on host: any HostAccess) -> [Substring]? {
        do {
            return String(decoding: try host.read(path, limit: 64 << 20), as: UTF8.self).split(separator: "\n")
        } catch {
            return nil
        }
    }

    /// `vfio_pci` of `kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/…`.
    private static func moduleName(_ line: Substring) -> String? {
        let path = line.prefix { $0 != ":" }
        let file = path.split(separator: "/").last ?? path
        guard let dot = file.firstIndex(of: "."), file[dot...].hasPrefix(".ko") else { return nil }
        return underscored(file[..<dot])
    }

    private static func underscored(_ name: some StringProtocol) -> String {
        String(decoding: name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }
}
