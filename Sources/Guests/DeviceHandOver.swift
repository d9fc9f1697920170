public import PCI
public import VFIO

/// What `run` is asked to hand over, before anything is opened.
public struct HandOverRequest: Hashable, Sendable {
    /// The devices, in the order of their numbers.
    public var addresses: [PCIAddress]
    /// Through which of the kernel's interfaces.
    public var backend: VFIOBackend
    /// With iommufd: whether the devices are bound and attached to one fresh I/O address space. The group backend
    /// always hands over devices that are ready.
    public var attached: Bool

    /// Makes a request.
    public init(addresses: [PCIAddress], backend: VFIOBackend, attached: Bool) {
        self.addresses = addresses
        self.backend = backend
        self.attached = attached
    }

    /// Refuses the first placeholder in `arguments` that this hand-over has no value for.
    public func check(_ arguments: [ArgumentTemplate]) throws(ProgramHandOffError) {
        for argument in arguments {
            for case .placeholder(let placeholder, let spelled) in argument.parts {
                try check(placeholder, spelled: spelled)
            }
        }
    }

    private func check(_ placeholder: Placeholder, spelled: String) throws(ProgramHandOffError) {
        let reason: String
        switch placeholder {
        case .device(let index), .address(let index), .group(let index):
            if case .group = placeholder, backend != .group {
                reason = "there is a group descriptor only with --backend group"
            } else if !addresses.indices.contains(index) {
                let given = addresses.count == 1 ? "one device was" : "\(addresses.count) devices were"
                reason = "\(given) given, and they are numbered from 0"
            } else {
                return
            }
        case .container:
            if backend == .group { return }
            reason = "there is a container only with --backend group"
        case .iommufd:
            if backend == .iommufd { return }
            reason = "there is an iommufd only with --backend iommufd"
        case .ioas:
            if backend == .iommufd, attached { return }
            reason =
                backend == .iommufd
                ? "the devices are attached to an I/O address space only with --attached"
                : "there is an I/O address space only with --backend iommufd --attached"
        }
        throw ProgramHandOffError(.badPlaceholder, "cannot fill \(spelled): \(reason)")
    }
}

/// The numbers of the open descriptors of a hand-over: what the placeholders and the environment tell the command.
public struct HandedOver: Hashable, Sendable {
    /// What the devices sit in, by backend.
    public enum Context: Hashable, Sendable {
        /// The descriptor of /dev/iommu, and the I/O address space when the devices are attached to one.
        case iommufd(CInt, ioas: UInt32?)
        /// The group of each device, device by device (two devices of one group share its number), and the container.
        case group(groups: [CInt], container: CInt)
    }

    /// The devices' addresses.
    public var addresses: [PCIAddress]
    /// The devices' descriptors, in the same order.
    public var devices: [CInt]
    /// What they sit in.
    public var context: Context

    /// Makes the description of what is open. `devices`, and the groups where there are any, are as many as
    /// `addresses`.
    public init(addresses: [PCIAddress], devices: [CInt], context: Context) {
        self.addresses = addresses
        self.devices = devices
        self.context = context
    }

    /// Describes what `opened` has open, for the devices at `addresses`.
    public init(_ opened: borrowing DeviceDescriptors, addresses: [PCIAddress]) {
        let context =
            if let iommufd = opened.iommufd {
                Context.iommufd(iommufd, ioas: opened.addressSpaceID)
            } else {
                Context.group(groups: opened.groupDescriptors, container: opened.container ?? -1)
            }
        self.init(addresses: addresses, devices: opened.deviceDescriptors, context: context)
    }

    /// Every number that is open, each once.
    public var descriptors: [CInt] {
        switch context {
        case .iommufd(let number, _): devices + [number]
        case .group(let groups, let container): devices + Set(groups).sorted() + [container]
        }
    }

    /// The text for a placeholder.
    public func value(of placeholder: Placeholder, spelled: String) throws(ProgramHandOffError) -> String {
        let value: String? =
            switch (placeholder, context) {
            case (.device(let index), _): devices.element(at: index).map(String.init)
            case (.address(let index), _): addresses.element(at: index).map(\.description)
            case (.iommufd, .iommufd(let number, _)): String(number)
            case (.ioas, .iommufd(_, .some(let id))): String(id)
            case (.group(let index), .group(let groups, _)): groups.element(at: index).map(String.init)
            case (.container, .group(_, let number)): String(number)
            default: nil
            }
        guard let value else {
            throw ProgramHandOffError(.badPlaceholder, "cannot fill \(spelled): nothing of that name was opened")
        }
        return value
    }

    /// The variables that tell a program without placeholders: VFIO_DEVICE_FDS, and VFIO_IOMMUFD or
    /// VFIO_CONTAINER_FD.
    public var environment: [(name: String, value: String)] {
        let list = devices.map(String.init).joined(separator: ",")
        let number =
            switch context {
            case .iommufd(let number, _): (Self.iommufdVariable, String(number))
            case .group(_, let number): (Self.containerVariable, String(number))
            }
        return [(Self.devicesVariable, list), number]
    }

    private static let devicesVariable = "VFIO_DEVICE_FDS"
    private static let iommufdVariable = "VFIO_IOMMUFD"
    private static let containerVariable = "VFIO_CONTAINER_FD"

    /// `inherited` (`NAME=value` each) with this hand-over's variables in it, and without those of an outer one.
    public func environment(replacingIn inherited: [String]) -> [String] {
        let ours = [Self.devicesVariable, Self.iommufdVariable, Self.containerVariable]
        return inherited.filter { entry in !ours.contains { entry.hasPrefix($0 + "=") } }
            + environment.map { "\($0.name)=\($0.value)" }
    }
}

extension Array {
    fileprivate func element(at index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
