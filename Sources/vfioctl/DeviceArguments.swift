internal import ArgumentParser
internal import Host
internal import HostAccess

/// The DEVICE arguments of a command, resolved on a host: the contract's exit status for each way that can fail.
struct DeviceArguments {
    private var names: [String]

    init(_ names: [String]) { self.names = names }

    /// Ends the parsing of a command line with a name that is spelt wrong, before anything of the host is looked at.
    static func validate(_ names: [String]) throws {
        for name in names {
            do { _ = try DeviceSelector(name) } catch { throw ValidationError(error.description) }
        }
    }

    /// The devices, in the order they were named, each once. What only a stable identity needs is read from the host.
    func resolve(in snapshot: HostSnapshot, on host: any HostAccess) throws -> [Device] {
        var devices: [Device] = []
        for name in names {
            do {
                for device in try DeviceSelector(name).devices(in: snapshot, on: host)
                where !devices.contains(where: { $0.address == device.address }) {
                    devices.append(device)
                }
            } catch {
                throw CommandFailure(error.isMalformed ? .usage : .noSuchThing, error.description)
            }
        }
        return devices
    }

    /// The one device that is named; a glob that matches several is no answer.
    func resolveOne(in snapshot: HostSnapshot, on host: any HostAccess) throws -> Device {
        let devices = try resolve(in: snapshot, on: host)
        guard let device = devices.first, devices.count == 1 else {
            throw CommandFailure(
                .usage, "this takes one device, and \(names.joined(separator: " ")) names \(devices.count)")
        }
        return device
    }
}
