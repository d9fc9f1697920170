public import HostAccess
public import PCI

extension HostSnapshot {
    /// Reads the configuration space of some devices, and nothing else of them: one open file each, which wakes a device
    /// that sleeps in D3cold. Without privileges the kernel gives out 64 bytes.
    ///
    /// - Parameters:
    ///   - addresses: the devices.
    ///   - host: the host that the snapshot was read from.
    ///   - isWakingAllowed: whether a device in D3cold (`power_state`) is read as well.
    /// - Returns: what could be read.
    public func configurations(
        of addresses: [PCIAddress], from host: any HostAccess, isWakingAllowed: Bool = true
    ) -> [PCIAddress: ConfigurationSpace] {
        var configurations: [PCIAddress: ConfigurationSpace] = [:]
        for address in addresses {
            guard let device = device(at: address) else { continue }
            if let known = device.hardware?.configuration {
                configurations[address] = known
                continue
            }
            if !isWakingAllowed, host.optionalText(device.path + "/power_state") == "D3cold" { continue }
            do {
                configurations[address] = ConfigurationSpace(
                    bytes: try host.read(device.path + "/config", limit: ConfigurationSpace.largestSize))
            } catch {
                // What is not there is not known, and what follows from it says so.
            }
        }
        return configurations
    }

    /// Reads the serial numbers that the stable identities of devices have into `Device.serialNumber`: the DSN capability,
    /// which root alone may read; for a virtual function its physical one's. No device is woken for it, and bridges are
    /// left out.
    public mutating func readSerialNumbers(of addresses: [PCIAddress], from host: any HostAccess) {
        let cards = Set(addresses.map { device(at: $0)?.physicalFunction ?? $0 })
            .filter { device(at: $0)?.isPCIBridge == false }
        for (address, configuration) in configurations(of: cards.sorted(), from: host, isWakingAllowed: false) {
            update(address) { $0.serialNumber = configuration.deviceSerialNumber?.number }
        }
    }
}
