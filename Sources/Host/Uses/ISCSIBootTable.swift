internal import HostAccess
internal import PCI

/// What the firmware tells of an iSCSI disk that it booted from, and the network card that it came through: the iSCSI boot
/// firmware table, `/sys/firmware/ibft` (Documentation/ABI/testing/sysfs-ibft).
struct ISCSIBootTable {
    /// By the PCI function of the card.
    private(set) var uses: [PCIAddress: [Use]] = [:]

    /// Block valid, and selected by the firmware to boot from.
    private static let bootFlags = 3

    init(on host: any HostAccess) {
        let path = "/sys/firmware/ibft/"
        let names: [String]
        do { names = try host.entries(path).sorted() } catch { return }
        let targets = names.filter { $0.hasPrefix("target") }
        for card in names where card.hasPrefix("ethernet") {
            guard let flags = host.optionalText("\(path)\(card)/flags").flatMap({ Int($0) }),
                flags & Self.bootFlags == Self.bootFlags, let link = host.linkName("\(path)\(card)/device"),
                let function = PCIAddress(link)
            else { continue }
            let number = card.dropFirst("ethernet".count)
            for target in targets {
                let home = path + target
                // A target says which card it is reached by; one that does not is reached by any.
                if let own = host.optionalText(home + "/nic-assoc"), own != number { continue }
                let name = host.optionalText(home + "/target-name") ?? "an unnamed target"
                let address = host.optionalText(home + "/ip-addr").map { " at \($0)" } ?? ""
                uses[function, default: []].append(
                    Use(
                        by: .mount,
                        detail: "the firmware booted this host over iSCSI from \(name)\(address), through this card "
                            + "(\(path)\(card))"))
            }
        }
    }
}
