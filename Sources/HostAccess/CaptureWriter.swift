internal import Glibc
internal import LinuxIO
internal import SystemPackage

/// Writes a tree into a directory that was not there before.
///
/// The directory and everything in it is made anew, below open descriptors, and no link is followed: whatever a captured
/// host's paths say, nothing that was there before is changed. Unless `keep` is called in the end, all of it is removed when
/// the writer goes.
public struct CaptureWriter: ~Copyable {
    private let directory: String
    private let top: OwnedDescriptor
    private var written: Branch?
    private var isKept = false

    /// Makes the directory: mkdir(2), 0755.
    ///
    /// - Parameter directory: its place in the file system of the machine that writes.
    /// - Throws: the kernel's answer: EEXIST when something is there already, whatever it is.
    public init(_ directory: String) throws(HostAccessError) {
        self.directory = directory
        do {
            top = try OwnedDescriptor.workingDirectory().makeDirectory(directory)
        } catch {
            throw HostAccessError(.make, directory, errno: error.errno)
        }
    }

    deinit {
        guard !isKept else { return }
        written?.remove(from: top)
        // One that cannot be removed is left: whoever gave up has an error to tell already.
        do { try OwnedDescriptor.workingDirectory().removeDirectory(directory) } catch {}
    }

    /// Writes the tree, once: directories 0755, files 0644.
    ///
    /// - Parameters:
    ///   - tree: what to write.
    ///   - isCancelled: asked before everything that is made; true ends it with ECANCELED.
    /// - Throws: the kernel's answer, with what could not be made.
    public mutating func write(_ tree: CaptureTree, isCancelled: () -> Bool = { false }) throws(HostAccessError) {
        let root = Branch(tree)
        written = root
        try root.make(in: top, at: directory, isCancelled)
    }

    /// What was written stays.
    public mutating func keep() { isKept = true }
}

/// A directory of a tree, with what is in it by name.
private struct Branch {
    private var node = CaptureTree.Node.directory
    private var children: [String: Branch] = [:]

    private init(_ node: CaptureTree.Node) { self.node = node }

    init(_ tree: CaptureTree) {
        self.init(.directory)
        for (path, node) in tree.nodes { put(node, at: path.split(separator: "/")[...]) }
    }

    private mutating func put(_ node: CaptureTree.Node, at path: ArraySlice<Substring>) {
        guard let name = path.first.map(String.init) else { return }
        let rest = path.dropFirst()
        if rest.isEmpty {
            children[name, default: Branch(node)].node = node
        } else {
            children[name, default: Branch(.directory)].put(node, at: rest)
        }
    }

    /// Makes what is in it, in a directory that is there and empty.
    func make(in parent: borrowing OwnedDescriptor, at path: String, _ isCancelled: () -> Bool) throws(HostAccessError)
    {
        if children.isEmpty {
            try Self.makeLeaf(.file([]), CaptureNames.emptyDirectory, in: parent, at: path)
        }
        for (name, child) in children.sorted(by: { $0.key < $1.key }) {
            let place = path + "/" + name
            guard !isCancelled() else { throw HostAccessError(.make, place, errno: .canceled) }
            if case .directory = child.node {
                let directory = try Self.makeDirectory(name, in: parent, at: place)
                try child.make(in: directory, at: place, isCancelled)
            } else {
                try Self.makeLeaf(child.node, name, in: parent, at: place)
            }
        }
    }

    private static func makeDirectory(_ name: String, in parent: borrowing OwnedDescriptor, at place: String)
        throws(HostAccessError) -> OwnedDescriptor
    {
        do { return try parent.makeDirectory(name) } catch { throw HostAccessError(.make, place, errno: error.errno) }
    }

    private static func makeLeaf(
        _ node: CaptureTree.Node, _ name: String, in parent: borrowing OwnedDescriptor, at place: String
    ) throws(HostAccessError) {
        do throws(SystemCallError) {
            switch node {
            case .directory: break
            case .file(let content): try parent.makeFile(name, content: content)
            case .link(let target): try parent.makeLink(name, to: target)
            case .refused(let refusal): try parent.makeLink(name, to: refusal.linkTarget)
            case .unread: try parent.makeLink(name, to: CaptureNames.unread)
            }
        } catch {
            throw HostAccessError(.make, place, errno: error.errno)
        }
    }

    /// Removes what `make` made, also when it came only half-way: what is not there needs no removing.
    func remove(from parent: borrowing OwnedDescriptor) {
        if children.isEmpty { do { try parent.removeFile(CaptureNames.emptyDirectory) } catch {} }
        for (name, child) in children {
            guard case .directory = child.node else {
                do { try parent.removeFile(name) } catch {}
                continue
            }
            do {
                child.remove(from: try parent.open(name, flags: directoryFlags | O_NOFOLLOW))
                try parent.removeDirectory(name)
            } catch {}
        }
    }
}
