internal import Glibc
internal import LinuxIO
internal import RegisterLoopInC
internal import VFIO

/// Reads a register N times and prints the sum: `register-cost swift|swift-checked|c N`. How many instructions that took
/// is for callgrind to say; Benchmarks/run asks it.
@main
struct RegisterCost {
    static let register = Register<UInt32>(0x10)

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let how = arguments.first, let count = arguments.last.flatMap(Int.init), count >= 0
        else { usage() }

        // Ordinary memory in the register's place: what the load costs the bus is the device's affair.
        let memory = try MemoryMapping.anonymous(count: 4096)
        memory.store(UInt32(1), at: register.offset)
        let region = MappedRegion(memory, of: .bar0, from: 0, device: "memory")

        let sum: UInt32
        switch how {
        case "swift": sum = unchecked(region, count)
        case "swift-checked": sum = try checked(region, count)
        case "c": sum = unsafe register_loop(region.memory.address + register.offset, Int64(count))
        default: usage()
        }
        print(sum)
    }

    static func usage() -> Never {
        print("usage: register-cost swift|swift-checked|c N")
        exit(EX_USAGE)
    }

    @inline(never)
    static func unchecked(_ region: borrowing MappedRegion, _ count: Int) -> UInt32 {
        var sum: UInt32 = 0
        for _ in 0..<count { sum &+= unsafe region.readUnchecked(register) }
        return sum
    }

    @inline(never)
    static func checked(_ region: borrowing MappedRegion, _ count: Int) throws(VFIOError) -> UInt32 {
        var sum: UInt32 = 0
        for _ in 0..<count { sum &+= try region.read(register) }
        return sum
    }
}
