internal import HostAccess

/// What a disk begins with. Signatures stand far apart, so the bytes are pieces of it: where in steps of two (three bytes), how
/// long (one byte), and what; the rest is zeros. A piece that would not fit is what is left of the disk, cut short.
@Sendable func parseDisk(_ bytes: [UInt8]) {
    var disk = [UInt8](repeating: 0, count: DiskContent.length)
    var rest = bytes[...]
    while rest.count > 4 {
        let header = Array(rest.prefix(4)).map(Int.init)
        let place = 2 * (header[0] << 16 | header[1] << 8 | header[2])
        let piece = rest.dropFirst(4).prefix(header[3])
        rest = rest.dropFirst(4 + piece.count)
        guard place <= disk.count - piece.count else {
            disk.removeLast(place % disk.count)
            break
        }
        disk.replaceSubrange(place..<(place + piece.count), with: piece)
    }
    guard let content = DiskContent(beginning: disk) else { return }
    precondition(!content.type.isEmpty && content.label?.isEmpty != true, "a name is one or none")
}
