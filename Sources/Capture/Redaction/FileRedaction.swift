internal import Netlink
internal import PCI

/// What is replaced in one file of a host, by what the kernel writes there.
struct FileRedaction {
    private let path: String
    private let name: Substring
    private let content: [UInt8]

    init(_ content: [UInt8], at path: String) {
        self.path = path
        self.content = content
        name = path.split(separator: "/").last ?? ""
    }

    /// The file with everything replaced; nil when it cannot be trusted to be: it is left out then.
    func run(_ pseudonyms: inout Pseudonyms) -> [UInt8]? {
        if isLeftAlone { return content }
        if path.hasPrefix("/netlink/") {
            var redaction = NetlinkRedaction(content)
            return redaction.run(&pseudonyms)
        }
        if path.hasPrefix("/sys/") {
            switch name {
            case "config": return configuration(&pseudonyms)
            case "vpd": return VitalProductDataRedaction(content).run(&pseudonyms)
            case _ where name.hasPrefix("vpd_pg") || name == "inquiry": return Array(repeating: 0, count: content.count)
            case _ where Self.identifiers.contains(String(name)): return identifier(&pseudonyms)
            default: return text(content, &pseudonyms, replacesHosts: Self.freeTexts.contains(String(name)))
            }
        }
        if path.hasPrefix("/run/udev/data/") { return text(udevRecord(), &pseudonyms) }
        if let table = networkTable { return tableRedacted(table, &pseudonyms) }
        return text(path == "/proc/cmdline" ? kernelArguments(&pseudonyms) : content, &pseudonyms)
    }

    // MARK: whole files

    /// What is the same on every machine with this kernel: versions look like addresses.
    private var isLeftAlone: Bool {
        ["/lib/modules/", "/usr/lib/modules/", "/boot/"].contains { path.hasPrefix($0) }
            || ["version", "release", "firmware_rev", "fw_ver", "modalias"].contains { name.hasSuffix($0) }
    }

    /// Attributes whose whole value is a serial number or a name in a world-wide scheme.
    private static let identifiers: Set<String> = [
        "serial", "serial_number", "unique_id", "unique_number", "uuid", "wwid", "wwn", "nguid", "eui", "cid",
        "board_serial", "chassis_serial", "product_serial", "product_uuid", "board_asset_tag", "chassis_asset_tag",
        "phys_port_id", "phys_switch_id", "node_guid", "port_guid", "sys_image_guid", "node_name", "port_name",
        "fabric_name", "permanent_port_name", "sas_address", "subsysnqn", "hostnqn", "hostid", "initiatorname",
        "targetname", "array_id",
    ]

    /// Attributes in which people, or programs, write what they like.
    private static let freeTexts: Set<String> = [
        "ifalias", "symbolic_name", "hostname", "label", "name", "backing_file", "address",
    ]

    private func identifier(_ pseudonyms: inout Pseudonyms) -> [UInt8] {
        let redacted = text(content, &pseudonyms)
        // A hardware address in other words (phys_port_id), or a UUID: it stays tied to what it is the same as.
        if redacted != content { return redacted }
        let whole = String(decoding: content, as: UTF8.self)
        let core = whole.drop { $0.isWhitespace }
        guard let last = core.lastIndex(where: { !$0.isWhitespace && $0 != "\0" }) else { return content }
        let end = core.index(after: last)
        return Array(
            (whole[..<core.startIndex] + pseudonyms.serial(String(core[..<end])) + core[end...]).utf8)
    }

    private func text(_ bytes: [UInt8], _ pseudonyms: inout Pseudonyms, replacesHosts: Bool = true) -> [UInt8] {
        var redaction = TextRedaction(bytes, replacesHosts: replacesHosts)
        return redaction.run(&pseudonyms)
    }

    /// Configuration space with another serial number in the capability that has one.
    private func configuration(_ pseudonyms: inout Pseudonyms) -> [UInt8] {
        var bytes = content
        for capability in ConfigurationSpace(bytes: content).extendedCapabilities {
            guard case .deviceSerialNumber(let serial) = capability.content else { continue }
            // Its number is written little-endian; people read it with the highest byte first.
            let replacement = pseudonyms.serial(
                bytes: (0..<8).map { UInt8(truncatingIfNeeded: serial.number >> (56 - 8 * $0)) })
            for (index, byte) in replacement.reversed().enumerated() { bytes[capability.offset + 4 + index] = byte }
        }
        return bytes
    }

    // MARK: lines

    private var lines: [Substring] {
        String(decoding: content, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// What udev found on a disk; its links and the rest of its record are all ids.
    private func udevRecord() -> [UInt8] {
        let kept = ["E:ID_FS_TYPE=", "E:ID_FS_LABEL=", "E:ID_FS_USAGE=", "E:ID_PART_TABLE_TYPE="]
        return Array(lines.filter { line in kept.contains { line.hasPrefix($0) } }.joined(separator: "\n").utf8)
    }

    /// `root=PARTUUID=1234abcd-01`: such short ids have no form of their own.
    private func kernelArguments(_ pseudonyms: inout Pseudonyms) -> [UInt8] {
        let words = String(decoding: content, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        let redacted = words.map { word -> String in
            for key in ["UUID=", "uuid="] {
                guard let range = word.firstRange(of: key) else { continue }
                let value = word[range.upperBound...].prefix { !$0.isWhitespace && $0 != "," && $0 != ":" && $0 != "/" }
                return word[..<range.upperBound] + pseudonyms.serial(String(value)) + word[value.endIndex...]
            }
            return String(word)
        }
        return Array(redacted.joined(separator: " ").utf8)
    }

    // MARK: /proc/net

    /// The tables that have addresses in hexadecimal: which of a line's fields, and in which order their bytes are.
    private struct Table {
        var fields: [Int]
        /// The number of 32 bits is written in the machine's own order, as `/proc/net/route` does.
        var isNative: Bool
        /// The field with the prefix length, or the mask, of the field before it.
        var length: Int?
        var mask: Int?
        /// A port follows the address.
        var hasPort = false
    }

    private var networkTable: Table? {
        guard path.hasPrefix("/proc/"), path.split(separator: "/").dropLast().last == "net" else { return nil }
        return switch name {
        case "route": Table(fields: [1, 2], isNative: true, mask: 7)
        case "if_inet6": Table(fields: [0], isNative: false, length: 2)
        case "ipv6_route": Table(fields: [0, 2, 4], isNative: false, length: 1)
        case "tcp", "tcp6", "udp", "udp6": Table(fields: [1, 2], isNative: true, hasPort: true)
        default: nil
        }
    }

    private func tableRedacted(_ table: Table, _ pseudonyms: inout Pseudonyms) -> [UInt8] {
        let redacted = lines.map { line -> String in
            var fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            let separator = line.contains("\t") ? "\t" : " "
            var changes = false
            for index in table.fields where index < fields.count {
                let parts = fields[index].split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == (table.hasPort ? 2 : 1),
                    let address = Self.address(parts[0], isNative: table.isNative)
                else { continue }
                pseudonyms.addresses.learn(address.unmapped)
                if index == table.fields[0] { learnNetwork(of: address, fields, table, &pseudonyms) }
                fields[index] = Self.digits(pseudonyms.addresses[address], isNative: table.isNative)
                if table.hasPort { fields[index] += ":" + parts[1] }
                changes = true
            }
            return changes ? fields.joined(separator: separator) : String(line)
        }
        return Array(redacted.joined(separator: "\n").utf8)
    }

    private func learnNetwork(of address: IPAddress, _ fields: [String], _ table: Table, _ pseudonyms: inout Pseudonyms)
    {
        if let index = table.length, index < fields.count, let length = Int(fields[index], radix: 16) {
            pseudonyms.addresses.learn(networkOf: address, length: length)
        } else if let index = table.mask, index < fields.count, let mask = UInt32(fields[index], radix: 16) {
            pseudonyms.addresses.learn(networkOf: address, length: mask.nonzeroBitCount)
        }
    }

    private static func address(_ text: Substring, isNative: Bool) -> IPAddress? {
        let digits = text.utf8.compactMap { hexadecimalDigit($0) }
        guard digits.count == text.utf8.count, [8, 32].contains(digits.count) else { return nil }
        let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        return IPAddress(bytes: isNative ? swapped(bytes) : bytes)
    }

    private static func digits(_ address: IPAddress, isNative: Bool) -> String {
        (isNative ? swapped(address.bytes) : address.bytes)
            .map { isNative ? hexadecimal($0, width: 2).uppercased() : hexadecimal($0, width: 2) }.joined()
    }

    /// Each 32 bits in the machine's own order for those in the order of the wire, and the other way round.
    private static func swapped(_ bytes: [UInt8]) -> [UInt8] {
        guard UInt16(littleEndian: 1) == 1 else { return bytes }
        return stride(from: 0, to: bytes.count, by: 4).flatMap { bytes[$0..<($0 + 4)].reversed() }
    }
}
