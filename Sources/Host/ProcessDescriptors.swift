public import HostAccess
internal import SystemPackage

extension HostDirectory {
    /// Whether a process has a file open, from the links in /proc/PID/fd: false for one that has ended, nil when it may
    /// not be looked into.
    ///
    /// - Parameter path: the file as the process knows it: a device node keeps the path that it was opened by, also
    ///   when its descriptor was handed on.
    public func process(_ pid: Int32, hasOpen path: String) -> Bool? {
        let directory = "/proc/\(pid)/fd"
        let numbers: [String]
        do throws(HostAccessError) {
            numbers = try entries(directory)
        } catch {
            return error.errno == .noSuchFileOrDirectory ? false : nil
        }
        return numbers.contains { number in
            // One that was closed meanwhile has no link any more.
            do throws(HostAccessError) { return try readLink("\(directory)/\(number)") == path } catch { return false }
        }
    }
}
