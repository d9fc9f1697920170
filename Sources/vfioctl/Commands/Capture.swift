internal import ArgumentParser
internal import Capture
internal import HostAccess
internal import LinuxIO
internal import Rendering
internal import SystemPackage

/// Called so, and not Capture, for the library of that name.
struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Store the host as a directory that --root and the simulator read.",
        discussion: """
            What the commands that look at a host ask is stored, and nothing else: attributes of sysfs, tables of procfs, \
            who has device nodes open. Of processes their names are kept and never their arguments. Nothing is changed on \
            the host; DIR must not be there yet. With --root an earlier capture is copied.
            """)

    @Argument(help: ArgumentHelp("The directory to make.", valueName: "dir"))
    var directory: String

    @Flag(
        help:
            "Replace serial numbers, hardware and network addresses and host names, each value by the same everywhere.")
    var redact = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !directory.isEmpty else { throw ValidationError("DIR is the name of a directory to make.") }
    }

    func run() throws {
        let host = try global.answer.host()
        let progress = ProgressLine(verbose: global.verbose)
        DeferredSignals.begin()
        // Whoever may not write there is told so before the host is read.
        var writer: CaptureWriter
        do {
            writer = try CaptureWriter(directory)
        } catch {
            throw Self.failure(toMake: directory, error)
        }
        var capture: HostCapture
        do {
            capture = try HostCapture.take(of: host) { progress.show($0) }
        } catch {
            progress.clear()
            throw CommandFailure(error)
        }
        if redact { capture.redact() }
        progress.show("writing \(directory)")
        do {
            try writer.write(capture.tree) { DeferredSignals.isAskedToEnd }
        } catch {
            progress.clear()
            throw Self.failure(toWrite: directory, error)
        }
        progress.show("reading \(directory) back")
        try verify(capture)
        writer.keep()
        progress.clear()
        try answer(capture)
    }

    private func verify(_ capture: HostCapture) throws {
        do {
            if try capture.isEqual(to: CapturedDirectory(directory)) { return }
        } catch {
            throw CommandFailure(.unwritten, "\(directory) could not be read back, and was removed: \(error)")
        }
        throw CommandFailure(
            .unwritten, "\(directory) does not read back as the host was read, and was removed: please report this")
    }

    private func answer(_ capture: HostCapture) throws {
        let size = capture.tree.size
        if global.json {
            try Output.print(
                json: CaptureReport(directory: directory, files: size.files, bytes: size.bytes, redacted: redact))
        } else {
            let text = "\(directory): \(size.files) files, \(size.bytes) bytes" + (redact ? ", redacted" : "")
            Output.print(text.printable + "\n")
        }
    }

    private static func failure(toMake directory: String, _ error: HostAccessError) -> CommandFailure {
        if error.errno == .fileExists {
            return CommandFailure(.refused, "\(directory) is there already: a capture goes into a new directory")
        }
        return CommandFailure(error.errno.isDenial ? .notPermitted : .refused, "\(error)")
    }

    private static func failure(toWrite directory: String, _ error: HostAccessError) -> CommandFailure {
        if error.errno == .canceled {
            return CommandFailure(.rolledBack, "asked to end: \(directory) was removed")
        }
        return CommandFailure(.unwritten, "\(error); \(directory) was removed")
    }
}

/// `vfioctl.capture/1`.
private struct CaptureReport: Encodable {
    var schema = "vfioctl.capture/1"
    var directory: String
    var files: Int
    var bytes: Int
    var redacted: Bool
}
