public import HostAccess

/// Something that must be so on a host, as data: a guard before a step, or its goal after it.
///
/// Paths are relative to the step's own directory, so that a condition is about one device and not about whatever took
/// its address meanwhile.
public enum Condition: Hashable, Sendable, Codable {
    /// The text attribute at `path` reads `equals`, white space at either end aside.
    case value(path: String, equals: String)
    /// The link at `path` ends in `name`; with nil, there is no link.
    case link(path: String, name: String?)
    /// Something is at `path`.
    case exists(path: String)
    /// Nothing is at `path`.
    case missing(path: String)
    /// The list of numbers at `path` ("0-3,8") is not empty and lies within `list`.
    case within(path: String, list: NumberList)

    /// Looks whether this is so.
    ///
    /// - Returns: nil when it is; else what is seen instead, for a person.
    public func violation(in directory: any HostDirectory) -> String? {
        switch self {
        case .value(let path, let expected):
            do throws(HostAccessError) {
                let seen = try directory.text(path)
                return seen == expected ? nil : "\(path) is \(quoted(seen)), not \(quoted(expected))"
            } catch {
                return error.description
            }
        case .link(let path, let expected):
            let seen = directory.linkName(path)
            if seen == expected { return nil }
            return "\(path) is \(seen ?? "none"), not \(expected ?? "none")"
        case .exists(let path):
            return directory.exists(path) ? nil : "\(path) is not there"
        case .missing(let path):
            return directory.exists(path) ? "\(path) is still there" : nil
        case .within(let path, let list):
            do throws(HostAccessError) {
                let text = try directory.text(path)
                guard let seen = NumberList(text), !seen.isEmpty else { return "\(path) is \(quoted(text))" }
                return seen.isSubset(of: list) ? nil : "\(path) is \(text), not within \(list)"
            } catch {
                return error.description
            }
        }
    }

    private func quoted(_ text: String) -> String { text.isEmpty ? "empty" : text }
}
