import Guests
import Testing

@Suite("Cutting a stream into JSON objects")
struct JSONFramingTests {
    private let stream = "{\"a\":1}\r\n {\"b\":\"}\\\"{\",\n \"c\":[{\"d\":{}}]}\r\n{}"
    private let objects = ["{\"a\":1}", "{\"b\":\"}\\\"{\",\n \"c\":[{\"d\":{}}]}", "{}"]

    @Test("objects are the same whatever the size of the pieces they come in", arguments: 1...50)
    func pieces(size: Int) throws {
        var framing = JSONFraming()
        var found: [String] = []
        let bytes = Array(stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            framing.append(Array(bytes[start..<min(start + size, bytes.count)]))
            while let object = try framing.next() { found.append(String(decoding: object, as: UTF8.self)) }
        }
        #expect(found == objects)
        #expect(!framing.isInsideObject)
    }

    @Test("an object that has not ended is not given out")
    func unfinished() throws {
        var framing = JSONFraming()
        framing.append(Array(#"{"a":"}"#.utf8))
        #expect(try framing.next() == nil)
        #expect(framing.isInsideObject)
    }

    @Test("what is no object is refused, with its beginning", arguments: ["(qemu) ", "[1]", "]", "}", "\0", "null"])
    func garbage(text: String) {
        var framing = JSONFraming()
        framing.append(Array(text.utf8))
        #expect(throws: JSONFraming.Failure.notAnObject(Array(text.utf8))) { try framing.next() }
    }

    @Test("an object without an end is given up at the limit")
    func endless() throws {
        var framing = JSONFraming(limit: 1000)
        framing.append(Array(("{" + String(repeating: "[", count: 998)).utf8))
        #expect(try framing.next() == nil)
        framing.append([UInt8](repeating: UInt8(ascii: " "), count: 10))
        #expect(throws: JSONFraming.Failure.tooLong) { try framing.next() }
    }
}

@Suite("JSON values")
struct JSONValueTests {
    @Test(
        "are read and written without loss",
        arguments: [
            #"{"a":[1,-1,9223372036854775807,1.5,true,false,null,"x/\"é"],"b":{}}"#, #"{"big":1e+300}"#, "{}",
        ])
    func roundTrip(text: String) {
        #expect(JSONValue(parsing: Array(text.utf8))?.text == text)
    }

    @Test("what is no JSON is nil, and deep nesting does not end the process")
    func nonsense() {
        for text in [
            "", "{", "{a}", "{\"a\":}", "{\"a\":1}}", "{\"a\":\"\u{0}\"", String(repeating: "[", count: 100_000),
        ] {
            #expect(JSONValue(parsing: Array(text.utf8)) == nil)
        }
        #expect(JSONValue(parsing: [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) == nil)
    }

    @Test("a message that is JSON but not QMP is none")
    func notQMP() {
        for text in [
            "{}", "[]", "1", #"{"QMP":{}}"#, #"{"error":{"class":"X"}}"#, #"{"event":1}"#, #"{"id":1}"#,
            #"{"QMP":{"version":{"qemu":{"major":"10","minor":0,"micro":0}}}}"#,
        ] {
            #expect(QMPMessage(Array(text.utf8)) == nil)
        }
    }
}
