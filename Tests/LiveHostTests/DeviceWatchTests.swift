internal import Host
internal import LiveHost
internal import PCI
internal import Testing

@Suite("Following devices")
struct DeviceWatchTests {
    private static let card = PCIAddress("0000:01:00.0")
    private static let function = PCIAddress("0000:01:10.0")

    private static func host(_ devices: (PCIAddress?, driver: String?)...) -> HostSnapshot {
        let identity = DeviceIdentity(vendorID: 0x8086, deviceID: 0x10c9, subsystemVendorID: 0, subsystemDeviceID: 0)
        return HostSnapshot(
            devices: devices.compactMap { address, driver in
                address.map { Device(address: $0, identity: identity, classID: 0x020000, driver: driver) }
            }, groups: [], drivers: [])
    }

    @Test("an event comes with the device as it is now, and as it was")
    func bound() throws {
        let card = try #require(Self.card)
        let event = DeviceEvent(.bind, card, driver: "vfio-pci", sequence: 7)
        let changes = DeviceWatch.changes(
            [.event(event)], from: Self.host((card, "igb")), to: Self.host((card, "vfio-pci")))
        #expect(changes.map(\.kind) == [.event(event)])
        #expect(changes.first?.address == card)
        #expect(changes.first?.device?.driver == "vfio-pci")
        #expect(changes.first?.previous?.driver == "igb")
    }

    @Test("one that appears was not there before, one that goes is not there now, one that did both never is")
    func comings() throws {
        let (card, function) = (try #require(Self.card), try #require(Self.function))
        let (without, with) = (Self.host((card, nil)), Self.host((card, nil), (function, nil)))
        let added = DeviceWatch.changes([.event(DeviceEvent(.add, function))], from: without, to: with)
        #expect(added.map { $0.device != nil } == [true])
        #expect(added.map { $0.previous != nil } == [false])
        let removed = DeviceWatch.changes([.event(DeviceEvent(.remove, function))], from: with, to: without)
        #expect(removed.map { $0.device != nil } == [false])
        #expect(removed.map { $0.previous != nil } == [true])
        let both = DeviceWatch.changes(
            [.event(DeviceEvent(.add, function)), .event(DeviceEvent(.remove, function))], from: without, to: without)
        #expect(both.allSatisfy { $0.device == nil && $0.previous == nil })
        #expect(both.map(\.address) == [function, function])
    }

    @Test("after an overrun everything is told anew, between the events before it and those after it")
    func overrun() throws {
        let (card, function) = (try #require(Self.card), try #require(Self.function))
        let (first, last) = (
            DeviceEvent(.unbind, card, sequence: 1), DeviceEvent(.bind, card, driver: "igb", sequence: 9)
        )
        let changes = DeviceWatch.changes(
            [.event(first), .overrun, .event(last)], from: Self.host((card, "igb"), (function, nil)),
            to: Self.host((card, "igb")))
        #expect(
            changes.map(\.kind) == [.event(first), .overrun, .vanished(function), .present(card), .event(last)])
        #expect(changes[1].address == nil)
    }

    @Test("begins without privileges, and does not wait where there is nothing to tell")
    func live() throws {
        var events = try DeviceEvents(from: .kernel)
        #expect(events.source == .kernel)
        #expect(events.descriptor >= 0)
        while let notice = try events.next() {
            // Whatever this machine is doing meanwhile.
            if case .event(let event) = notice { #expect(!event.action.rawValue.isEmpty) }
        }
    }
}
