internal import HostAccess
internal import Netlink
internal import PCI
internal import Testing

@testable internal import Capture

@Suite("Redaction: what tells which machine it was is replaced, the same by the same")
struct RedactionTests {
    /// Redacts files given by path; the texts that come out.
    func redacted(_ files: [String: String], hostNames: [String] = []) -> [String: String] {
        let tree = CaptureTree(files.mapValues { .file(Array($0.utf8)) })
        return HostRedaction.redacted(tree, hostNames: hostNames).nodes.mapValues { node in
            if case .file(let content) = node { String(decoding: content, as: UTF8.self) } else { "(no file)" }
        }
    }

    func redacted(_ text: String, at path: String = "/proc/text") -> String {
        redacted([path: text])[path] ?? "(gone)"
    }

    @Test("hardware addresses, in every way they are written, and in names made of them")
    func hardwareAddresses() throws {
        let tree = HostRedaction.redacted(
            CaptureTree([
                "/sys/devices/x/net/enx525400123456/address": .file(Array("52:54:00:12:34:56\n".utf8)),
                "/sys/class/net/enx525400123456": .link("../../devices/x/net/enx525400123456"),
                "/sys/devices/x/net/enx525400123456/phys_port_id": .file(Array("525400123456\n".utf8)),
                "/sys/devices/y/net/ib0/address": .file(
                    Array("80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1\n".utf8)),
                "/proc/a": .file(Array("52-54-00-12-34-56 52:54:00:12:34:57 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff".utf8)),
            ]))
        let name = "enx020000000001"
        #expect(tree.nodes["/sys/class/net/" + name] == .link("../../devices/x/net/" + name))
        #expect(tree.nodes["/sys/devices/x/net/\(name)/address"] == .file(Array("02:00:00:00:00:01\n".utf8)))
        #expect(tree.nodes["/sys/devices/x/net/\(name)/phys_port_id"] == .file(Array("020000000001\n".utf8)))
        #expect(
            tree.nodes["/proc/a"]
                == .file(Array("02-00-00-00-00-01 02:00:00:00:00:02 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff".utf8)))
        guard case .file(let infiniband) = tree.nodes["/sys/devices/y/net/ib0/address"] else {
            Issue.record("no address")
            return
        }
        #expect(!String(decoding: infiniband, as: UTF8.self).contains("f4:52"))
        #expect(infiniband.count == 60)
    }

    @Test(
        "what only looks like an address is left",
        arguments: [
            "0000:01:00.0", "PCI_SLOT_NAME=0000:01:00.0\nPCI_ID=8086:10C9\n", "12:34:56", "pci:v00008086d000010C9sv",
            "6.12.117+deb12-amd64", "1.2.3.4.5", "0x00000000fee00000 0x00000000feefffff msi", "input3::capslock",
            "00000000-00000fff : Reserved\n", "25 1 259:2 / / rw - ext4 /dev/vda1 rw", "0-3,8", "rev 10.1",
            "pci0000:00/0000:00:1c.0/0000:01:00.0", "7:1:2", "::", "..", "1...2", "52:54:00:12:34",
        ])
    func lookAlikes(text: String) { #expect(redacted(text) == text) }

    @Test("IP addresses in texts, whatever is around them")
    func ipAddresses() {
        let text = redacted(
            """
            server:/srv /mnt nfs4 rw,addr=192.0.2.10,clientaddr=192.0.2.77 0 0
            [2001:db8::5]:/export traddr=2001:db8::5,trsvcid=4420 fe80::1%eth0.
            ip=192.0.2.77::192.0.2.1:255.255.255.0:myhost:eth0:off 192.0.2.0/24
            """, at: "/proc/9/mounts")
        for leak in ["192.0.2", "2001:db8", "fe80::1%"] { #expect(!text.contains(leak), "\(text)") }
        #expect(text.contains(":255.255.255.0:"))
        #expect(text.contains(":/export traddr=4000::"))
        #expect(text.contains("%eth0."))
    }

    @Test("tables of /proc/net, in the byte order of each")
    func networkTables() throws {
        let files = redacted([
            "/proc/7/net/route":
                "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
                + "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                + "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
            "/proc/7/net/tcp": "  0: 4D0200C0:0016 0A0200C0:C350 01 0:0\n",
            "/proc/7/net/fib_trie": "  |-- 192.0.2.77\n     /32 host LOCAL\n",
            "/proc/7/net/if_inet6": "20010db8000000000000000000000005 02 40 00 80     eth0\n",
        ])
        let route = try #require(files["/proc/7/net/route"])
        #expect(route.contains("eth0\t00000000\t010000F0\t0003"), "\(route)")
        #expect(route.contains("eth0\t000000F0\t00000000\t0001\t0\t0\t0\t00FFFFFF"), "\(route)")
        #expect(files["/proc/7/net/tcp"]?.contains("0: 030000F0:0016 020000F0:C350 01") == true, "\(files)")
        #expect(files["/proc/7/net/fib_trie"]?.contains("|-- 240.0.0.3\n") == true, "\(files)")
        #expect(files["/proc/7/net/if_inet6"]?.hasPrefix("40000000000000000000000000000001 02 40") == true, "\(files)")
    }

    @Test("serial numbers and unique names keep their form; what says there is none stays")
    func serials() {
        let files = redacted([
            "/sys/class/nvme/nvme0/serial": "S3Z8NB0K123456      \n",
            "/sys/class/block/nvme0n1/wwid": "eui.0025385b71b01234\n",
            "/sys/class/dmi/id/product_uuid": "4c4c4544-0042-3510-8052-b4c04f4a4d32\n",
            "/sys/class/dmi/id/board_serial": "To Be Filled By O.E.M.\n",
            "/sys/class/dmi/id/chassis_serial": "\n",
            "/sys/class/fc_host/host7/port_name": "0x21000024ff543210\n",
            "/proc/text": "disk S3Z8NB0K123456 uuid 4C4C4544-0042-3510-8052-B4C04F4A4D32",
        ])
        #expect(files["/sys/class/nvme/nvme0/serial"]?.hasSuffix("      \n") == true)
        #expect(files["/sys/class/nvme/nvme0/serial"]?.utf8.count == 21)
        #expect(files["/sys/class/block/nvme0n1/wwid"]?.hasPrefix("eui.00000000000000") == true)
        #expect(files["/sys/class/dmi/id/board_serial"] == "To Be Filled By O.E.M.\n")
        #expect(files["/sys/class/dmi/id/chassis_serial"] == "\n")
        #expect(files["/sys/class/fc_host/host7/port_name"]?.hasPrefix("0x00000000000000") == true)
        let serial = files["/sys/class/nvme/nvme0/serial"]?.prefix(14) ?? "?"
        let uuid = files["/sys/class/dmi/id/product_uuid"]?.dropLast() ?? "?"
        #expect(files["/proc/text"] == "disk \(serial) uuid \(uuid)")
        #expect(!files.values.contains { $0.contains("S3Z8") || $0.lowercased().contains("4c4c4544") })
    }

    @Test("host names: the host's own, servers of mounts and of the boot")
    func hostNames() {
        let files = redacted(
            [
                "/etc/hosts": "127.0.0.1 node7.corp.example node7\n",
                "/proc/9/mountinfo":
                    "30 1 0:50 / /mnt rw - nfs4 filer.corp.example:/vol rw\n31 1 0:51 / /smb rw - cifs //winbox/share rw\n"
                    + "32 1 0:52 / /home/me rw - fuse.sshfs me@builder:/src rw\n",
                "/proc/cmdline":
                    "root=/dev/mapper/node7--vg-root nfsroot=bootserver:/srv hostname=node7 root=PARTUUID=1a2b3c4d-02\n",
                "/sys/devices/virtual/block/dm-0/dm/name": "node7--vg-root\n",
                "/sys/devices/x/uevent": "DRIVER=node7\n",
            ], hostNames: ["node7.corp.example"])
        for leak in ["filer", "winbox", "builder", "bootserver", "corp", "1a2b3c4d"] {
            #expect(!files.values.contains { $0.contains(leak) }, "\(leak): \(files)")
        }
        let own = "host-1"
        #expect(files["/etc/hosts"] == "127.0.0.1 host-1 host-1\n")
        #expect(files["/sys/devices/virtual/block/dm-0/dm/name"] == "\(own)--vg-root\n")
        #expect(files["/proc/cmdline"]?.hasPrefix("root=/dev/mapper/\(own)--vg-root ") == true)
        #expect(files["/sys/devices/x/uevent"] == "DRIVER=node7\n", "a driver's name is no host's")
    }

    @Test("the serial number in configuration space")
    func configurationSpace() throws {
        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes[0] = 0x86
        bytes[1] = 0x80
        bytes.replaceSubrange(0x100..<0x10c, with: [3, 0, 1, 0, 0x56, 0x34, 0x12, 0xff, 0xff, 0, 0x54, 0x52])
        // An extended list is only looked at behind PCI Express.
        bytes[0x06] = 0x10
        bytes[0x34] = 0x40
        bytes[0x40] = 0x10
        bytes[0x42] = 0x02
        let tree = HostRedaction.redacted(
            CaptureTree(["/sys/devices/pci0000:00/0000:00:01.0/config": .file(bytes)]))
        guard case .file(let redacted) = tree.nodes["/sys/devices/pci0000:00/0000:00:01.0/config"] else {
            Issue.record("no configuration space")
            return
        }
        #expect(Array(redacted[0x104..<0x10c]) == [1, 0, 0, 0, 0, 0, 0, 0])
        bytes.replaceSubrange(0x104..<0x10c, with: [1, 0, 0, 0, 0, 0, 0, 0])
        #expect(redacted == bytes)
    }

    @Test("the serial number in vital product data, with a true checksum; what makes no sense is blanked")
    func vitalProductData() throws {
        let fields = Array("PN\u{4}ABCDSN\u{6}X12345V0\u{3}mac".utf8)
        var data: [UInt8] = [0x82, 4, 0] + Array("Card".utf8) + [0x90, UInt8(fields.count + 4), 0] + fields
        data += Array("RV".utf8) + [1, 0]
        data[data.count - 1] = 0 &- data.reduce(0, &+)
        data.append(0x78)
        let path = "/sys/devices/pci0000:00/0000:00:01.0/vpd"
        guard case .file(let redacted) = HostRedaction.redacted(CaptureTree([path: .file(data)])).nodes[path] else {
            Issue.record("no vital product data")
            return
        }
        let text = String(decoding: redacted, as: UTF8.self)
        #expect(text.contains("ABCD") && text.contains("Card"))
        #expect(!text.contains("X12345") && !text.contains("mac"))
        #expect(redacted.count == data.count)
        #expect(redacted.dropLast().reduce(0, &+) == 0)
        for broken in [Array(data.dropLast(20)), [0x90, 200, 0, 1, 2, 3, 4], [0x90], [9, 9]] as [[UInt8]] {
            guard case .file(let rest) = HostRedaction.redacted(CaptureTree([path: .file(broken)])).nodes[path] else {
                Issue.record("no vital product data")
                return
            }
            #expect(rest.count == broken.count)
            #expect(!String(decoding: rest, as: UTF8.self).contains("X12345"))
        }
    }

    @Test("udev's records keep what they say of content, and nothing else")
    func udev() {
        let record =
            "S:disk/by-id/nvme-Samsung_S3Z8\nE:ID_SERIAL=S3Z8\nE:ID_FS_TYPE=ext4\nE:ID_FS_UUID=0b9f\nE:ID_FS_LABEL=root"
        #expect(redacted(record, at: "/run/udev/data/b259:0") == "E:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=root")
    }

    @Test("names of EFI's variables stay what programs look for")
    func firmware() {
        let path = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        #expect(redacted([path: "x"]).keys.first == path)
    }
}

@Suite("Redaction of netlink dumps")
struct NetlinkRedactionTests {
    func dump(_ messages: [[UInt8]]) -> [UInt8] {
        let done = MessageBuilder(type: .done, flags: [.multi])
        return (messages + [done.bytes]).flatMap { $0 }
    }

    @Test("links, addresses and routes still belong together, and are nobody's")
    func together() throws {
        var link = MessageBuilder(type: .newLink, flags: [.multi])
        try link.append(bytes: [0, 0, 1, 0, 2, 0, 0, 0, 0x43, 0x10, 1, 0, 0, 0, 0, 0])
        try link.add(Link.Key.name, text: "enx525400123456")
        try link.add(Link.Key.hardwareAddress, [0x52, 0x54, 0, 0x12, 0x34, 0x56])
        try link.add(54, [0x52, 0x54, 0, 0x12, 0x34, 0x56])
        try link.nest(22) { (list: inout MessageBuilder) throws(NetlinkError) in
            try list.add(1, [0x52, 0x54, 0, 1, 1, 1])
        }
        var address = MessageBuilder(type: .newAddress, flags: [.multi])
        try address.append(bytes: [2, 24, 0, 0, 2, 0, 0, 0])
        try address.add(InterfaceAddress.Key.address, [192, 0, 2, 77])
        try address.add(InterfaceAddress.Key.local, [192, 0, 2, 77])
        try address.add(4, [192, 0, 2, 255])
        var route = MessageBuilder(type: .newRoute, flags: [.multi])
        try route.append(bytes: [2, 24, 0, 0, 254, 2, 0, 1, 0, 0, 0, 0])
        try route.add(Route.Key.destination, [192, 0, 2, 0])
        try route.add(Route.Key.interface, number: Int32(2))
        var defaultRoute = MessageBuilder(type: .newRoute, flags: [.multi])
        try defaultRoute.append(bytes: [2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0])
        var hop: [UInt8] = [16, 0, 0, 0, 2, 0, 0, 0]
        hop += [8, 0, 5, 0, 192, 0, 2, 1]
        try defaultRoute.add(Route.Key.multipath, hop)

        let tree = HostRedaction.redacted(
            CaptureTree([
                "/netlink/link": .file(dump([link.bytes])), "/netlink/address": .file(dump([address.bytes])),
                "/netlink/route": .file(dump([route.bytes, defaultRoute.bytes])),
            ]))
        func bytes(_ name: String) throws -> [UInt8] {
            guard case .file(let bytes) = tree.nodes["/netlink/" + name] else {
                Issue.record("no \(name)")
                return []
            }
            return bytes
        }
        let links = try Dumped<Link>(try bytes("link")).values
        #expect(links.map(\.name) == ["enx020000000001"])
        #expect(links.map(\.hardwareAddress) == [[2, 0, 0, 0, 0, 1]])
        let addresses = try Dumped<InterfaceAddress>(try bytes("address")).values
        let own = try #require(addresses.first).local
        #expect(own.description.hasPrefix("240.0.0."))
        let routes = try Dumped<Route>(try bytes("route")).values
        #expect(routes.map(\.destination.description) == ["240.0.0.0/24", "0.0.0.0/0"])
        #expect(routes[1].nextHops.first?.gateway?.masked(to: 24) == own.masked(to: 24))
        for name in ["link", "address", "route"] {
            let text = try bytes(name)
            for secret in [[0x52, 0x54, 0], [192, 0, 2]] as [[UInt8]] {
                #expect(!text.indices.contains { text[$0...].starts(with: secret) }, "\(name)")
            }
        }
    }

    @Test("a dump that makes no sense is left out")
    func broken() {
        for bytes in [[1, 2, 3], [255, 255, 255, 255, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] as [[UInt8]] {
            #expect(
                HostRedaction.redacted(CaptureTree(["/netlink/link": .file(bytes)])).nodes["/netlink/link"] == .unread)
        }
    }
}
