internal import PCI
internal import Rendering
internal import VFIO

/// The contract's answer of `inspect`.
struct InspectReport: Encodable {
    struct Area: Encodable {
        var offset: UInt64
        var size: UInt64

        init(_ area: VFIO.Region.Area) { (offset, size) = (area.offset, area.size) }
    }

    struct Region: Encodable {
        var index: UInt32
        var name: String
        var size: UInt64
        var flags: [String]
        /// The areas that alone may be mapped; empty when there is no such restriction.
        var sparse: [Area]
    }

    struct Interrupt: Encodable {
        var index: UInt32
        var name: String
        var count: UInt32
        var flags: [String]
    }

    let schema = "vfioctl.inspect/1"
    var device: String
    var backend: String
    var backendReason: String
    var flags: [String]
    var regions: [Region]
    var interrupts: [Interrupt]

    enum CodingKeys: String, CodingKey {
        case schema, device, backend, flags, regions, interrupts
        case backendReason = "backend_reason"
    }

    init(_ device: borrowing VFIODevice) throws(VFIOError) {
        self.device = device.name
        backend = device.backend.backend.rawValue
        backendReason = device.backend.reason
        flags = device.info.flags.names
        regions = try device.regions().map {
            Region(
                index: $0.index.rawValue, name: $0.index.name, size: $0.size, flags: $0.flags.names,
                sparse: ($0.sparseAreas ?? []).map(Area.init))
        }
        interrupts = try device.interrupts().map {
            Interrupt(index: $0.index.rawValue, name: $0.index.name, count: $0.count, flags: $0.flags.names)
        }
    }

    func text(width: Int?, colours: Bool) -> String {
        var text = wrapped("\(device) through \(backend): \(flags.joined(separator: " "))\n\n", to: width)
        var table = Table(.whole("REGION"), .whole("SIZE"), .list("FLAGS"), .list("MAPPABLE"))
        for region in regions {
            let areas = region.sparse.map {
                "0x\(hexadecimal($0.offset, width: 1))+0x\(hexadecimal($0.size, width: 1))"
            }
            let mappable = region.flags.contains("mmap") ? (areas.isEmpty ? "all" : areas.joined(separator: " ")) : ""
            table.add(region.name)
            table.add("0x\(hexadecimal(region.size, width: 1))")
            table.add(region.flags.joined(separator: " "))
            table.add(mappable)
        }
        text += table.rendered(width: width, colours: colours) + "\n"
        table = Table(.whole("INTERRUPT"), .whole("VECTORS"), .list("FLAGS"))
        for interrupt in interrupts {
            table.add(interrupt.name)
            table.add(Int(interrupt.count))
            table.add(interrupt.flags.joined(separator: " "))
        }
        return text + table.rendered(width: width, colours: colours)
    }
}
