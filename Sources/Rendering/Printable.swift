internal import PCI

extension String {
    /// The text with nothing in it that a terminal would obey: control characters become `\x1b`.
    ///
    /// What a captured host's files and links say was written by others.
    public var printable: String {
        if isPrintableASCII { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.properties.generalCategory == .control {
                text += "\\x" + hexadecimal(scalar.value, width: 2)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
