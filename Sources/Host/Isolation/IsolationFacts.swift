internal import PCI

/// A fact that may not have been to be had: without privileges the kernel hands out 64 bytes of configuration space.
enum Reading<Value> {
    case known(Value)
    case unread
}

extension Reading: Equatable where Value: Equatable {}
extension Reading: Sendable where Value: Sendable {}

/// What the kernel's rule for IOMMU groups asks of one function.
struct IsolationFacts: Sendable {
    var address: PCIAddress
    var ids: DeviceIdentity
    /// Its group by the kernel's word; nil for one that no IOMMU covers.
    var group: Int?
    /// The bridges above it in its own domain, the nearest first.
    var bridges: [PCIAddress] = []
    /// How many bridges are above it, in all domains.
    var depth = 0
    /// The VMD controller whose requester id its transactions carry.
    var controller: PCIAddress?
    var isPCIBridge = false
    var isVirtual = false
    /// Whether its slot has several functions, as the kernel sees it: never of a virtual function.
    var isMultifunction: Reading<Bool> = .known(false)
    /// What it is in PCI Express; nil when it is conventional.
    var type: Reading<PCIExpress.PortType?> = .known(nil)
    /// Its access controls; nil when it has none.
    var controls: Reading<AccessControlServices?> = .known(nil)
    /// The slot below a port: whether there is one, and its number on the chassis.
    var slot: (hasSlot: Bool, number: Int?) = (false, nil)
    /// The control register where some Intel chipsets have it: two bytes too far.
    var displacedControls: AccessControlServices.Controls?

    var isOnRootBus: Bool { bridges.isEmpty }

    /// Whether another one is on the same bus.
    func sharesBus(with other: IsolationFacts) -> Bool {
        address.domain == other.address.domain && address.bus == other.address.bus
    }

    /// Whether another one is a function of the same slot.
    func sharesSlot(with other: IsolationFacts) -> Bool {
        sharesBus(with: other) && address.device == other.address.device
    }
}

extension IsolationFacts {
    /// The facts of a device, with what its configuration space says; nil where that was not read.
    init(_ device: Device, bridges: [PCIAddress], configuration: ConfigurationSpace?) {
        self.init(address: device.address, ids: device.identity, group: device.iommuGroup)
        let own = bridges.filter { $0.domain == device.address.domain }
        self.bridges = own.reversed()
        depth = bridges.count
        // What stands above the first bridge of its domain, or above itself, in another domain: a VMD controller.
        controller = bridges.last { $0.domain != device.address.domain }
        isPCIBridge = device.isPCIBridge
        isVirtual = device.physicalFunction != nil
        guard let configuration, let header = configuration.header, !configuration.isSilent else {
            isMultifunction = isVirtual ? .known(false) : device.address.function > 0 ? .known(true) : .unread
            (type, controls) = (.unread, .unread)
            return
        }
        isMultifunction = .known(!isVirtual && (header.isMultifunction || device.address.function > 0))
        read(configuration)
    }

    private mutating func read(_ configuration: ConfigurationSpace) {
        guard let express = configuration.pciExpress else {
            // A list that ends for want of bytes may have gone on to the PCI Express capability.
            let isCut = configuration.faults.contains { fault in
                switch fault {
                case .notRead, .cut: true
                default: false
                }
            }
            (type, controls) = isCut ? (.unread, .unread) : (.known(nil), .known(nil))
            return
        }
        type = .known(express.type)
        slot = (express.hasSlot, express.slot?.number)
        if let services = configuration.accessControlServices {
            controls = .known(services)
            displacedControls = configuration.extendedCapabilities.first { $0.id == .extended(0x0d) }.flatMap {
                let place = $0.offset + 8
                guard place + 1 < configuration.bytes.count else { return nil }
                return .init(
                    rawValue: UInt16(configuration.bytes[place]) | UInt16(configuration.bytes[place + 1]) << 8)
            }
        } else {
            let mayHaveMore =
                configuration.bytes.count < 256
                || configuration.faults.contains { fault in
                    switch fault {
                    case .notRead(let offset), .cut(let offset): offset >= 0x100
                    default: false
                    }
                }
            controls = mayHaveMore ? .unread : .known(nil)
        }
    }
}
