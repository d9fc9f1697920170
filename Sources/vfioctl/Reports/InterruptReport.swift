internal import Host
internal import HostAccess
internal import Rendering

/// The contract's answer of `irq list`.
struct InterruptReport: Encodable {
    struct Vector: Encodable {
        var irq: Int
        var name: String
        var kind: Interrupt.Kind
        var vector: Int
        @Nullable var affinity: String?
        @Nullable var effective: String?
    }

    let schema = "vfioctl.irq_list/1"
    var interrupts: [Vector]

    init(_ interrupts: [Interrupt]) {
        self.interrupts = interrupts.map {
            Vector(
                irq: $0.irq, name: $0.name, kind: $0.kind, vector: $0.vector, affinity: $0.affinity?.description,
                effective: $0.effective?.description)
        }
    }

    func text(width: Int?, colours: Bool) -> String {
        guard !interrupts.isEmpty else { return "no interrupts: the device's driver enabled none\n" }
        var table = Table(
            .whole("VECTOR"), .whole("KIND"), .whole("IRQ"), .list("AFFINITY"), .list("EFFECTIVE"), .text("NAME"))
        for interrupt in interrupts {
            table.add(interrupt.vector)
            table.add(interrupt.kind.rawValue)
            table.add(interrupt.irq)
            table.add(interrupt.affinity ?? "unknown")
            table.add(interrupt.effective.map { $0.isEmpty ? "pending" : $0 } ?? "unknown")
            table.add(interrupt.name)
        }
        return table.rendered(width: width, colours: colours)
    }
}
