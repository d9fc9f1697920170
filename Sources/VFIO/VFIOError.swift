public import SystemPackage

/// Something that was asked of a device, a group or an address space, and was not done.
public struct VFIOError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of answer came.
    public enum Code: Hashable, Sendable {
        /// There is no device of that name.
        case noSuchDevice
        /// The device has no such region.
        case noSuchRegion
        /// The device has no such interrupt, or not as many vectors.
        case noSuchInterrupt
        /// The device is bound to no VFIO driver.
        case notBound
        /// Its IOMMU group has a member that a host driver uses.
        case notViable
        /// Someone else has the device, or its group, open.
        case held
        /// The process may not open the node.
        case notPermitted
        /// This kernel or this device does not offer it.
        case unsupported
        /// An offset, or an offset and a length, that lie outside.
        case outOfRange
        /// An offset, address or length that is not a multiple of what it must be.
        case unaligned
        /// The region may not be read, written or mapped: its flags say so.
        case accessRefused
        /// The IOMMU does not take these addresses.
        case addressRefused
        /// There is something mapped at these addresses already, or nothing to unmap.
        case addressInUse
        /// RLIMIT_MEMLOCK, or the number of mappings, does not suffice.
        case limitReached
        /// Fewer bytes than asked for were transferred: so many.
        case shortTransfer(Int)
        /// What the kernel said makes no sense.
        case malformedAnswer
        /// Any other refusal: `errno` says which.
        case refused
    }

    /// What kind of answer came.
    public var code: Code
    /// Of what it was asked: a device's address, a group, a path.
    public var subject: String
    /// What was tried, and how it ended, as a sentence without its subject.
    public var message: String
    /// The kernel's answer, where the kernel was asked.
    public var errno: Errno?

    /// Describes one failure.
    public init(_ code: Code, _ subject: String, _ message: String, errno: Errno? = nil) {
        self.code = code
        self.subject = subject
        self.message = message
        self.errno = errno
    }

    /// `0000:01:00.0: VFIO_DEVICE_BIND_IOMMUFD: Operation not permitted: …`.
    public var description: String { "\(subject): \(message)" }
}
