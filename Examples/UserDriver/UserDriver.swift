// Drives a device from user space, with the VFIO library and nothing else:
//
//     user-driver edu ADDRESS [--backend group|iommufd]      QEMU's edu: registers, an interrupt, DMA there and back
//     user-driver igbvf ADDRESS [--backend group|iommufd]    an Intel 82576 virtual function: MSI-X
//
// The device has to be bound to vfio-pci first: `vfioctl bind ADDRESS`. Each thing that is proven is one line of
// output; the first one that is not as it should be ends the program with a sentence and status 1.

internal import Glibc
internal import PCI
internal import VFIO

@main
struct UserDriver {
    static func main() {
        do {
            let request = try Request(CommandLine.arguments.dropFirst())
            let device = try VFIODevice.open(request.address, backend: request.backend)
            print("\(device.name) is open, by \(device.backend.backend.rawValue): \(device.backend.reason)")
            switch request.kind {
            case .edu: try Edu(device).prove()
            case .igbvf: try IGBVirtualFunction(device).prove()
            }
        } catch let error as Misuse {
            complain(
                "\(error.reason)\nusage: user-driver edu|igbvf ADDRESS [--backend group|iommufd]", status: EX_USAGE)
        } catch {
            complain("\(error)", status: 1)
        }
    }

    private static func complain(_ text: String, status: CInt) -> Never {
        let line = Array("user-driver: \(text)\n".utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
        exit(status)
    }
}

/// What the command line asks for.
struct Request {
    enum Kind: String { case edu, igbvf }

    var kind: Kind
    var address: PCIAddress
    var backend: VFIOBackend?

    init(_ arguments: some Collection<String>) throws {
        var rest = Array(arguments)
        if let option = rest.firstIndex(of: "--backend") {
            guard option + 1 < rest.count, let backend = VFIOBackend(rawValue: rest[option + 1]) else {
                throw Misuse("--backend takes group or iommufd")
            }
            self.backend = backend
            rest.removeSubrange(option...option + 1)
        }
        guard rest.count == 2, let kind = Kind(rawValue: rest[0]) else { throw Misuse("a kind and an address, please") }
        guard let address = PCIAddress(rest[1]) else { throw Misuse("\(rest[1]) is no PCI address") }
        self.kind = kind
        self.address = address
    }
}

struct Misuse: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

/// Something about the device that is not as it should be.
struct Disproof: Error, CustomStringConvertible {
    var description: String
}

/// Tells what was proven, or throws what was seen instead.
func expect<Value: Equatable>(_ what: String, _ seen: Value, is expected: Value) throws {
    guard seen == expected else { throw Disproof(description: "\(what): expected \(expected), saw \(seen)") }
    print("  \(what)")
}
