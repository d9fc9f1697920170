internal import HostAccess
internal import PCI

/// Network interfaces that were moved into another network namespace, a container's for one: `/sys/class/net` does not show
/// them, and neither does netlink.
///
/// What shows is the directory `net` of the PCI function: the kernel makes it with the first interface of the function and
/// removes it with the last, whatever namespace each is in.
struct ForeignInterfaces {
    private let host: any HostAccess
    /// The functions that have interfaces, none of which is to be seen.
    private var functions: [PCIAddress] = []

    /// Looks at network cards that have the directory and show no interface.
    init(of cards: [PCIAddress], on host: any HostAccess) {
        self.host = host
        for address in cards {
            do { if try host.entries("\(Self.bus)/\(address)/net").isEmpty { functions.append(address) } } catch {}
        }
    }

    private static let bus = "/sys/bus/pci/devices"

    /// Whether there is none.
    var isEmpty: Bool { functions.isEmpty }

    /// The use of each function, with the process whose namespace its interface is in where one can be found.
    ///
    /// - Parameter namespaces: processes of each mount namespace other than the reader's own. A container, and `ip netns
    ///   exec`, mounts a sysfs there, which shows the interfaces of its own network namespace.
    func uses(_ namespaces: [[Int]]) -> [PCIAddress: [Use]] {
        var uses: [PCIAddress: [Use]] = [:]
        for function in functions {
            let detail =
                holder(of: function, namespaces)
                ?? "its network interface is in another network namespace, and who uses it there could not be seen "
                + "(\(Self.bus)/\(function)/net is there, and empty)"
            uses[function] = [Use(by: .process, detail: detail)]
        }
        return uses
    }

    private func holder(of function: PCIAddress, _ namespaces: [[Int]]) -> String? {
        for pid in namespaces.joined() {
            let names: [String]
            do {
                names = try host.entries("/proc/\(pid)/root\(Self.bus)/\(function)/net").sorted()
            } catch {
                continue
            }
            guard !names.isEmpty else { continue }
            let command = host.optionalText("/proc/\(pid)/comm") ?? "unknown"
            return "its interface \(enumerated(names)) is in the network namespace of process \(pid) (\(command))"
        }
        return nil
    }
}
