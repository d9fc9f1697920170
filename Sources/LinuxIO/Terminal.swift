internal import CLinux
internal import Glibc

/// The columns of the terminal that a descriptor leads to: ioctl(2), TIOCGWINSZ. Nil when it is no terminal, or one that
/// does not know (a serial line).
public func terminalColumns(of descriptor: CInt) -> Int? {
    var size = winsize()
    guard unsafe clinux_ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
}
