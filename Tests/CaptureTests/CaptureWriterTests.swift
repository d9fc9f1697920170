internal import Capture
internal import Glibc
internal import Host
internal import HostAccess
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("A capture goes into a new directory, or nowhere")
struct CaptureWriterTests {
    let work = TemporaryDirectory()

    var destination: String { work.path + "/capture" }

    func mode(_ path: String) -> UInt32 {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("files 0644 and directories 0755, whatever the umask")
    func modes() throws {
        var writer = try CaptureWriter(destination)
        try writer.write(CaptureTree(["/sys/bus/x": .file(Array("1\n".utf8)), "/sys/link": .link("bus")]))
        writer.keep()
        #expect(mode(destination) == 0o755)
        #expect(mode(destination + "/sys/bus") == 0o755)
        #expect(mode(destination + "/sys/bus/x") == 0o644)
        #expect(work.content("capture/sys/link/x") == "1\n")
    }

    @Test("what is there already is left alone: a directory, an empty one, a file, a link that leads nowhere")
    func existing() throws {
        work.directory("directory")
        work.file("full/file", "mine\n")
        work.file("file", "mine\n")
        work.link("link", to: "nowhere")
        for name in ["directory", "full", "file", "link"] {
            let error = #expect(throws: HostAccessError.self) { _ = try CaptureWriter(work.path + "/" + name) }
            #expect(error?.errno == .fileExists)
        }
        #expect(work.content("file") == "mine\n")
        #expect(work.content("full/file") == "mine\n")
        #expect(!work.remove("nowhere"))
    }

    @Test("what goes wrong half-way leaves nothing")
    func removed() throws {
        let long = String(repeating: "n", count: 300)
        let tree = CaptureTree([
            "/a/b/c": .file([1]), "/a/empty": .directory, "/a/link": .link("/etc/passwd"), "/z/\(long)": .file([]),
        ])
        func write() throws {
            var writer = try CaptureWriter(destination)
            try writer.write(tree)
            writer.keep()
        }
        let error = #expect(throws: HostAccessError.self) { try write() }
        #expect(error?.errno == .fileNameTooLong)
        #expect(unsafe access(destination, F_OK) != 0)
        #expect(unsafe access("/etc/passwd", F_OK) == 0)
    }

    @Test("a writer that is asked to end leaves nothing")
    func cancelled() throws {
        func write() throws {
            var count = 0
            var writer = try CaptureWriter(destination)
            try writer.write(CaptureTree(["/a": .file([1]), "/b": .file([2])])) {
                count += 1
                return count > 1
            }
            writer.keep()
        }
        #expect { try write() } throws: { ($0 as? HostAccessError)?.errno == .canceled }
        #expect(unsafe access(destination, F_OK) != 0)
    }

    @Test("an empty directory stays one, also where only files are kept")
    func emptyDirectory() throws {
        var writer = try CaptureWriter(destination)
        try writer.write(CaptureTree(["/sys/class/iommu": .directory]))
        writer.keep()
        let directory = try CapturedDirectory(destination)
        #expect(try directory.entries("/sys/class/iommu") == [])
        #expect(directory.exists("/sys/class/iommu"))
        #expect(unsafe access(destination + "/sys/class/iommu/.empty", F_OK) == 0)
    }

    @Test("a name that would lead out is no name")
    func names() throws {
        var writer = try CaptureWriter(destination)
        try? writer.write(CaptureTree(["/../../escaped": .file([1])]))
        #expect(unsafe access(work.path + "/escaped", F_OK) != 0)
    }
}
