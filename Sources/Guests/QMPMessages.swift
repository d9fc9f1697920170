/// A command of QEMU's monitor protocol.
public struct QMPCommand: Hashable, Sendable {
    /// `device_add`, `object-del`, …
    public var name: String
    /// Its arguments; empty ones are left out of the message.
    public var arguments: [String: JSONValue]

    /// Makes a command.
    public init(_ name: String, _ arguments: [String: JSONValue] = [:]) {
        self.name = name
        self.arguments = arguments
    }

    /// The message, without an id: what `--dry-run` shows.
    public var text: String { message().text }

    /// The message, as it is sent.
    func message(id: Int64? = nil) -> JSONValue {
        var members: [String: JSONValue] = ["execute": .string(name)]
        if !arguments.isEmpty { members["arguments"] = .object(arguments) }
        if let id { members["id"] = .integer(id) }
        return .object(members)
    }
}

/// Something that happened in the guest or its VMM.
public struct QMPEvent: Hashable, Sendable {
    /// `DEVICE_DELETED`, `SHUTDOWN`, …
    public var name: String
    /// What it says.
    public var data: JSONValue

    /// Makes an event.
    public init(name: String, data: JSONValue = .null) {
        self.name = name
        self.data = data
    }
}

/// One message that a monitor sends.
public enum QMPMessage: Hashable, Sendable {
    /// The first one. `version` is QEMU's, such as "10.0.2".
    case greeting(version: String)
    /// An event; it may stand between a command and its answer.
    case event(QMPEvent)
    /// What a command returned.
    case result(JSONValue, id: JSONValue?)
    /// Why a command was refused.
    case refusal(class: String, description: String, id: JSONValue?)

    /// Reads one JSON object; nil when it is no QMP message.
    public init?(_ text: [UInt8]) {
        guard let value = JSONValue(parsing: text) else { return nil }
        if let greeting = value["QMP"] {
            let version = greeting["version"]?["qemu"]
            let parts = ["major", "minor", "micro"].compactMap { version?[$0]?.integer }
            guard parts.count == 3 else { return nil }
            self = .greeting(version: parts.map(String.init).joined(separator: "."))
        } else if let name = value["event"]?.string {
            self = .event(QMPEvent(name: name, data: value["data"] ?? .null))
        } else if let error = value["error"], let kind = error["class"]?.string, let why = error["desc"]?.string {
            self = .refusal(class: kind, description: why, id: value["id"])
        } else if let result = value["return"] {
            self = .result(result, id: value["id"])
        } else {
            return nil
        }
    }
}
