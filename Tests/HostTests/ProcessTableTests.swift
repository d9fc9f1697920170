@testable internal import Host
internal import HostAccess
internal import TestSupport
internal import Testing

@Suite("The walk over the processes")
struct ProcessTableTests {
    let host = UsedHost()

    func table(_ bounds: ProcessWalk.Bounds = .init()) throws -> ProcessTable {
        ProcessTable(on: try CapturedDirectory(host.tree.path), bounds: bounds)
    }

    @Test("holders by pid, their nodes once and sorted, what is everyone's left out")
    func holders() throws {
        host.process(
            9, "Xorg", open: "/dev/dri/card0", "/dev/null", "/dev/pts/3", "socket:[5]", "/dev/dri/card0",
            "/dev/dri/renderD128 (deleted)", "/home/x/dev/file", "anon_inode:[eventpoll]")
        host.process(8, "vmm", open: "anon_inode:[vfio-device]")
        let table = try table()
        #expect(
            table.holders == [
                .init(pid: 8, command: "vmm", vfioDescriptors: ["3"]),
                .init(pid: 9, command: "Xorg", nodes: ["/dev/dri/card0", "/dev/dri/renderD128"]),
            ])
        #expect(table.nodes == ["/dev/dri/card0", "/dev/dri/renderD128"])
        #expect(table.holders(of: "/dev/dri/card0").map(\.pid) == [9])
        #expect(table.holders(of: "/dev/dri/card1") == [])
        #expect(table.unseen == [])
    }

    @Test("mount namespaces other than the reader's own, with a few members of each")
    func namespaces() throws {
        host.tree.link("proc/self/ns/mnt", to: "mnt:[1]")
        for (pid, namespace) in [(1, 1), (10, 2), (11, 2), (12, 2), (13, 2), (14, 3)] {
            host.process(pid, "x")
            host.tree.link("proc/\(pid)/ns/mnt", to: "mnt:[\(namespace)]")
        }
        #expect(try table().otherNamespaces == [[10, 11, 12], [14]])
        let bounded = try table(.init(namespaces: 1))
        #expect(bounded.otherNamespaces == [[10, 11, 12]])
        #expect(bounded.unseen.contains { $0.contains("more than 1 mount namespaces") })
    }

    @Test("a walk out of time or past its count says what it left out")
    func bounds() throws {
        host.process(9, "Xorg", open: "/dev/dri/card0")
        let none = try table(.init(time: .zero))
        #expect(none.holders == [])
        #expect(
            none.unseen == [
                "did not look at 2 of 2 processes, for that took too long, so who has its nodes open is known only in part"
            ])
        let first = try table(.init(descriptors: 1))
        #expect(first.unseen.first?.hasPrefix("did not look at 1 of 2 processes") == true)
    }

    @Test("no process at all is not nobody")
    func empty() throws {
        host.tree.removeDirectory("proc/1")
        #expect(try table().unseen.first?.hasPrefix("could not look at processes") == true)
    }

    @Test("processes that /proc hides: other users', and those outside the reader's pid namespace")
    func hidden() throws {
        host.tree.removeDirectory("proc/1")
        host.process(500, "bash")
        #expect(try table().unseen.first?.hasPrefix("not permitted to look at other users' processes") == true)
        host.tree.link("proc/self/ns/pid", to: "pid:[4026532001]")
        #expect(
            try table().unseen.first?.hasPrefix("not permitted to look at processes outside this pid namespace") == true
        )
        host.process(1, "init")
        host.tree.link("proc/self/ns/pid", to: "pid:[4026531836]")
        #expect(try table().unseen == [])
    }

    @Test("processes whose files may not be listed are counted, in a capture too")
    func refused() throws {
        host.tree.file("proc/20/comm", "sshd\n")
        host.tree.file("proc/21/comm", "Xorg\n")
        host.tree.directory("proc/22")
        #expect(
            try table().unseen == [
                "not permitted to look at the open files of 2 processes (/proc/PID/fd), so who has its nodes open is "
                    + "known only in part: root sees all"
            ])
    }
}
