internal import PCI

/// Vital product data: what a device says of itself, in a format of lengths within lengths.
@Sendable func parseProductData(_ bytes: [UInt8]) {
    let data = VitalProductData(bytes: bytes)
    let told = data.fields.values.reduce(data.productName?.utf8.count ?? 0) { $0 + $1.utf8.count }
    precondition(told <= 3 * bytes.count, "nothing is told that is not there; a byte that is no text becomes three")
}
