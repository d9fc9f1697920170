/// What `run` can put into the arguments of the command it starts.
///
/// The spelling is exact: `{fd}`, `{fd0}`, `{address1}`, `{iommufd}`, `{ioas}`, `{groupfd0}`, `{containerfd}`. Numbers
/// are decimal without leading zeros. Everything else in braces belongs to the command, JSON above all.
public enum Placeholder: Hashable, Sendable {
    /// `{fdN}`, and `{fd}` for the first: the descriptor of device N.
    case device(Int)
    /// `{addressN}`: the full PCI address of device N.
    case address(Int)
    /// `{iommufd}`: the descriptor of /dev/iommu.
    case iommufd
    /// `{ioas}`: the id of the I/O address space that the devices are attached to.
    case ioas
    /// `{groupfdN}`: the descriptor of the IOMMU group of device N.
    case group(Int)
    /// `{containerfd}`: the descriptor of /dev/vfio/vfio with the groups in it.
    case container

    /// Reads a name without its braces; nil when it is no placeholder's.
    public init?(name: Substring) {
        switch name {
        case "fd": self = .device(0)
        case "iommufd": self = .iommufd
        case "ioas": self = .ioas
        case "containerfd": self = .container
        default:
            let stem = name.utf8.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
            guard let index = Self.index(name.utf8.dropFirst(stem.count)) else { return nil }
            switch Substring(stem) {
            case "fd": self = .device(index)
            case "address": self = .address(index)
            case "groupfd": self = .group(index)
            default: return nil
            }
        }
    }

    /// A decimal number as it is written by hand. One too large for an Int is a number all the same, of a device that
    /// no one gave.
    private static func index(_ digits: Substring.UTF8View) -> Int? {
        guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0"),
            digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else { return nil }
        return Int(Substring(digits)) ?? .max
    }
}

/// One argument of a command, cut at its placeholders.
public struct ArgumentTemplate: Hashable, Sendable {
    /// A stretch of an argument.
    public enum Part: Hashable, Sendable {
        /// Text that stays.
        case text(String)
        /// A placeholder, with the text it was read from (braces included) for messages.
        case placeholder(Placeholder, spelled: String)
    }

    /// The stretches, in order.
    public let parts: [Part]

    /// Finds the placeholders of an argument. A brace that opens none stays as it is, and so do the braces around one:
    /// `{"fd":"{fd}"}` has one placeholder.
    public init(_ argument: String) {
        let bytes = argument.utf8
        var parts: [Part] = []
        var kept = bytes.startIndex
        var position = bytes.startIndex
        while let opening = bytes[position...].firstIndex(of: UInt8(ascii: "{")) {
            let inside = bytes.index(after: opening)
            position = inside
            guard
                let closing = bytes[inside...].firstIndex(where: { $0 == UInt8(ascii: "}") || $0 == UInt8(ascii: "{") }
                ),
                bytes[closing] == UInt8(ascii: "}"), let found = Placeholder(name: argument[inside..<closing])
            else { continue }
            let end = bytes.index(after: closing)
            if kept < opening { parts.append(.text(String(argument[kept..<opening]))) }
            parts.append(.placeholder(found, spelled: String(argument[opening..<end])))
            kept = end
            position = end
        }
        if kept < bytes.endIndex { parts.append(.text(String(argument[kept...]))) }
        self.parts = parts
    }

    /// The argument with each placeholder replaced by what `value` gives for it.
    public func filled<Failure>(_ value: (Placeholder, _ spelled: String) throws(Failure) -> String) throws(Failure)
        -> String
    {
        var text = ""
        for part in parts {
            switch part {
            case .text(let kept): text += kept
            case .placeholder(let placeholder, let spelled): text += try value(placeholder, spelled)
            }
        }
        return text
    }
}
