import Glibc
import Guests
import LinuxIO

/// A QEMU monitor as far as attaching and detaching ask it, on a thread of its own at the other end of a socket pair.
final class FakeMonitor: Sendable {
    /// What the monitor is like.
    struct Character: Sendable {
        var greeting =
            #"{"QMP":{"version":{"qemu":{"micro":2,"minor":0,"major":10},"package":""},"capabilities":["oob"]}}"#
        /// Commands it refuses, with the reason; `device_del` of a device that is pending is refused anyway.
        var refuses: [String: String] = [:]
        /// How often it refuses before it obeys; nil refuses for ever.
        var refusals: Int?
        /// Whether a command that is refused has taken its descriptor over before: it depends on how far QEMU got.
        var consumesDescriptorsOfRefused = false
        /// Commands it reads and never answers; `DIE:NAME` ends the connection at NAME.
        var ignores: Set<String> = []
        /// Commands it accepts without doing them.
        var forgets: Set<String> = []
        /// Answers in place of the right ones.
        var answers: [String: String] = [:]
        /// Sent right before each answer.
        var chatter = ""
        /// How many bytes travel at a time; nil sends each answer whole.
        var fragment: Int?
        /// What the guest does when it is asked to let go of a device.
        var guest = Guest.letsGo

        enum Guest { case letsGo, refuses, neverAnswers, letsGoBeforeTheAnswer }
    }

    /// What the monitor's VMM has.
    struct Machine: Sendable {
        var hasIOMMUFD = true
        var devices: [(id: String, type: String)] = [("rp0", "pcie-root-port"), ("rp1", "pcie-root-port")]
        var objects: [String: String] = ["pc.ram": "memory-backend-ram"]
        /// Which bus each device sits on.
        var buses: [String: String] = [:]
        /// Descriptors that `getfd` has stored, by name: the files they are of.
        var descriptors: [String: String] = [:]
        /// Which files the iommufd objects and devices were made of.
        var taken: [String: String] = [:]
        var pending: Set<String> = []
        /// Every command that came, in order; reading ones left out.
        var log: [String] = []

        /// Puts a device in as if it had been attached before.
        mutating func add(_ id: String, at bus: String) {
            objects["vfioctl-iommufd"] = "iommufd"
            taken["vfioctl-iommufd"] = "/dev/iommu"
            devices.append((id, "vfio-pci"))
            buses[id] = bus
            taken[id] = "/dev/vfio/devices/vfio9"
        }
    }

    private let thread: pthread_t
    private let shared: Shared
    let clientEnd: CInt

    fileprivate final class Shared: @unchecked Sendable {
        var machine: Machine
        let character: Character
        let end: CInt
        var refused = 0

        init(_ machine: Machine, _ character: Character, _ end: CInt) {
            self.machine = machine
            self.character = character
            self.end = end
        }
    }

    init(_ machine: Machine = Machine(), _ character: Character = Character()) {
        var ends: [CInt] = [-1, -1]
        precondition(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        clientEnd = ends[0]
        shared = Shared(machine, character, ends[1])
        var made = pthread_t()
        let argument = unsafe Unmanaged.passRetained(shared).toOpaque()
        let error = unsafe pthread_create(
            &made, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue().serve()
                return nil
            }, argument)
        precondition(error == 0)
        thread = made
    }

    /// Connects the client's end, once.
    func connect(timeLimit: Duration = .seconds(10)) throws(QMPError) -> QMPConnection {
        try QMPConnection.open(
            over: UnixSocket(adopting: OwnedDescriptor(adopting: clientEnd), peer: "the fake monitor"), path: "/run/m",
            timeLimit: timeLimit)
    }

    /// Waits until the client has gone and the monitor with it; answers what the machine is like then.
    func end() -> Machine {
        pthread_join(thread, nil)
        return shared.machine
    }
}

extension FakeMonitor.Shared {
    fileprivate func serve() {
        let socket = UnixSocket(adopting: OwnedDescriptor(adopting: end), peer: "the client")
        var framing = JSONFraming()
        send(character.greeting, over: socket)
        while let message = try? socket.receive(descriptors: 4, within: nil), !message.bytes.isEmpty {
            framing.append(message.bytes)
            let files = message.descriptors.rawValues.map(file)
            while let text = try? framing.next() {
                guard let request = JSONValue(parsing: text), let command = request["execute"]?.string else { return }
                guard answer(command, request, files, over: socket) else { return }
            }
        }
    }

    /// False ends the connection.
    private func answer(
        _ command: String, _ request: JSONValue, _ files: [String], over socket: borrowing UnixSocket
    ) -> Bool {
        if !command.hasPrefix("qom-"), command != "qmp_capabilities" { machine.log.append(command) }
        if character.ignores.contains("DIE:" + command) { return false }
        if character.ignores.contains(command) { return true }
        send(character.chatter, over: socket)
        let id = request["id"] ?? .null
        if let text = character.answers[command] {
            send(text.replacing("ID", with: id.text), over: socket)
            return true
        }
        if let reason = character.refuses[command], refused < character.refusals ?? .max {
            refused += 1
            if character.consumesDescriptorsOfRefused, let name = request["arguments"]?["fd"]?.string {
                machine.descriptors[name] = nil
            }
            send(error("GenericError", reason, id), over: socket)
            return true
        }
        let before = machine
        let reply = obey(command, request["arguments"] ?? [:], files)
        if character.forgets.contains(command) { (machine.devices, machine.objects) = (before.devices, before.objects) }
        let guestActs = command == "device_del" && reply == .done
        if guestActs, character.guest == .letsGoBeforeTheAnswer { release(request, over: socket) }
        switch reply {
        case .done: send(result([:], id), over: socket)
        case .value(let value): send(result(value, id), over: socket)
        case .refused(let kind, let reason): send(error(kind, reason, id), over: socket)
        }
        if guestActs {
            switch character.guest {
            case .letsGo: release(request, over: socket)
            case .refuses:
                let device = request["arguments"]?["id"]?.string ?? ""
                machine.pending.remove(device)
                send(event("DEVICE_UNPLUG_GUEST_ERROR", device), over: socket)
            case .neverAnswers, .letsGoBeforeTheAnswer: break
            }
        }
        return true
    }

    private enum Reply: Equatable {
        case done
        case value(JSONValue)
        case refused(String, String)
    }

    private func obey(_ command: String, _ arguments: JSONValue, _ files: [String]) -> Reply {
        let name = { (key: String) in arguments[key]?.string ?? "" }
        switch command {
        case "qmp_capabilities": return .done
        case "qom-list-types":
            return .value(.array(machine.hasIOMMUFD ? [["name": "iommufd", "parent": "object"]] : []))
        case "qom-list": return list(name("path"))
        case "qom-get":
            let device = name("path").split(separator: "/").last.map(String.init) ?? ""
            return .value(.string(machine.taken[device].map { _ in "/objects/vfioctl-iommufd" } ?? ""))
        case "getfd":
            guard let file = files.first else {
                return .refused("GenericError", "No file descriptor supplied via SCM_RIGHTS")
            }
            machine.descriptors[name("fdname")] = file
            return .done
        case "closefd":
            guard machine.descriptors.removeValue(forKey: name("fdname")) != nil else {
                return .refused("GenericError", "File descriptor named '\(name("fdname"))' not found")
            }
            return .done
        case "object-add":
            guard let file = machine.descriptors.removeValue(forKey: name("fd")) else {
                return .refused("GenericError", "no such fd")
            }
            machine.objects[name("id")] = name("qom-type")
            machine.taken[name("id")] = file
            return .done
        case "object-del":
            guard machine.objects.removeValue(forKey: name("id")) != nil else {
                return .refused("GenericError", "object '\(name("id"))' not found")
            }
            machine.taken[name("id")] = nil
            return .done
        case "device_add":
            guard let file = machine.descriptors.removeValue(forKey: name("fd")),
                machine.objects[name("iommufd")] == "iommufd"
            else { return .refused("GenericError", "no such fd or iommufd") }
            machine.devices.append((name("id"), name("driver")))
            machine.buses[name("id")] = name("bus")
            machine.taken[name("id")] = file
            return .done
        case "device_del":
            guard machine.devices.contains(where: { $0.id == name("id") }) else {
                return .refused("DeviceNotFound", "Device '\(name("id"))' not found")
            }
            guard machine.pending.insert(name("id")).inserted else {
                return .refused("GenericError", "Device \(name("id")) is already in the process of unplug")
            }
            return .done
        default: return .refused("CommandNotFound", "The command \(command) has not been found")
        }
    }

    private func list(_ path: String) -> Reply {
        let children: [(String, String)]
        switch path {
        case "/objects": children = machine.objects.sorted { $0.key < $1.key }.map { ($0.key, "child<\($0.value)>") }
        case "/machine/peripheral": children = machine.devices.map { ($0.id, "child<\($0.type)>") }
        case "/machine/peripheral-anon": children = []
        default:
            let bus = path.split(separator: "/").last.map(String.init) ?? ""
            children = machine.buses.filter { $0.value == bus }.map { _ in ("child[0]", "link<vfio-pci>") }
        }
        let entries = [("type", "string")] + children
        return .value(.array(entries.map { ["name": .string($0.0), "type": .string($0.1)] }))
    }

    private func release(_ request: JSONValue, over socket: borrowing UnixSocket) {
        let id = request["arguments"]?["id"]?.string ?? ""
        machine.devices.removeAll { $0.id == id }
        machine.buses[id] = nil
        machine.taken[id] = nil
        send(event("DEVICE_DELETED", id), over: socket)
    }

    private func result(_ value: JSONValue, _ id: JSONValue) -> String {
        (["return": value, "id": id] as JSONValue).text + "\r\n"
    }

    private func error(_ kind: String, _ reason: String, _ id: JSONValue) -> String {
        (["error": ["class": .string(kind), "desc": .string(reason)], "id": id] as JSONValue).text + "\r\n"
    }

    private func event(_ name: String, _ device: String) -> String {
        // QEMU speaks of each device twice: once without its id, for the part of it that has none.
        let nameless: JSONValue = [
            "event": .string(name), "data": ["path": .string("/machine/peripheral/\(device)/x")],
        ]
        let event: JSONValue = ["event": .string(name), "data": ["device": .string(device), "path": "/p"]]
        return nameless.text + "\r\n" + event.text + "\r\n"
    }

    private func send(_ text: String, over socket: borrowing UnixSocket) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return }
        let size = character.fragment ?? bytes.count
        for start in stride(from: 0, to: bytes.count, by: size) {
            // The client may have gone; the next read says so.
            try? socket.send(Array(bytes[start..<min(start + size, bytes.count)]))
        }
    }

    /// What a descriptor is open on.
    private func file(_ number: CInt) -> String {
        guard let resolved = unsafe realpath("/proc/self/fd/\(number)", nil) else { return "" }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
