internal import ArgumentParser
internal import VFIO

struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Read a register of a device.",
        discussion: "Opening a device resets it, where it can be reset: what is read is a register after that.")

    @OptionGroup var target: OpenDeviceOptions

    @Argument(help: ArgumentHelp("bar0 to bar5, rom, config or vga.", valueName: "region"))
    var region: String

    @Argument(help: ArgumentHelp("Where in the region, in bytes: 64 or 0x40.", valueName: "offset"))
    var offset: String

    @Option(help: ArgumentHelp("How wide the register is.", valueName: "8|16|32|64"))
    var width = "32"

    @OptionGroup var global: AnswerOptions

    func run() throws {
        let place = try RegisterPlace(region: region, offset: offset, width: AccessWidth(parsing: width))
        let value = try reportingVFIO {
            var registers = RegisterFile(try target.open(global))
            try registers.check(place, writing: false)
            return place.width.spell(try registers.read(place))
        }
        if global.json { try Output.print(json: ReadReport(value: value)) } else { Output.print(value + "\n") }
    }
}

struct Write: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write", abstract: "Write a register of a device.",
        discussion: """
            Opening a device resets it, where it can be reset, and so does closing it: to write several registers, or \
            to read one afterwards, use regs.
            """)

    @OptionGroup var target: OpenDeviceOptions

    @Argument(help: ArgumentHelp("bar0 to bar5, rom, config or vga.", valueName: "region"))
    var region: String

    @Argument(help: ArgumentHelp("Where in the region, in bytes: 64 or 0x40.", valueName: "offset"))
    var offset: String

    @Argument(help: ArgumentHelp("What to write.", valueName: "value"))
    var value: String

    @Option(help: ArgumentHelp("How wide the register is.", valueName: "8|16|32|64"))
    var width = "32"

    @OptionGroup var global: AnswerOptions

    func run() throws {
        let place = try RegisterPlace(region: region, offset: offset, width: AccessWidth(parsing: width))
        let value = try parseValue(value, of: place.width)
        try reportingVFIO {
            var registers = RegisterFile(try target.open(global))
            try registers.check(place, writing: true)
            try registers.write(value, to: place)
        }
        if global.json { try Output.print(json: WriteReport(value: place.width.spell(value))) }
    }
}

struct Regs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "regs", abstract: "Read and write several registers of a device while it is open once.",
        discussion: """
            OP is read:REGION:OFFSET or write:REGION:OFFSET:VALUE, of 32 bits; read8, read16, read64 and write8, \
            write16, write64 are of as many. They are done in order, once all of them make sense; each read prints one line.
            """)

    @OptionGroup var target: OpenDeviceOptions

    @Argument(help: ArgumentHelp("What to do: read:bar0:0x4, write:bar0:0x8:5.", valueName: "op"))
    var operations: [String]

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let operations = try operations.map(RegisterOperation.init(parsing:))
        var report = RegistersReport(accesses: [])
        try reportingVFIO {
            var registers = RegisterFile(try target.open(global.answer))
            for operation in operations { try registers.check(operation.place, writing: operation.value != nil) }
            for operation in operations {
                let value: UInt64
                if let written = operation.value {
                    value = written
                    try registers.write(written, to: operation.place)
                } else {
                    value = try registers.read(operation.place)
                    if !global.json { Output.print(operation.place.width.spell(value) + "\n") }
                }
                report.accesses.append(RegistersReport.Access(operation, value: value))
            }
        }
        if global.json { try Output.print(json: report) }
    }
}

/// One access of `regs`.
struct RegisterOperation {
    var place: RegisterPlace
    /// What is to be written; nil for a read.
    var value: UInt64?

    init(parsing text: String) throws {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let verb = String(fields[0].prefix { !$0.isNumber })
        let digits = fields[0].dropFirst(verb.count)
        guard (verb == "read" && fields.count == 3) || (verb == "write" && fields.count == 4) else {
            throw CommandFailure(
                .usage,
                "'\(text)' is neither read:REGION:OFFSET nor write:REGION:OFFSET:VALUE (read8, write64 … by width)")
        }
        let width = try AccessWidth(parsing: digits.isEmpty ? "32" : String(digits))
        place = try RegisterPlace(region: fields[1], offset: fields[2], width: width)
        value = verb == "write" ? try parseValue(fields[3], of: width) : nil
    }
}

/// A value that fits into a register.
private func parseValue(_ text: String, of width: AccessWidth) throws -> UInt64 {
    let value = try parseNumber(text, "value")
    guard width == .bits64 || value >> UInt64(width.rawValue) == 0 else {
        throw CommandFailure(
            .usage, "\(text) does not fit into \(width.rawValue) bits: give --width, or a smaller value")
    }
    return value
}
