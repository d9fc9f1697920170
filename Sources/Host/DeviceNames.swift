/// Names for ids: a database of this machine, whatever host is looked at.
public protocol DeviceNames: Sendable {
    /// The vendor's name: "Intel Corporation".
    func vendor(_ vendorID: UInt16) -> String?
    /// The device's name: "82576 Gigabit Network Connection".
    func device(_ vendorID: UInt16, _ deviceID: UInt16) -> String?
    /// The class's name: "Ethernet controller"; `classID` has all three bytes.
    func classification(_ classID: UInt32) -> String?
}
