internal import HostAccess

/// What a capture keeps of other programs' settings. `check` reads some that have passwords in them, and that only root
/// may read: a capture is for everybody to read, and keeps the settings that were looked for and no others.
enum SettingsFilter {
    /// What is kept of a file; nil when nothing may be.
    ///
    /// - Parameter permissions: who may read it on the host; nil where that is not known, in a capture for one.
    static func kept(_ content: [UInt8], at path: String, permissions: NodePermissions?) -> [UInt8]? {
        if ["/sys/", "/proc/", "/dev/", "/netlink/", "/boot/", "/disk-contents/"].contains(where: { path.hasPrefix($0) }
        ) {
            return content
        }
        if path.contains("/NetworkManager/") || path.contains("/network-scripts/") { return keyfile(content) }
        if path.hasPrefix("/etc/libvirt/") { return domain(content) }
        let isPublic = permissions.map { $0.mode & 0o004 != 0 } ?? true
        return isPublic ? content : nil
    }

    /// Sections, and the keys that say who sets how many virtual functions of what. Other lines stay, empty, so that those
    /// that are kept have their numbers.
    private static func keyfile(_ content: [UInt8]) -> [UInt8] {
        let keys: Set<Substring> = ["total-vfs", "interface-name", "SRIOV_TOTAL_VFS", "DEVICE"]
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            line -> [UInt8] in
            let text = String(decoding: line, as: UTF8.self)
            let key = text.prefix { $0 != "=" }.split(whereSeparator: \.isWhitespace).first
            let isSection = text.hasPrefix("[") && !text.contains("=")
            return isSection || key.map(keys.contains) == true ? Array(line) : []
        }
        return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// The tags that say which host devices a domain or a network has; of what is between tags, nothing.
    private static func domain(_ content: [UInt8]) -> [UInt8] {
        let tags: Set<Substring> = ["hostdev", "interface", "source", "address", "forward", "pf"]
        var kept: [UInt8] = []
        var rest = content[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")),
            let end = rest[start...].firstIndex(of: UInt8(ascii: ">"))
        {
            let tag = rest[start...end]
            rest = rest[(end + 1)...]
            let text = String(decoding: tag.dropFirst().dropLast(), as: UTF8.self)
            let name = text.drop { $0 == "/" }.prefix { !$0.isWhitespace && $0 != "/" }
            guard tags.contains(name) else { continue }
            // What a disk's source names is nobody's business; a device's is in the address within.
            let bare = (text.hasPrefix("/") ? "</" : "<") + "source" + (text.hasSuffix("/") ? "/>" : ">")
            kept.append(contentsOf: name == "source" ? Array(bare.utf8) : Array(tag))
            kept.append(UInt8(ascii: "\n"))
        }
        return kept
    }
}
