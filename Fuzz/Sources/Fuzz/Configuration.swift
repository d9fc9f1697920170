internal import PCI

/// A function's configuration space: header, both lists of capabilities, every field of each.
@Sendable func parseConfiguration(_ bytes: [UInt8]) {
    let space = ConfigurationSpace(bytes: bytes)
    let all = space.allCapabilities
    precondition(Set(all.map(\.offset)).count == all.count, "no capability is told twice, however its list loops")
    for capability in all {
        precondition(space.bytes.indices.contains(capability.offset), "a capability lies within what was read")
        precondition(!capability.name.isEmpty, "every capability has a name, the unknown ones their number")
    }
    for note in space.notes { precondition(!note.isEmpty, "what ended a list is said") }
}
