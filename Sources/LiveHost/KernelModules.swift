internal import Glibc
internal import HostAccess
internal import SystemPackage

/// What is asked of libkmod: to load a module, and which modules a device wants.
struct KernelModules {
    /// Loads `name` (a module, or an alias of some) and what it depends on, with the machine's own modprobe.d rules, as
    /// `modprobe NAME` does: `kmod_module_new_from_lookup`, `kmod_module_probe_insert_module`.
    func load(_ name: String) throws(HostAccessError) {
        // Present already, built in or loaded: no need of the library, nor of a modules directory.
        if unsafe access("/sys/module/" + Self.spelledByKernel(name), F_OK) == 0 { return }
        let library = try LibKMod(for: .loadModule, name)
        let count = try unsafe library.forEachModule { (module) throws(HostAccessError) in
            try unsafe library.insert(module)
        }
        guard count > 0 else {
            throw HostAccessError(
                .loadModule, name, code: .unavailable("this kernel has no such module"), errno: .noSuchFileOrDirectory)
        }
    }

    /// The modules that claim an alias, which is what a device's `modalias` is: `kmod_module_new_from_lookup`, as
    /// `modprobe --resolve-alias` does.
    func claiming(_ alias: String) throws(HostAccessError) -> [String] {
        let library = try LibKMod(for: .findModules, alias)
        var names: [String] = []
        _ = try unsafe library.forEachModule { (module) throws(HostAccessError) in
            if let name = unsafe library.name(of: module) { names.append(name) }
        }
        return names
    }

    /// A module's name as the kernel spells it: `vfio-pci` is `vfio_pci` in /sys/module.
    private static func spelledByKernel(_ name: String) -> String {
        String(decoding: name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }
}
