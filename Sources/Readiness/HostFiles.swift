internal import HostAccess
internal import SystemPackage

/// A host's files as a check reads them: small, bounded, and with "is not there" kept apart from "may not be looked at".
struct HostFiles {
    let host: any HostAccess

    /// What became of a look at a file or a directory.
    enum Answer<Content> {
        case content(Content)
        /// Nothing is there.
        case absent
        /// Something is there, and this user may not look at it.
        case forbidden
        /// Something is there that is no ordinary file, or too large.
        case unreadable

        /// What was seen; nil where nothing was.
        var content: Content? {
            if case .content(let content) = self { content } else { nil }
        }

        /// Whether this user was kept from looking.
        var isForbidden: Bool {
            if case .forbidden = self { true } else { false }
        }

        fileprivate init(_ error: HostAccessError) {
            switch error.errno {
            case .noSuchFileOrDirectory, .notDirectory: self = .absent
            case .permissionDenied, .notPermitted: self = .forbidden
            default: self = .unreadable
            }
        }
    }

    /// The files that one directory of settings may hold before the rest is left alone: a bound, not an expectation.
    static let mostFiles = 1024

    /// A text file.
    func text(_ path: String, limit: Int = 1 << 20) -> Answer<String> {
        do throws(HostAccessError) {
            return .content(trimmed(try host.read(path, limit: limit)))
        } catch {
            return Answer(error)
        }
    }

    /// The bytes of a file.
    func bytes(_ path: String, limit: Int = 1 << 16) -> Answer<[UInt8]> {
        do throws(HostAccessError) { return .content(try host.read(path, limit: limit)) } catch { return Answer(error) }
    }

    /// The names in a directory, sorted, at most `mostFiles` of them.
    func listing(_ path: String) -> Answer<[String]> {
        do throws(HostAccessError) {
            return .content(Array(try host.entries(path).sorted().prefix(Self.mostFiles)))
        } catch {
            return Answer(error)
        }
    }

    /// Whether something is there, links followed.
    func exists(_ path: String) -> Bool { host.exists(path) }

    /// The names in a directory; none where it cannot be listed.
    func names(in path: String) -> [String] { listing(path).content ?? [] }

    /// The kernel's command line, word by word.
    var commandLine: [String] {
        text("/proc/cmdline").content?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
    }

    /// The values of an option of the kernel's command line: `on` and `sm_off` of `intel_iommu=on,sm_off`. "-" and "_" are
    /// the same in its name, as the kernel has it.
    func bootValues(of option: String) -> [String] {
        let name = option.underscored + "="
        return commandLine.filter { $0.underscored.hasPrefix(name) }
            .flatMap { $0.dropFirst(name.count).split(separator: ",").map(String.init) }
    }
}

extension StringProtocol {
    /// The name of a module or an option as the kernel spells it inside: `vfio_pci` for `vfio-pci`.
    var underscored: String {
        String(decoding: utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }
}

/// `a, b and c`.
func list(_ items: [String]) -> String {
    guard items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + items[items.count - 1]
}

/// `1 group`, `2 groups`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
