internal import Glibc
internal import HostAccess
internal import SystemPackage

/// libkmod, opened when a module must be loaded and not before: linked, it (and libcrypto behind it) would cost every
/// start of every command 3.7 million instructions.
struct KernelModules {
    private typealias New =
        @convention(c) (UnsafePointer<CChar>?, UnsafePointer<UnsafePointer<CChar>?>?) -> OpaquePointer?
    private typealias Unref = @convention(c) (OpaquePointer?) -> OpaquePointer?
    private typealias Lookup =
        @convention(c) (
            OpaquePointer?, UnsafePointer<CChar>, UnsafeMutablePointer<OpaquePointer?>
        ) -> CInt
    private typealias Next = @convention(c) (OpaquePointer?, OpaquePointer?) -> OpaquePointer?
    private typealias ModuleOf = @convention(c) (OpaquePointer?) -> OpaquePointer?
    private typealias UnrefList = @convention(c) (OpaquePointer?) -> CInt
    private typealias Insert =
        @convention(c) (
            OpaquePointer?, CUnsignedInt, UnsafePointer<CChar>?, OpaquePointer?, OpaquePointer?, OpaquePointer?
        ) -> CInt

    private static let library = "libkmod.so.2"

    /// Loads `name` (a module, or an alias of some) and what it depends on, with the machine's own modprobe.d rules, as
    /// `modprobe NAME` does: `kmod_module_new_from_lookup`, `kmod_module_probe_insert_module`.
    func load(_ name: String) throws(HostAccessError) {
        // Present already, built in or loaded: no need of the library, nor of a modules directory.
        if unsafe access("/sys/module/" + Self.spelledByKernel(name), F_OK) == 0 { return }

        guard let handle = unsafe dlopen(Self.library, RTLD_NOW | RTLD_LOCAL) else {
            throw HostAccessError(
                .loadModule, name, code: .unavailable("\(Self.library) cannot be opened; install libkmod2"),
                errno: .noSuchFileOrDirectory)
        }
        defer { unsafe dlclose(handle) }
        func function<F>(_ symbol: String, as type: F.Type) throws(HostAccessError) -> F {
            guard let address = unsafe dlsym(handle, symbol) else {
                throw HostAccessError(
                    .loadModule, name, code: .unavailable("\(Self.library) has no \(symbol)"), errno: .noFunction)
            }
            // The type is that of the declaration in libkmod.h, unchanged since version 1 of its interface.
            return unsafe unsafeBitCast(address, to: F.self)
        }
        let new = unsafe try function("kmod_new", as: New.self)
        let unref = unsafe try function("kmod_unref", as: Unref.self)
        let lookup = unsafe try function("kmod_module_new_from_lookup", as: Lookup.self)
        let next = unsafe try function("kmod_list_next", as: Next.self)
        let moduleOf = unsafe try function("kmod_module_get_module", as: ModuleOf.self)
        let unrefModule = unsafe try function("kmod_module_unref", as: Unref.self)
        let unrefList = unsafe try function("kmod_module_unref_list", as: UnrefList.self)
        let insert = unsafe try function("kmod_module_probe_insert_module", as: Insert.self)

        func refused(_ result: CInt) -> HostAccessError {
            HostAccessError(.loadModule, name, errno: Errno(rawValue: -result))
        }
        guard let context = unsafe new(nil, nil) else { throw refused(-ENOMEM) }
        defer { _ = unsafe unref(context) }
        var list: OpaquePointer?
        let found = unsafe lookup(context, name, &list)
        guard found >= 0 else { throw refused(found) }
        guard unsafe list != nil else {
            throw HostAccessError(
                .loadModule, name, code: .unavailable("this kernel has no such module"), errno: .noSuchFileOrDirectory)
        }
        defer { _ = unsafe unrefList(list) }
        var entry = unsafe list
        while unsafe entry != nil {
            let module = unsafe moduleOf(entry)
            let result = unsafe insert(module, 0, nil, nil, nil, nil)
            _ = unsafe unrefModule(module)
            // A positive answer is a blacklist's; without its flag there is none.
            guard result >= 0 || result == -EEXIST else { throw refused(result) }
            unsafe entry = next(list, entry)
        }
    }

    /// A module's name as the kernel spells it: `vfio-pci` is `vfio_pci` in /sys/module.
    private static func spelledByKernel(_ name: String) -> String {
        String(decoding: name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }
}
