/// Bytes that are no netlink message, or a request that the kernel refused.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Code: Hashable, Sendable {
        /// A message whose length is less than its header's, or more than the bytes that are left.
        case messageLength(UInt32)
        /// An attribute whose length is less than its header's, or more than the bytes that are left.
        case attributeLength(UInt16)
        /// A message of this type is shorter than the fixed part that its type has.
        case shortMessage(MessageType)
        /// An attribute of this type has a value of another size than its type has.
        case attributeValue(type: UInt16, length: Int)
        /// The bytes end before the message that ends every dump: the rest was cut off.
        case unfinished
        /// The kernel dropped messages that it had for this socket (NLMSG_OVERRUN).
        case overrun
        /// The kernel's refusal (NLMSG_ERROR, or a dump's NLMSG_DONE): a positive errno, and its explanation where it gave
        /// one (NLMSGERR_ATTR_MSG).
        case refused(errno: Int32, explanation: String?)
        /// A message that is being built, or a dump that is being received, passes its limit of this many bytes.
        case tooLong(limit: Int)
    }

    /// What is wrong.
    public var code: Code
    /// Where, in bytes from the start of what was read or built.
    public var offset: Int

    /// Makes the error of one place.
    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// `the message at byte 1024 says that it has 3 bytes, and cannot`.
    public var description: String {
        switch code {
        case .messageLength(let length): "the message at byte \(offset) says that it has \(length) bytes, and cannot"
        case .attributeLength(let length):
            "the attribute at byte \(offset) says that it has \(length) bytes, and cannot"
        case .shortMessage(let type): "the message of type \(type.rawValue) at byte \(offset) is too short"
        case .attributeValue(let type, let length):
            "the attribute of type \(type) at byte \(offset) has a value of \(length) bytes, and cannot"
        case .unfinished: "it ends at byte \(offset) without the message that ends a dump"
        case .overrun: "the kernel had more messages than the socket could hold"
        case .refused(let errno, let explanation):
            "the kernel refused it with errno \(errno)" + (explanation.map { ": \($0)" } ?? "")
        case .tooLong(let limit): "it is longer than \(limit) bytes"
        }
    }
}
