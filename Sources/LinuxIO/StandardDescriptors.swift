internal import CLinux
internal import Glibc

/// Opens /dev/null for each of standard input, output and error that the caller has closed.
///
/// Otherwise the next file to be opened gets that number: a device would be handed to a program as its standard output.
public func reserveStandardDescriptors() throws(SystemCallError) {
    while true {
        let null = try OwnedDescriptor.open("/dev/null", flags: O_RDWR)
        guard null.rawValue <= STDERR_FILENO else { return }
        // The lowest free number is what open(2) gives; it stays open across exec, as the others do.
        _ = try checked(clinux_set_close_on_exec(null.rawValue, 0), "fcntl(F_SETFD)", on: "/dev/null")
        _ = null.release()
    }
}
