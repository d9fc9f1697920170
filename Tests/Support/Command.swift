internal import Glibc

/// What a command printed on standard output, and its exit status; for the programs that judge our answers.
package func output(of command: String) -> (text: String, status: Int32) {
    guard let stream = unsafe popen(command, "r") else { return ("", -1) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = unsafe fread(&piece, 1, piece.count, stream)
        if count == 0 { break }
        bytes += piece[..<count]
    }
    let status = unsafe pclose(stream)
    return (String(decoding: bytes, as: UTF8.self), status >> 8 & 0xff)
}

/// Whether a program can be found on the path.
package func isInstalled(_ program: String) -> Bool { output(of: "command -v \(program)").status == 0 }
