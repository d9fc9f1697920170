internal import Capture
internal import Host
internal import HostAccess
internal import PCI
internal import TestSupport
internal import Testing

@Suite("A capture keeps what kind of content idle disks have")
struct DiskContentCaptureTests {
    let captured = CapturedHost()

    @Test("the kind and the label, which show and bind warn of again; an unknown beginning is kept as nothing")
    func content() throws {
        let card = CapturedHost.card
        for (name, answer) in [("sda", "ext4 my data\n"), ("sdb", "\n")] {
            captured.tree.link("sys/block/\(name)", to: "../\(card.dropFirst(4))/host0/block/\(name)")
            captured.tree.link("sys/class/block/\(name)", to: "../../\(card.dropFirst(4))/host0/block/\(name)")
            captured.tree.directory("\(card)/host0/block/\(name)/holders")
            captured.tree.file("disk-contents/" + name, answer)
        }
        let (capture, directory) = try captured.capture()
        #expect(capture.tree.nodes["/disk-contents/sda"] == .file(Array("ext4 my data".utf8)))
        #expect(capture.tree.nodes["/disk-contents/sdb"] == .file([]))
        var snapshot = try HostSnapshot.read(from: directory)
        #expect(snapshot == capture.snapshot)
        let address = try #require(PCIAddress("01:00.0"))
        snapshot.readSignatures(of: [address], from: directory)
        #expect(
            snapshot.device(at: address)?.signatures == [
                IdleDisk(blockDevice: "sda", content: DiskContent(type: "ext4", label: "my data"))
            ])
    }
}
