internal import CLinux
internal import Glibc
internal import LinuxIO
internal import Synchronization
internal import SystemPackage
internal import Testing

@testable internal import VFIO

/// A kernel with one or two devices in it, which answers as a test wants it to.
///
/// Devices are files without a name, so that reading, writing and mapping them is the real thing; every other node is
/// the end of a pipe, so that it can be told whether somebody still has it open.
final class ScriptedKernel: KernelCalls {
    /// An ioctl that was made: its name, on which node, and the argument as it was given.
    struct Made: Hashable {
        var request: String
        var path: String
        var argument: [UInt8]
    }

    struct ScriptedRegion {
        var flags: UInt32 = 3
        var size: UInt64 = 0
        var offset: UInt64 = 0
        var capabilities: [UInt8] = []
        var firstCapability: UInt32 = 32
    }

    struct Script {
        var links: [String: String] = [:]
        var directories: [String: [String]] = [:]
        var unopenable: [String: Errno] = [:]
        var refused: [String: Errno] = [:]
        var deviceFlags: UInt32 = 3
        var regions: [UInt32: ScriptedRegion] = [
            0: ScriptedRegion(flags: 7, size: 0x4000, offset: 0x1000),
            7: ScriptedRegion(flags: 3, size: 0x100, offset: 0),
        ]
        var interrupts: [UInt32: (flags: UInt32, count: UInt32)] = [0: (7, 1), 2: (9, 4)]
        var ranges: [(UInt64, UInt64)] = [(0, 0xfedf_ffff), (0xfef0_0000, (1 << 48) - 1)]
        var deviceFileSize = 0x5000
        var isViable = true
        var bytesUnmapped: UInt64?
    }

    private struct State: ~Copyable {
        var script = Script()
        var made: [Made] = []
        var pathOf: [CInt: String] = [:]
        var readEnds: [String: [CInt]] = [:]
        var container: Bool = false
    }

    private let state = Mutex(State())

    static let name = "0000:01:00.0"
    static let sibling = "0000:01:00.1"

    init(_ change: (inout Script) -> Void = { _ in }) {
        state.withLock { state in
            for (index, name) in [Self.name, Self.sibling].enumerated() {
                let path = "/sys/bus/pci/devices/" + name
                state.script.directories[path] = ["config", "driver", "iommu_group", "vfio-dev"]
                state.script.directories[path + "/vfio-dev"] = ["vfio\(index)"]
                state.script.links[path + "/driver"] = "vfio-pci"
                state.script.links[path + "/iommu_group"] = "12"
            }
            change(&state.script)
        }
    }

    deinit {
        state.withLock { state in
            for end in state.readEnds.values.joined() { close(end) }
        }
    }

    func change(_ change: (inout Script) -> Void) { state.withLock { change(&$0.script) } }

    /// What was asked so far, by request.
    var made: [Made] { state.withLock { $0.made } }
    var requests: [String] { made.map(\.request) }

    func argument(of request: String) throws -> [UInt8] {
        try #require(made.last { $0.request == request }).argument
    }

    /// Whether any descriptor of that node is open.
    func isOpen(_ path: String) -> Bool {
        state.withLock { state in
            (state.readEnds[path] ?? []).contains { end in
                var byte: UInt8 = 0
                // End of file: nobody can write any more.
                return unsafe Glibc.read(end, &byte, 1) != 0
            }
        }
    }

    var device: DeviceNodes {
        get throws { try DeviceNodes(at: "/sys/bus/pci/devices/" + Self.name, calls: self) }
    }

    func open(_ backend: VFIOBackend?) throws -> VFIODevice {
        try VFIODevice.open(device, backend: backend, calls: self)
    }

    // MARK: KernelCalls

    func open(_ path: String, flags: CInt) throws(SystemCallError) -> OwnedDescriptor {
        if let errno = state.withLock({ $0.script.unopenable[path] }) {
            throw SystemCallError("open", on: path, errno: errno)
        }
        guard flags == O_RDWR else { throw SystemCallError("open", on: path, errno: .invalidArgument) }
        if path.hasPrefix("/dev/vfio/devices/") { return try deviceFile(path) }
        var ends: [CInt] = [-1, -1]
        guard unsafe pipe(&ends) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
            throw SystemCallError("pipe", on: path, errno: .tooManyOpenFiles)
        }
        state.withLock { state in
            state.readEnds[path, default: []].append(ends[0])
            state.pathOf[ends[1]] = path
        }
        return OwnedDescriptor(adopting: ends[1])
    }

    private func deviceFile(_ path: String) throws(SystemCallError) -> OwnedDescriptor {
        let file = try OwnedDescriptor.open("/tmp", flags: O_RDWR | 0o20_000_000 | O_DIRECTORY)
        let size = state.withLock { $0.script.deviceFileSize }
        _ = ftruncate(file.rawValue, size)
        state.withLock { $0.pathOf[file.rawValue] = path }
        return file
    }

    func linkName(_ path: String) -> String? { state.withLock { $0.script.links[path] } }

    func entries(_ path: String) -> [String]? { state.withLock { $0.script.directories[path] } }

    func ioctl(_ descriptor: CInt, _ request: UInt, value: UInt) -> Int {
        let name = Self.names[request] ?? "?"
        return state.withLock { state in
            let path = state.pathOf[descriptor] ?? "?"
            state.made.append(Made(request: name, path: path, argument: [UInt8(truncatingIfNeeded: value)]))
            if let errno = state.script.refused[name] { return -Int(errno.rawValue) }
            switch name {
            case "VFIO_CHECK_EXTENSION": return value == 3 ? 1 : 0
            case "VFIO_GET_API_VERSION", "VFIO_SET_IOMMU", "VFIO_DEVICE_RESET": return 0
            default: return -Int(ENOTTY)
            }
        }
    }

    func ioctl(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer?) -> Int {
        let name = Self.names[request] ?? "?"
        guard let argument = unsafe argument else { return -Int(EFAULT) }
        let size =
            switch name {
            case "VFIO_GROUP_SET_CONTAINER": 4
            case "VFIO_GROUP_GET_DEVICE_FD": unsafe strlen(argument.assumingMemoryBound(to: CChar.self))
            default: unsafe Int(argument.loadUnaligned(as: UInt32.self))
            }
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: argument, count: size)
        let given = unsafe Array(bytes)
        let refusal = state.withLock { state -> Errno? in
            let path = state.pathOf[descriptor] ?? "?"
            state.made.append(Made(request: name, path: path, argument: given))
            return state.script.refused[name]
        }
        if let refusal { return -Int(refusal.rawValue) }
        if name == "VFIO_GROUP_GET_DEVICE_FD" {
            return (try? Int(deviceFile("device").release())) ?? -Int(EMFILE)
        }
        return state.withLock { state in unsafe Self.answer(name, bytes, state.script) }
    }

    private static func answer(_ name: String, _ bytes: UnsafeMutableRawBufferPointer, _ script: Script) -> Int {
        func put(_ value: some BitwiseCopyable, at offset: Int) {
            unsafe bytes.storeBytes(of: value, toByteOffset: offset, as: type(of: value))
        }
        func load<Field: BitwiseCopyable>(_ offset: Int) -> Field {
            unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Field.self)
        }
        switch name {
        case "VFIO_GROUP_GET_STATUS":
            put(UInt32(script.isViable ? 1 : 0), at: 4)
        case "VFIO_DEVICE_GET_INFO":
            put(script.deviceFlags, at: 4)
            put(UInt32(9), at: 8)
            put(UInt32(5), at: 12)
        case "VFIO_DEVICE_GET_REGION_INFO":
            let index: UInt32 = load(8)
            // vfio-pci knows no VGA region of what is no VGA controller.
            guard index < 8 else { return -Int(EINVAL) }
            let region = script.regions[index] ?? ScriptedRegion(flags: 0)
            put(region.size, at: 16)
            put(region.offset, at: 24)
            guard !region.capabilities.isEmpty else {
                put(region.flags, at: 4)
                break
            }
            put(region.flags | 8, at: 4)
            put(UInt32(32 + region.capabilities.count), at: 0)
            guard bytes.count >= 32 + region.capabilities.count else { break }
            put(region.firstCapability, at: 12)
            for (place, byte) in region.capabilities.enumerated() { put(byte, at: 32 + place) }
        case "VFIO_DEVICE_GET_IRQ_INFO":
            let index: UInt32 = load(8)
            guard index != 3 else { return -Int(EINVAL) }
            let interrupt = script.interrupts[index] ?? (0, 0)
            put(interrupt.flags, at: 4)
            put(interrupt.count, at: 12)
        case "IOMMU_IOAS_ALLOC":
            put(UInt32(77), at: 8)
        case "IOMMU_IOAS_IOVA_RANGES":
            let room: UInt32 = load(8)
            put(UInt32(script.ranges.count), at: 8)
            put(UInt64(4096), at: 24)
            guard room >= script.ranges.count else { return -Int(EMSGSIZE) }
            let list: UInt64 = load(16)
            for (place, range) in script.ranges.enumerated() {
                guard let entry = unsafe UnsafeMutableRawPointer(bitPattern: UInt(list) + UInt(place) * 16) else {
                    break
                }
                unsafe entry.storeBytes(of: range.0, as: UInt64.self)
                unsafe entry.storeBytes(of: range.1, toByteOffset: 8, as: UInt64.self)
            }
        case "VFIO_IOMMU_GET_INFO":
            let size = 24 + 16 + script.ranges.count * 16
            put(UInt32(3), at: 4)
            put(UInt64(0x4020_1000), at: 8)
            put(UInt32(size), at: 0)
            guard bytes.count >= size else { break }
            put(UInt32(24), at: 16)
            put(UInt16(1), at: 24)
            put(UInt16(1), at: 26)
            put(UInt32(script.ranges.count), at: 32)
            for (place, range) in script.ranges.enumerated() {
                put(range.0, at: 40 + place * 16)
                put(range.1, at: 48 + place * 16)
            }
        case "IOMMU_IOAS_UNMAP", "VFIO_IOMMU_UNMAP_DMA":
            if let count = script.bytesUnmapped { put(count, at: 16) }
        case "VFIO_GROUP_SET_CONTAINER", "VFIO_DEVICE_BIND_IOMMUFD", "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
            "VFIO_DEVICE_SET_IRQS", "VFIO_IOMMU_MAP_DMA", "IOMMU_IOAS_MAP":
            break
        default:
            return -Int(ENOTTY)
        }
        return 0
    }

    private static let names: [UInt: String] = {
        let requests: [Request] = [
            .checkExtension, .getAPIVersion, .setIOMMU, .groupGetStatus, .groupSetContainer, .groupGetDevice, .bind,
            .attach, .getInfo, .getRegionInfo, .getInterruptInfo, .setInterrupts, .reset, .containerMap,
            .containerUnmap, .allocateIOAS, .ioasRanges, .ioasMap, .ioasUnmap,
        ]
        var names = Dictionary(uniqueKeysWithValues: requests.map { ($0.number, $0.name) })
        // One number, two meanings: VFIO_DEVICE_GET_PCI_HOT_RESET_INFO of a device, which nobody asks here.
        names[Request.containerGetInfo.number] = Request.containerGetInfo.name
        return names
    }()
}

/// A capability as the kernel lays it out, the offset of the next one being given.
func capability(_ id: UInt16, next: UInt32 = 0, _ content: [UInt8] = []) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 8)
    bytes.store(id, at: 0)
    bytes.store(1 as UInt16, at: 2)
    bytes.store(next, at: 4)
    return bytes + content
}

/// The content of a capability with an array of pairs.
func pairs(_ pairs: [(UInt64, UInt64)], claiming count: UInt32? = nil) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 8 + pairs.count * 16)
    bytes.store(count ?? UInt32(pairs.count), at: 0)
    for (place, pair) in pairs.enumerated() {
        bytes.store(pair.0, at: 8 + place * 16)
        bytes.store(pair.1, at: 16 + place * 16)
    }
    return bytes
}

/// What `#expect(throws:)` is to functions that return what cannot be copied.
func refusal<Value: ~Copyable>(
    _ body: () throws -> Value, sourceLocation: SourceLocation = #_sourceLocation
) throws -> VFIOError {
    do {
        _ = try body()
    } catch let error as VFIOError {
        return error
    }
    Issue.record("nothing was refused", sourceLocation: sourceLocation)
    throw CancellationError()
}
