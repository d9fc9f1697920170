internal import VFIO

/// The contract's answer of `read`.
struct ReadReport: Encodable {
    let schema = "vfioctl.read/1"
    var value: String
}

/// The answer of `write`: what was written.
struct WriteReport: Encodable {
    let schema = "vfioctl.write/1"
    var value: String
}

/// The answer of `regs`: each access in order, with what was read or written.
struct RegistersReport: Encodable {
    struct Access: Encodable {
        var access: String
        var region: String
        var offset: Int
        var width: Int
        var value: String

        init(_ operation: RegisterOperation, value: UInt64) {
            access = operation.value == nil ? "read" : "write"
            region = operation.place.region.name
            offset = operation.place.offset
            width = operation.place.width.rawValue
            self.value = operation.place.width.spell(value)
        }
    }

    let schema = "vfioctl.regs/1"
    var accesses: [Access]
}
