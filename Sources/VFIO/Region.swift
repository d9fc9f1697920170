internal import CLinux

/// A region of a device: a BAR, the configuration space, the ROM (`VFIO_DEVICE_GET_REGION_INFO`).
public struct Region: Hashable, Sendable {
    /// What a region may be used for.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The kernel's bits (`VFIO_REGION_INFO_FLAG_*`).
        public let rawValue: UInt32

        /// Makes a set of the kernel's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// It may be read through the device's file.
        public static let read = Flags(rawValue: UInt32(VFIO_REGION_INFO_FLAG_READ))
        /// It may be written through the device's file.
        public static let write = Flags(rawValue: UInt32(VFIO_REGION_INFO_FLAG_WRITE))
        /// It, or its sparse areas, may be mapped.
        public static let mmap = Flags(rawValue: UInt32(VFIO_REGION_INFO_FLAG_MMAP))
        /// The answer carries capabilities.
        public static let capabilities = Flags(rawValue: UInt32(VFIO_REGION_INFO_FLAG_CAPS))

        /// `read`, `write`, `mmap`.
        public var names: [String] {
            [(Flags.read, "read"), (.write, "write"), (.mmap, "mmap")].filter { contains($0.0) }.map { $0.1 }
        }
    }

    /// A part of a region.
    public struct Area: Hashable, Sendable {
        /// From the region's beginning, in bytes.
        public var offset: UInt64
        /// In bytes.
        public var size: UInt64

        /// Makes an area.
        public init(offset: UInt64, size: UInt64) {
            self.offset = offset
            self.size = size
        }

        /// Whether `count` bytes at `offset` lie inside.
        public func contains(offset: UInt64, count: UInt64) -> Bool {
            offset >= self.offset && count <= size && offset - self.offset <= size - count
        }
    }

    /// What a device-specific region is (`VFIO_REGION_INFO_CAP_TYPE`).
    public struct Kind: Hashable, Sendable {
        /// The type: a class of regions, or 0x80000000 with a PCI vendor id.
        public var type: UInt32
        /// The subtype, within the type.
        public var subtype: UInt32

        /// Makes a kind.
        public init(type: UInt32, subtype: UInt32) {
            self.type = type
            self.subtype = subtype
        }
    }

    /// Which one it is.
    public var index: RegionIndex
    /// What it may be used for.
    public var flags: Flags
    /// In bytes; 0 when the device does not have it.
    public var size: UInt64
    /// Where it begins in the device's file, in bytes.
    public var fileOffset: UInt64
    /// The areas that may be mapped, when not all of it may (`VFIO_REGION_INFO_CAP_SPARSE_MMAP`); nil when there is no
    /// such restriction.
    public var sparseAreas: [Area]?
    /// What a device-specific region is; nil for the fixed ones.
    public var kind: Kind?
    /// Whether the pages with the MSI-X table may be mapped too (`VFIO_REGION_INFO_CAP_MSIX_MAPPABLE`).
    public var isMSIXMappable: Bool
    /// Every capability, the ones above and those that this library does not know.
    public var capabilities: [InfoCapability]

    /// What may be mapped, in order: all of it, its sparse areas, or nothing.
    public var mappableAreas: [Area] {
        guard flags.contains(.mmap), size > 0 else { return [] }
        return sparseAreas ?? [Area(offset: 0, size: size)]
    }

    /// Makes a region of its parts.
    public init(
        index: RegionIndex, flags: Flags, size: UInt64, fileOffset: UInt64, sparseAreas: [Area]? = nil,
        kind: Kind? = nil, isMSIXMappable: Bool = false, capabilities: [InfoCapability] = []
    ) {
        self.index = index
        self.flags = flags
        self.size = size
        self.fileOffset = fileOffset
        self.sparseAreas = sparseAreas
        self.kind = kind
        self.isMSIXMappable = isMSIXMappable
        self.capabilities = capabilities
    }
}

extension Region {
    /// Reads the kernel's answer.
    init(answer: [UInt8]) throws(BrokenChain) {
        let info = answer.header(vfio_region_info.self)
        self.init(
            index: RegionIndex(rawValue: info.index), flags: Flags(rawValue: info.flags), size: info.size,
            fileOffset: info.offset)
        guard info.offset <= UInt64(Int64.max), info.size <= UInt64(Int64.max) - info.offset else {
            throw BrokenChain("\(index) claims \(size) bytes at \(fileOffset) of the device's file")
        }
        guard flags.contains(.capabilities) else { return }
        capabilities = try InfoCapability.chain(
            in: answer, from: info.cap_offset, after: MemoryLayout<vfio_region_info>.size)
        for capability in capabilities {
            switch Int32(capability.id) {
            case VFIO_REGION_INFO_CAP_SPARSE_MMAP:
                var areas: [Area] = []
                for (offset, size) in try capability.pairs() {
                    guard Area(offset: 0, size: self.size).contains(offset: offset, count: size) else {
                        throw BrokenChain("\(index) has a mappable area outside of it: \(size) bytes at \(offset)")
                    }
                    areas.append(Area(offset: offset, size: size))
                }
                sparseAreas = areas.filter { $0.size > 0 }.sorted { $0.offset < $1.offset }
            case VFIO_REGION_INFO_CAP_TYPE:
                guard capability.content.count >= 8 else { throw BrokenChain("the type of \(index) is cut off") }
                kind = Kind(type: capability.content.load(at: 0), subtype: capability.content.load(at: 4))
            case VFIO_REGION_INFO_CAP_MSIX_MAPPABLE:
                isMSIXMappable = true
            default:
                break
            }
        }
    }
}
