internal import Host
internal import PCI
internal import Rendering

/// The contract's answer of `groups`.
struct GroupsReport: Encodable {
    /// Addresses are strings, as the kernel writes them: a JSON number loses bits above 2^53 in many readers.
    struct Region: Encodable {
        var start: String
        var end: String
        var type: String
    }

    struct Group: Encodable {
        var id: Int
        var devices: [PCIAddress]
        var viable: Bool
        var reasons: [String]
        var reserved: [Region]
    }

    let schema = "vfioctl.groups/1"
    var groups: [Group]

    init(_ snapshot: HostSnapshot) {
        groups = snapshot.groups.map { group in
            let verdict = snapshot.viability(of: group)
            return Group(
                id: group.id, devices: group.devices, viable: verdict.isViable, reasons: verdict.reasons,
                reserved: group.reserved.map {
                    Region(
                        start: "0x" + hexadecimal($0.start, width: 1), end: "0x" + hexadecimal($0.end, width: 1),
                        type: $0.type)
                })
        }
    }

    func text(explain: Bool, of snapshot: HostSnapshot) -> String {
        var text = ""
        for group in groups {
            text += "group \(group.id)  " + (group.viable ? "viable" : "not viable: ")
            text += group.reasons.joined(separator: ", ").printable + "\n"
            for address in group.devices {
                text += "  \(address)  \((snapshot.device(at: address)?.driver ?? "-").printable)\n"
            }
            guard explain else { continue }
            for region in group.reserved {
                text += "  reserved \(region.start)-\(region.end)  \(region.type.printable)\n"
            }
        }
        return text
    }
}
