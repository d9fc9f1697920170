internal import CLinux

/// Several file descriptors with one owner, in order: all closed when the owner goes.
public struct OwnedDescriptors: ~Copyable, Sendable {
    /// The numbers, in order. They stay valid only as long as this value lives.
    public private(set) var rawValues: [CInt]

    /// Takes ownership of open descriptors. The caller must not close them afterwards.
    public init(adopting rawValues: [CInt] = []) {
        precondition(rawValues.allSatisfy { $0 >= 0 }, "a descriptor is never negative")
        self.rawValues = rawValues
    }

    deinit {
        for number in rawValues { _ = clinux_close(number) }
    }

    /// How many there are.
    public var count: Int { rawValues.count }

    /// Adds one at the end, and returns its number.
    @discardableResult
    public mutating func append(_ descriptor: consuming OwnedDescriptor) -> CInt {
        let number = descriptor.release()
        rawValues.append(number)
        return number
    }

    /// Takes the first one out; nil when there is none.
    public mutating func popFirst() -> OwnedDescriptor? {
        rawValues.isEmpty ? nil : OwnedDescriptor(adopting: rawValues.removeFirst())
    }

    /// Gives up ownership without closing: the caller closes the numbers, or another process does.
    public consuming func release() -> [CInt] {
        let numbers = rawValues
        rawValues = []
        return numbers
    }
}
