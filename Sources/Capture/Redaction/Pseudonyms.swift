internal import PCI

/// Other values for what tells which machine a host is: the same value gets the same one everywhere, and in the same order
/// when the same host is captured again.
struct Pseudonyms {
    var addresses = AddressPseudonyms()
    private var hardwareAddresses: [[UInt8]: [UInt8]] = [:]
    private var serials: [String: String] = [:]
    /// Serial numbers long enough not to be mistaken for other words: they are replaced wherever they appear.
    private(set) var distinctiveSerials: Set<String> = []
    private var hosts: [String: String] = [:]
    /// Names of hosts, the longest first.
    private(set) var hostNames: [String] = []

    // MARK: hardware addresses

    /// The address that stands for one of Ethernet (6 bytes), InfiniBand (20) or an EUI-64.
    ///
    /// All zeros, all ones and Ethernet's groups are everybody's.
    mutating func hardwareAddress(_ bytes: [UInt8]) -> [UInt8] {
        guard let first = bytes.first, Set(bytes) != [0], Set(bytes) != [0xff], bytes.count > 3,
            bytes.count != 6 || first & 1 == 0
        else { return bytes }
        if let known = hardwareAddresses[bytes] { return known }
        // Locally administered: no maker's number.
        var pseudonym = [UInt8](repeating: 0, count: bytes.count)
        pseudonym[0] = 2
        let number = hardwareAddresses.count + 1
        for place in 0..<3 { pseudonym[bytes.count - 1 - place] = UInt8(truncatingIfNeeded: number >> (8 * place)) }
        hardwareAddresses[bytes] = pseudonym
        return pseudonym
    }

    /// The address that stands for a known one of six bytes; nil for any other bytes.
    func known(hardwareAddress bytes: [UInt8]) -> [UInt8]? { hardwareAddresses[bytes] }

    // MARK: serial numbers

    /// What makers write who have no serial number.
    private static let blanks: Set<String> = [
        "none", "na", "null", "unknown", "notspecified", "notapplicable", "notavailable", "notprovided",
        "defaultstring",
        "tobefilledbyoem", "systemserialnumber", "chassisserialnumber", "baseboardserialnumber", "assettag",
        "noassettag",
        "noassetinformation", "0123456789", "123456789",
    ]

    /// Words at the beginning that say what kind of name follows.
    private static let kinds = [
        "eui.", "naa.", "uuid.", "nvme.", "t10.", "nqn.", "iqn.", "0x", "LVM-", "CRYPT-", "mpath-", "DMRAID-",
    ]

    /// The serial number, or unique name, that stands for one: as long, with the same dots and dashes, all digits.
    mutating func serial(_ text: String) -> String {
        let kind = Self.kinds.first { text.hasPrefix($0) } ?? ""
        let own = text.dropFirst(kind.count)
        let key = own.lowercased().filter { $0.isASCII ? $0.isLetter || $0.isNumber : true }
        guard !key.isEmpty, !key.allSatisfy({ $0 == "0" }), !key.allSatisfy({ $0 == "f" }), !Self.blanks.contains(key)
        else { return text }
        let digits: String
        if let known = serials[key] {
            digits = known
        } else {
            let number = String(serials.count + 1)
            digits = String(repeating: "0", count: max(key.count - number.utf8.count, 0)) + number
            serials[key] = digits
        }
        if key.utf8.count >= 6, key.contains(where: \.isNumber) { distinctiveSerials.insert(text) }
        return kind + Self.shaped(digits, as: own)
    }

    /// Puts digits in the place of the letters and digits of a text, its punctuation kept.
    private static func shaped(_ digits: String, as text: Substring) -> String {
        var rest = digits[...]
        var shaped = ""
        for character in text {
            if character.isASCII, !character.isLetter, !character.isNumber {
                shaped.append(character)
            } else if let digit = rest.popFirst() {
                shaped.append(digit)
            }
        }
        return shaped + rest
    }

    /// The bytes that stand for a serial number of bytes, which others know by its hexadecimal digits.
    mutating func serial(bytes: [UInt8]) -> [UInt8] {
        let digits = Array(serial(bytes.map { hexadecimal($0, width: 2) }.joined()).utf8)
        return bytes.indices.map { index in
            let pair = [2 * index, 2 * index + 1].map { $0 < digits.count ? hexadecimalDigit(digits[$0]) ?? 0 : 0 }
            return pair[0] << 4 | pair[1]
        }
    }

    // MARK: host names

    /// Takes note of a host's name, with and without its domain.
    mutating func learn(host name: String) {
        let short = name.split(separator: ".").first.map(String.init) ?? name
        guard !["", "(none)", "localhost", "localdomain", "none"].contains(short), hosts[name] == nil else { return }
        let number = hosts[short] ?? "host-\(Set(hosts.values).count + 1)"
        for name in [name, short] {
            hosts[name] = number
            hostNames.append(name)
        }
        hostNames = Set(hostNames).sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
    }

    /// The name that stands for a known host's.
    func host(_ name: String) -> String? { hosts[name] }
}
