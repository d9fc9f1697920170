internal import Glibc
internal import HostAccess
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("A captured directory is a host of its own")
struct CapturedDirectoryTests {
    let tree = TemporaryDirectory()

    func capture() throws -> CapturedDirectory { try CapturedDirectory(tree.path) }

    @Test("a file is read whole, also one longer than a page, and one whose length is a page's")
    func readsWhole() throws {
        tree.file("sys/short", "0x8086\n")
        tree.file("proc/long", String(repeating: "line\n", count: 20_000))
        tree.file("proc/page", String(repeating: "x", count: 4096))
        tree.file("proc/empty", "")
        #expect(try capture().text("/sys/short") == "0x8086")
        #expect(try capture().read("/proc/long").count == 100_000)
        #expect(try capture().read("/proc/page").count == 4096)
        #expect(try capture().read("/proc/empty").isEmpty)
    }

    @Test("a longer file than allowed is an error, never a cut")
    func limit() throws {
        tree.file("proc/long", String(repeating: "x", count: 10_000))
        tree.file("proc/short", "1234")
        #expect { try capture().read("/proc/long", limit: 9_999) } throws: {
            ($0 as? HostAccessError)?.code == .unreadable
        }
        #expect(try capture().read("/proc/long", limit: 10_000).count == 10_000)
        #expect(throws: HostAccessError.self) { try capture().read("/proc/short", limit: 3) }
    }

    @Test("links lead to the capture's own files, however they are written")
    func linksStayInside() throws {
        tree.file("etc/hostname", "the capture's\n")
        tree.link("sys/absolute", to: "/etc/hostname")
        tree.link("sys/upwards", to: "../../../../../../../../etc/hostname")
        tree.link("sys/outside", to: "/root-of-the-machine-that-looks")
        #expect(try capture().text("/sys/absolute") == "the capture's")
        #expect(try capture().text("/sys/upwards") == "the capture's")
        #expect(try capture().text("/../../etc/hostname") == "the capture's")
        #expect(!(try capture().exists("/sys/outside")))

        let sys = try capture().directory("/sys")
        #expect(try sys.text("absolute") == "the capture's")
        #expect(try sys.text("../etc/hostname") == "the capture's")
        #expect(try sys.text("../../../etc/hostname") == "the capture's")
    }

    @Test("a linked directory is opened, and what is in it read through it")
    func linkedDirectory() throws {
        tree.file("sys/devices/pci0000:00/0000:00:03.0/vendor", "0x1234\n")
        tree.link("sys/devices/pci0000:00/0000:00:03.0/driver", to: "../../../bus/pci/drivers/edu")
        tree.link("sys/bus/pci/devices/0000:00:03.0", to: "../../../devices/pci0000:00/0000:00:03.0")
        let device = try capture().directory("/sys/bus/pci/devices/0000:00:03.0")
        #expect(try device.text("vendor") == "0x1234")
        #expect(device.linkName("driver") == "edu")
        #expect(try device.readLink("driver") == "../../../bus/pci/drivers/edu")
        #expect(try device.readLink("../0000:00:03.0/driver") == "../../../bus/pci/drivers/edu")
        #expect(Set(try device.entries("")) == ["vendor", "driver"])
        #expect(device.exists("vendor"))
        #expect(!device.exists("driver"), "a dangling link is not there")
        #expect(device.path == "/sys/bus/pci/devices/0000:00:03.0")
    }

    @Test("only regular files are read: a pipe, a socket, a device or a directory neither hangs nor answers")
    func regularOnly() throws {
        tree.directory("dev")
        #expect(unsafe mkfifo(tree.path + "/dev/pipe", 0o600) == 0)
        try socket(at: tree.path + "/dev/socket")
        var paths = ["/dev/pipe", "/dev/socket", "/dev"]
        // Only root can make a device: /dev/full would be read without end.
        if unsafe mknod(tree.path + "/dev/full", S_IFCHR | 0o666, 1 << 8 | 7) == 0 { paths.append("/dev/full") }
        for path in paths {
            tree.link("linked", to: String(path.dropFirst()))
            let below = try capture().directory("/dev")
            let reads: [() throws -> [UInt8]] = [
                { try capture().read(path) }, { try capture().read("/linked") },
                { try path == "/dev" ? capture().read("/dev/.") : below.read(String(path.dropFirst(5))) },
            ]
            for read in reads {
                #expect { try read() } throws: { ($0 as? HostAccessError)?.code == .unreadable }
            }
        }
        for path in paths.dropFirst(3) + ["/dev/pipe", "/dev/socket"] {
            #expect(throws: HostAccessError.self) { try capture().entries(path) }
            #expect(throws: HostAccessError.self) { try capture().directory(path) }
        }
    }

    private func socket(at path: String) throws {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = path.utf8CString
        try #require(name.count <= 108)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (index, byte) in name.enumerated() { unsafe room[index] = UInt8(bitPattern: byte) }
        }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }

    @Test("links that lead in a circle end, as ELOOP")
    func loops() throws {
        tree.link("sys/one", to: "two")
        tree.link("sys/two", to: "one")
        tree.link("sys/self", to: "self")
        for path in ["/sys/one", "/sys/self", "/sys/one/below"] {
            #expect { try capture().read(path) } throws: {
                ($0 as? HostAccessError)?.errno == .tooManySymbolicLinkLevels
            }
            #expect(throws: HostAccessError.self) { try capture().entries(path) }
            #expect(!(try capture().exists(path)))
        }
        // A directory that holds itself is as deep as anybody asks.
        tree.link("sys/again", to: ".")
        tree.file("sys/file", "1")
        #expect(try capture().text("/sys/again/again/again/file") == "1")
    }

    @Test("a file that claims to be endless is not read to its end")
    func huge() throws {
        tree.file("proc/huge", "")
        #expect(unsafe truncate(tree.path + "/proc/huge", 1 << 42) == 0)
        #expect { try capture().read("/proc/huge") } throws: { ($0 as? HostAccessError)?.code == .unreadable }
    }

    @Test("what the host refused when it was captured is refused, with its own answer")
    func refusals() throws {
        tree.link("proc/1/fd", to: ".refused-EACCES")
        tree.link("sys/speed", to: ".refused-EINVAL")
        tree.link("sys/odd", to: ".refused-121")
        tree.link("sys/long", to: ".refused-EFBIG-unreadable")
        let host = try capture()
        #expect { try host.directory("/proc/1/fd") } throws: { ($0 as? HostAccessError)?.errno == .permissionDenied }
        #expect { try host.entries("/proc/1/fd") } throws: { ($0 as? HostAccessError)?.errno == .permissionDenied }
        #expect { try host.directory("/proc/1").entries("fd") } throws: {
            ($0 as? HostAccessError)?.errno == .permissionDenied
        }
        #expect { try host.read("/sys/speed") } throws: { ($0 as? HostAccessError)?.errno == .invalidArgument }
        #expect { try host.directory("/sys").read("speed") } throws: {
            ($0 as? HostAccessError)?.errno == .invalidArgument
        }
        #expect { try host.read("/sys/odd") } throws: { ($0 as? HostAccessError)?.errno.rawValue == 121 }
        #expect { try host.read("/sys/long") } throws: { ($0 as? HostAccessError)?.code == .unreadable }
        tree.link("sys/nonsense", to: ".refused-nonsense")
        #expect { try host.read("/sys/nonsense") } throws: { ($0 as? HostAccessError)?.errno == .noSuchFileOrDirectory }
    }

    @Test("what is not there says so, by its path in the captured host")
    func absent() throws {
        let error = #expect(throws: HostAccessError.self) { try capture().read("/sys/nothing") }
        #expect(error?.errno == .noSuchFileOrDirectory)
        #expect(error?.path == "/sys/nothing")
        #expect(throws: HostAccessError.self) { try capture().entries("/sys/nothing") }
        #expect(throws: HostAccessError.self) { try capture().directory("/sys/nothing") }
        #expect(throws: HostAccessError.self) { try CapturedDirectory(tree.path + "/nothing") }
    }

    @Test("nothing of it is ever changed")
    func readOnly() throws {
        tree.file("sys/driver_override", "(null)\n")
        let host = try capture()
        let requests: [() throws -> Void] = [
            { try host.write("vfio-pci", to: "/sys/driver_override", timeLimit: .seconds(1)) },
            { try host.directory("/sys").write("vfio-pci", to: "driver_override", timeLimit: .seconds(1)) },
            { try host.loadModule("vfio-pci") },
            { try host.replaceFile("/run/vfioctl/journal", with: []) },
            { try host.removeFile("/sys/driver_override") },
            { _ = try host.lock("/run/vfioctl/lock") },
        ]
        for request in requests {
            let error = #expect(throws: HostAccessError.self) { try request() }
            #expect(error?.errno == .readOnlyFileSystem)
        }
        #expect(try host.text("/sys/driver_override") == "(null)")
    }

    @Test("a listing has every name of a large directory")
    func largeDirectory() throws {
        for number in 0..<3000 { tree.file("sys/bus/\(number)", "") }
        #expect(Set(try capture().entries("/sys/bus")) == Set((0..<3000).map(String.init)))
    }
}
