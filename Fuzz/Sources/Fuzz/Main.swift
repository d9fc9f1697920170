internal import CLibFuzzer
internal import Glibc

/// A parser under test: `fuzz --target=NAME [libFuzzer's options and directories]`; `fuzz` alone lists them. libFuzzer leaves options
/// with two dashes to the program, and hands them on when it starts it again.
///
/// Each gets any bytes at all, and has to come back: without a trap, in time, in little memory. Where more can be said of what it
/// answers (an address that is printed reads back as itself), a precondition says it.
private let targets: [(name: String, parse: @Sendable ([UInt8]) -> Void)] = [
    ("names", parseNames),
    ("configuration", parseConfiguration),
    ("devices", parseDevice),
    ("disks", parseDisk),
    ("netlink", parseNetlink),
    ("product-data", parseProductData),
    ("tables", parseTables),
]

@main
enum Main {
    static func main() {
        let option = "--target="
        guard let name = CommandLine.arguments.first(where: { $0.hasPrefix(option) })?.dropFirst(option.count) else {
            for target in targets { print(target.name) }
            return
        }
        guard let target = targets.first(where: { $0.name == name }) else {
            print("there is no target \(name): \(targets.map(\.name).joined(separator: ", "))")
            exit(64)
        }
        unsafe parser = target.parse
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        exit(
            unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
                unsafe parser?([UInt8](UnsafeBufferPointer(start: start, count: count)))
                return 0
            })
    }
}

/// The parser that was chosen: set before libFuzzer starts, on the only thread there is. A C function captures nothing.
nonisolated(unsafe) private var parser: (@Sendable ([UInt8]) -> Void)?
