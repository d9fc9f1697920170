internal import HostAccess
internal import PCI

/// What is shown through a device: the firmware's screen, the framebuffers that the firmware left, the kernel's console.
struct DisplayUses {
    private let host: any HostAccess
    private let memory: MemoryMap
    /// What could not be looked at, of any device of the display class.
    let unseen: [String]
    /// The framebuffer that the kernel's console is on, with the console: `fb0`, `vtcon1`.
    private var framebufferConsole: (framebuffer: String, console: String)?
    /// The console that writes VGA text: `vtcon0`.
    private var textConsole: String?

    init(on host: any HostAccess) {
        self.host = host
        memory = MemoryMap(on: host)
        unseen = memory.unseen.map { [$0] } ?? []
        readConsoles()
    }

    /// Consoles are in `/sys/class/vtconsole`, each with its name and whether it is bound. The framebuffer console is on
    /// the first framebuffer unless somebody told it otherwise, which no file shows.
    private mutating func readConsoles() {
        let path = "/sys/class/vtconsole"
        for console in names(in: path) where host.optionalText("\(path)/\(console)/bind") == "1" {
            let name = host.optionalText("\(path)/\(console)/name") ?? ""
            if name.hasSuffix("frame buffer device") {
                let numbers = names(in: "/sys/class/graphics").filter { $0.hasPrefix("fb") }
                    .compactMap { decimalAttribute($0.utf8.dropFirst(2)) }
                if let first = numbers.min() { framebufferConsole = ("fb\(first)", console) }
            } else if name.hasSuffix("VGA+") || name.hasSuffix("EGA+") {
                textConsole = console
            }
        }
    }

    /// What is shown through a device of the display class.
    func uses(of device: Device) -> [Use] {
        var uses: [Use] = []
        let isBootVGA =
            device.classID >> 8 == Self.vga && host.optionalText(device.path + "/boot_vga") == "1"
        // A driver that leaves its devices alone shows nothing: somebody took the device from the host's screen already.
        let isTaken = device.driver.map(DriverPolicy.sparesViability) ?? false
        if isBootVGA, !isTaken {
            uses.append(
                Use(by: .display, detail: "it is the boot VGA device, which the firmware's screen is on (boot_vga)"))
        }
        let held = framebuffers(in: device)
        for name in Set(held.map(\.name)).sorted() {
            uses.append(
                Use(
                    by: .display,
                    detail: "\(name), the framebuffer that the firmware left, has its memory (/proc/iomem)"))
        }
        if let console = framebufferConsole,
            device.framebuffers.contains(console.framebuffer)
                || !held.isEmpty && isFirmwareFramebuffer(console.framebuffer)
        {
            uses.append(
                Use(
                    by: .console,
                    detail: "the framebuffer console is on \(console.framebuffer) "
                        + "(/sys/class/vtconsole/\(console.console))"))
        }
        if let textConsole, isBootVGA, !isTaken {
            uses.append(
                Use(by: .console, detail: "the VGA text console is on it (/sys/class/vtconsole/\(textConsole))"))
        }
        return uses
    }

    /// Base class 03, subclass 00.
    private static let vga: UInt32 = 0x0300

    private func isFirmwareFramebuffer(_ name: String) -> Bool {
        do {
            return try ClassDevices.function(of: host.readLink("/sys/class/graphics/" + name)) == nil
        } catch {
            return false
        }
    }

    /// The firmware's framebuffers that lie in the device's BARs, by address or, where addresses are hidden, by what is
    /// around them.
    private func framebuffers(in device: Device) -> [MemoryMap.Framebuffer] {
        guard !memory.framebuffers.isEmpty else { return [] }
        let ranges = resources(of: device)
        return memory.framebuffers.filter { framebuffer in
            if framebuffer.around.contains(device.address.description) { return true }
            return framebuffer.last > 0
                && ranges.contains { $0.lowerBound <= framebuffer.last && framebuffer.first <= $0.upperBound }
        }
    }

    /// A function's BARs: the first six lines of `resource`, each `START END FLAGS`; all zero is none.
    private func resources(of device: Device) -> [ClosedRange<UInt64>] {
        let memoryFlag: UInt64 = 0x200
        let lines = (host.optionalText(device.path + "/resource") ?? "").split(separator: "\n").prefix(6)
        return lines.compactMap { line in
            let fields = line.split(separator: " ").compactMap { UInt64($0.dropFirst(2), radix: 16) }
            guard fields.count == 3, fields[0] > 0, fields[0] <= fields[1], fields[2] & memoryFlag != 0 else {
                return nil
            }
            return fields[0]...fields[1]
        }
    }

    private func names(in path: String) -> [String] {
        do { return try host.entries(path).sorted() } catch { return [] }
    }
}
