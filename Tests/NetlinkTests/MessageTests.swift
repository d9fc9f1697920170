internal import Netlink
internal import TestSupport
internal import Testing

/// What reading `bytes` throws; nil when nothing.
private func error<Value: DumpedValue>(reading bytes: [UInt8], as type: Value.Type) -> NetlinkError? {
    do {
        _ = try Dumped<Value>(bytes)
        return nil
    } catch {
        return error
    }
}

@Suite("Netlink messages")
struct MessageTests {
    @Test("a built message reads back: header, number, text and nested attributes, aligned to four bytes")
    func roundTrip() throws {
        var message = MessageBuilder(type: .newLink, flags: [.request, .acknowledge], sequence: 7, port: 9)
        try message.append(UInt32(0x0102_0304))
        try message.add(1, number: UInt8(5))
        try message.nest(2) { nested throws(NetlinkError) in
            try nested.add(3, text: "eth0")
            try nested.add(4, [])
        }
        try message.add(5, number: UInt64(6))
        #expect(message.bytes.count % 4 == 0)

        var reader = MessageReader(message.bytes[...])
        let read = try #require(try reader.next())
        #expect(try reader.next() == nil)
        #expect(read.type == .newLink && read.flags == [.request, .acknowledge])
        #expect(read.sequence == 7 && read.port == 9 && read.offset == 0)
        var attributes = AttributeReader(read.body.dropFirst(4))
        #expect(try attributes.next()?.number(UInt8.self) == 5)
        let nested = try #require(try attributes.next())
        #expect(nested.type == 2)
        var inner = nested.nested
        #expect(try inner.next()?.text == "eth0")
        #expect(try inner.next()?.value.isEmpty == true)
        #expect(try inner.next() == nil)
        #expect(try attributes.next()?.number(UInt64.self) == 6)
        #expect(try attributes.next() == nil)
    }

    @Test("the bytes are the kernel's: the request for all links")
    func linkRequest() throws {
        // nlmsghdr: length 40, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence 1, port 0; ifinfomsg: 16 zeros;
        // IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS.
        let header: [UInt32] = [40, 0x0301_0012, 1, 0]
        let attribute: [UInt32] = [0x001d_0008, 8]
        let words = header + [0, 0, 0, 0] + attribute
        #expect(try NetlinkDump.link.request(sequence: 1) == words.flatMap(bytes))
    }

    private func bytes(_ word: UInt32) -> [UInt8] { unsafe withUnsafeBytes(of: word) { unsafe Array($0) } }

    @Test("lengths that cannot be true are errors, wherever they stand", arguments: [0, 15, 4096, UInt32.max])
    func messageLength(length: UInt32) throws {
        let good = try DumpBytes.links([Link(index: 1, name: "lo")])
        var bytes = good
        bytes.replaceSubrange(0..<4, with: self.bytes(length))
        #expect(error(reading: bytes, as: Link.self)?.code == .messageLength(length))
    }

    @Test("attributes that cannot be true are errors", arguments: [UInt16](0...3) + [200, UInt16.max])
    func attributeLength(length: UInt16) throws {
        var bytes = try DumpBytes.links([Link(index: 1, name: "lo")])
        bytes.replaceSubrange(32..<34, with: unsafe withUnsafeBytes(of: length) { unsafe Array($0) })
        #expect(error(reading: bytes, as: Link.self)?.code == .attributeLength(length))
    }

    @Test("a dump that was cut anywhere is refused, and nothing traps")
    func cut() throws {
        let dumps = [
            try DumpBytes.links(Sample.links), try DumpBytes.addresses(Sample.addresses),
            try DumpBytes.routes(Sample.routes()),
        ]
        for length in 0..<dumps[0].count {
            #expect(error(reading: Array(dumps[0].prefix(length)), as: Link.self) != nil, "\(length) bytes")
        }
        for length in 0..<dumps[1].count {
            #expect(error(reading: Array(dumps[1].prefix(length)), as: InterfaceAddress.self) != nil, "\(length) bytes")
        }
        for length in 0..<dumps[2].count {
            #expect(error(reading: Array(dumps[2].prefix(length)), as: Route.self) != nil, "\(length) bytes")
        }
    }

    @Test("any byte may be any other: an answer or an error, never a trap")
    func hostile() throws {
        for (index, dump) in [
            try DumpBytes.links(Sample.links), try DumpBytes.addresses(Sample.addresses),
            try DumpBytes.routes(Sample.routes()),
        ].enumerated() {
            var read = 0
            for place in dump.indices {
                for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
                    var bytes = dump
                    bytes[place] = value
                    switch index {
                    case 0: if error(reading: bytes, as: Link.self) == nil { read += 1 }
                    case 1: if error(reading: bytes, as: InterfaceAddress.self) == nil { read += 1 }
                    default: if error(reading: bytes, as: Route.self) == nil { read += 1 }
                    }
                }
            }
            #expect(read > 0)
        }
    }

    @Test("what is built has limits, and a refused addition leaves the message as it was")
    func limits() throws {
        var message = MessageBuilder(type: .newLink, flags: .request)
        try message.add(1, number: UInt32(1))
        let before = message
        #expect(throws: NetlinkError.self) { try message.add(2, [UInt8](repeating: 0, count: 65_532)) }
        #expect(message == before)
        #expect(throws: NetlinkError.self) {
            try message.nest(3) { nested throws(NetlinkError) in
                for _ in 0..<2 { try nested.add(4, [UInt8](repeating: 0, count: 40_000)) }
            }
        }
        #expect(message == before)
        try message.add(5, [UInt8](repeating: 0, count: 65_531))
        let error = #expect(throws: NetlinkError.self) {
            while true { try message.add(5, [UInt8](repeating: 0, count: 60_000)) }
        }
        #expect(error?.code == .tooLong(limit: MessageBuilder.limit))
        #expect(message.bytes.count <= MessageBuilder.limit)
        var reader = MessageReader(message.bytes[...])
        #expect(try reader.next() != nil)
    }
}

@Suite("Netlink's own answers")
struct AnswerTests {
    /// The kernel's answer to the message `refused`, which it repeats, with an explanation.
    private func refusal(_ errno: Int32, capped: Bool) throws -> [UInt8] {
        var flags: MessageFlags = [.explained]
        if capped { flags.insert(.capped) }
        var message = MessageBuilder(type: .error, flags: flags, sequence: 1)
        try message.append(-errno)
        let request = try NetlinkDump.link.request(sequence: 1)
        try message.append(bytes: request.prefix(capped ? 16 : request.count))
        try message.add(1, text: "Invalid header for dump request")
        return message.bytes
    }

    @Test("a refusal is an error, with the kernel's words for it", arguments: [true, false])
    func refused(capped: Bool) throws {
        var collector = DumpCollector(sequence: 1, limit: 1 << 20)
        let error = #expect(throws: NetlinkError.self) { try collector.take(try refusal(22, capped: capped)[...]) }
        #expect(error?.code == .refused(errno: 22, explanation: "Invalid header for dump request"))
        #expect(error?.description.contains("Invalid header") == true)
    }

    @Test("a dump that ends in an error is one")
    func refusedEnd() throws {
        var end = MessageBuilder(type: .done, flags: .multi, sequence: 1)
        try end.append(Int32(-11))
        var collector = DumpCollector(sequence: 1, limit: 1 << 20)
        let error = #expect(throws: NetlinkError.self) { try collector.take(end.bytes[...]) }
        #expect(error?.code == .refused(errno: 11, explanation: nil))
    }

    @Test("a dump comes together from its pieces; what answers others is left out; what varies is set to 0")
    func collected() throws {
        let whole = try DumpBytes.links(Sample.links)
        var pieces: [[UInt8]] = []
        var reader = MessageReader(whole[...])
        while let message = try reader.next() {
            var piece = Array(whole[message.offset..<message.body.endIndex])
            piece.replaceSubrange(8..<16, with: [5, 0, 0, 0, 99, 0, 0, 0])
            pieces.append(piece)
        }
        var stranger = MessageBuilder(type: .newLink, flags: .multi, sequence: 4)
        try stranger.append(bytes: repeatElement(0, count: 16))
        pieces.insert(stranger.bytes, at: 1)
        #expect(UInt32(littleEndian: 5) == 5, "the numbers above are little-endian")

        var collector = DumpCollector(sequence: 5, limit: 1 << 20)
        for piece in pieces.dropLast() { #expect(try !collector.take(piece[...])) }
        #expect(try collector.take(pieces[pieces.count - 1][...]))
        #expect(collector.bytes == whole)
        #expect(!collector.wasInterrupted)
    }

    @Test("a dump that changed in the middle is known for it, also when it is read back")
    func interrupted() throws {
        var bytes = try DumpBytes.links(Sample.links)
        bytes[6] |= 0x10
        var collector = DumpCollector(sequence: 0, limit: 1 << 20)
        #expect(try collector.take(bytes[...]))
        #expect(collector.wasInterrupted)
        #expect(try Dumped<Link>(collector.bytes).wasInterrupted)
    }

    @Test("a dump has a limit; lost messages are told")
    func limits() throws {
        var small = DumpCollector(sequence: 0, limit: 100)
        let error = #expect(throws: NetlinkError.self) { try small.take(try DumpBytes.links(Sample.links)[...]) }
        #expect(error?.code == .tooLong(limit: 100))
        let overrun = MessageBuilder(type: .overrun, flags: [], sequence: 77)
        var collector = DumpCollector(sequence: 1, limit: 1 << 20)
        let lost = #expect(throws: NetlinkError.self) { try collector.take(overrun.bytes[...]) }
        #expect(lost?.code == .overrun)
    }
}
