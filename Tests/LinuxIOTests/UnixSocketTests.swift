internal import Glibc
internal import LinuxIO
internal import SystemPackage
internal import Testing

@Suite("A Unix socket")
struct UnixSocketTests {
    @Test("carries a descriptor in the same message as its bytes; both ends then see one file")
    func passing() throws {
        let sockets = try UnixSocketPair()
        let file = try temporaryFile(Array("before".utf8))
        try sockets.first.send(Array("getfd".utf8), descriptors: [file.rawValue])

        var message = try required(try sockets.second.receive(descriptors: 4))
        #expect(message.bytes == Array("getfd".utf8))
        #expect(message.descriptors.count == 1)
        let received = try required(message.descriptors.popFirst())
        #expect(received.rawValue != file.rawValue)
        #expect(fcntl(received.rawValue, F_GETFD) == FD_CLOEXEC)

        _ = try received.write(Array("after!".utf8).span, at: 0, subject: "the file")
        #expect(try content(of: file, count: 6) == Array("after!".utf8))
    }

    @Test("keeps the order of several descriptors")
    func several() throws {
        let sockets = try UnixSocketPair()
        let files = OwnedDescriptors(adopting: [
            try temporaryFile([1]).release(), try temporaryFile([2]).release(), try temporaryFile([3]).release(),
        ])
        try sockets.first.send([0], descriptors: files.rawValues)
        var message = try required(try sockets.second.receive(descriptors: 253))
        for expected in 1...3 as ClosedRange<UInt8> {
            let file = try required(message.descriptors.popFirst())
            #expect(try content(of: file, count: 2) == [expected])
        }
        #expect(message.descriptors.count == 0)
    }

    @Test("closes descriptors that there is no room for, and says so")
    func noRoom() throws {
        let sockets = try UnixSocketPair()
        var ends: [CInt] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        let reader = OwnedDescriptor(adopting: ends[0])
        do {
            let writer = OwnedDescriptor(adopting: ends[1])
            try sockets.first.send([1], descriptors: [writer.rawValue, writer.rawValue])
        }
        let error = #expect(throws: SystemCallError.self) { _ = try sockets.second.receive(descriptors: 1)?.bytes }
        #expect(error?.errno == .init(rawValue: EMSGSIZE))
        // The end of the pipe is seen only once nobody can write to it any more.
        var byte: UInt8 = 0
        #expect(unsafe read(reader.rawValue, &byte, 1) == 0)
    }

    @Test("answers nil when nothing comes in time, and no bytes when the peer is gone")
    func silence() throws {
        var sockets = try UnixSocketPair()
        let nothing = try sockets.second.receive(within: .milliseconds(10))?.bytes
        #expect(nothing == nil)
        do {
            var others = try UnixSocketPair()
            swap(&sockets.first, &others.first)
        }
        let end = try sockets.second.receive()?.bytes
        #expect(end == [])
    }

    @Test("answers an error, not a signal, when the peer is gone")
    func brokenPipe() throws {
        var sockets = try UnixSocketPair()
        do {
            var others = try UnixSocketPair()
            swap(&sockets.second, &others.second)
        }
        let error = #expect(throws: SystemCallError.self) { try sockets.first.send([1]) }
        #expect(error?.errno == .brokenPipe)
    }

    @Test("refuses an empty message with descriptors, too many of them, and a path that is too long")
    func refusals() throws {
        let sockets = try UnixSocketPair()
        #expect(throws: SystemCallError.self) { try sockets.first.send([], descriptors: [0]) }
        #expect(throws: SystemCallError.self) {
            try sockets.first.send([1], descriptors: [CInt](repeating: 0, count: 254))
        }
        let error = #expect(throws: SystemCallError.self) {
            _ = try UnixSocket.connect(to: String(repeating: "x", count: 200)).peer
        }
        #expect(error?.errno == .fileNameTooLong)
        #expect(throws: SystemCallError.self) { _ = try UnixSocket.connect(to: "/tmp/no/such/socket").peer }
    }
}
