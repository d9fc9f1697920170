internal import Glibc
internal import HostAccess
internal import SystemPackage

/// libkmod, opened when a module is asked for and not before: linked, it (and libcrypto behind it) would cost every start
/// of every command 3.7 million instructions.
///
/// One look-up of one name; the library is closed when this goes.
@safe final class LibKMod {
    private typealias New =
        @convention(c) (UnsafePointer<CChar>?, UnsafePointer<UnsafePointer<CChar>?>?) -> OpaquePointer?
    private typealias Unref = @convention(c) (OpaquePointer?) -> OpaquePointer?
    private typealias Lookup =
        @convention(c) (
            OpaquePointer?, UnsafePointer<CChar>, UnsafeMutablePointer<OpaquePointer?>
        ) -> CInt
    private typealias Next = @convention(c) (OpaquePointer?, OpaquePointer?) -> OpaquePointer?
    private typealias ModuleOf = @convention(c) (OpaquePointer?) -> OpaquePointer?
    private typealias NameOf = @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
    private typealias UnrefList = @convention(c) (OpaquePointer?) -> CInt
    private typealias Insert =
        @convention(c) (
            OpaquePointer?, CUnsignedInt, UnsafePointer<CChar>?, OpaquePointer?, OpaquePointer?, OpaquePointer?
        ) -> CInt

    private static let file = "libkmod.so.2"

    private let request: HostAccessError.Request
    private let subject: String
    private let handle: UnsafeMutableRawPointer

    /// Opens the library.
    ///
    /// - Parameters:
    ///   - request: what for, as its errors say.
    ///   - subject: the module's name or alias.
    init(for request: HostAccessError.Request, _ subject: String) throws(HostAccessError) {
        guard let handle = unsafe dlopen(Self.file, RTLD_NOW | RTLD_LOCAL) else {
            throw HostAccessError(
                request, subject, code: .unavailable("\(Self.file) cannot be opened; install libkmod2"),
                errno: .noSuchFileOrDirectory)
        }
        unsafe self.handle = unsafe handle
        self.request = request
        self.subject = subject
    }

    deinit { unsafe dlclose(handle) }

    /// Looks the name or alias up, and hands each module to `body`. How many there were.
    func forEachModule(
        _ body: (OpaquePointer?) throws(HostAccessError) -> Void
    ) throws(HostAccessError) -> Int {
        let new = unsafe try function("kmod_new", as: New.self)
        let unref = unsafe try function("kmod_unref", as: Unref.self)
        let lookup = unsafe try function("kmod_module_new_from_lookup", as: Lookup.self)
        let next = unsafe try function("kmod_list_next", as: Next.self)
        let moduleOf = unsafe try function("kmod_module_get_module", as: ModuleOf.self)
        let unrefModule = unsafe try function("kmod_module_unref", as: Unref.self)
        let unrefList = unsafe try function("kmod_module_unref_list", as: UnrefList.self)

        guard let context = unsafe new(nil, nil) else { throw refused(-ENOMEM) }
        defer { _ = unsafe unref(context) }
        var list: OpaquePointer?
        let found = unsafe lookup(context, subject, &list)
        guard found >= 0 else { throw refused(found) }
        defer { if unsafe list != nil { _ = unsafe unrefList(list) } }
        var count = 0
        var entry = unsafe list
        while unsafe entry != nil {
            let module = unsafe moduleOf(entry)
            defer { _ = unsafe unrefModule(module) }
            try unsafe body(module)
            count += 1
            unsafe entry = next(list, entry)
        }
        return count
    }

    /// Loads a module and what it depends on; one that is loaded is success.
    func insert(_ module: OpaquePointer?) throws(HostAccessError) {
        let insert = unsafe try function("kmod_module_probe_insert_module", as: Insert.self)
        let result = unsafe insert(module, 0, nil, nil, nil, nil)
        // A positive answer is a blacklist's; without its flag there is none.
        guard result >= 0 || result == -EEXIST else { throw refused(result) }
    }

    /// A module's name.
    func name(of module: OpaquePointer?) -> String? {
        do {
            let name = unsafe try function("kmod_module_get_name", as: NameOf.self)
            return unsafe name(module).map { unsafe String(cString: $0) }
        } catch {
            return nil
        }
    }

    private func function<F>(_ symbol: String, as type: F.Type) throws(HostAccessError) -> F {
        guard let address = unsafe dlsym(handle, symbol) else {
            throw HostAccessError(
                request, subject, code: .unavailable("\(Self.file) has no \(symbol)"), errno: .noFunction)
        }
        // The type is that of the declaration in libkmod.h, unchanged since version 1 of its interface.
        return unsafe unsafeBitCast(address, to: F.self)
    }

    private func refused(_ result: CInt) -> HostAccessError {
        HostAccessError(request, subject, errno: Errno(rawValue: -result))
    }
}
