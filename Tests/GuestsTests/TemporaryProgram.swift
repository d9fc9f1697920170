import Glibc
import SystemPackage

/// An executable file that is there as long as `body` runs.
func withProgram(
    _ name: String, _ content: String = "#!/bin/sh\n", _ body: (_ path: String) throws -> Void
) throws {
    let path = "/tmp/\(name)-\(getpid())"
    let file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o755))
    defer { unsafe unlink(path) }
    try file.closeAfter { _ = try file.writeAll(content.utf8) }
    try body(path)
}
