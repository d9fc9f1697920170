extension Character {
    /// The columns that a terminal gives it: 2 for what Unicode calls wide (East Asian scripts, emoji), 0 for marks that
    /// stand alone on nothing, 1 for all else.
    ///
    /// The blocks are those of Unicode Standard Annex #11 whose characters are wide as a whole.
    var displayWidth: Int {
        guard let scalar = unicodeScalars.first, scalar.value >= 0x300 else { return 1 }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
            0x20000...0x3fffd:
            return 2
        default:
            break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return 1
        }
    }
}

extension String {
    /// Whether every character is one of ASCII that takes one column and does nothing.
    var isPrintableASCII: Bool {
        let bytes = utf8.span
        for index in bytes.indices where bytes[index] < 0x20 || bytes[index] >= 0x7f { return false }
        return true
    }
}

extension StringProtocol {
    /// The columns that a terminal gives the text, colours apart.
    var displayWidth: Int {
        // Printable ASCII, which nearly every text is, needs no grapheme breaking.
        if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return utf8.count }
        var width = 0
        var inSequence = false
        for character in self {
            if inSequence {
                inSequence = character != "m"
            } else if character == "\u{1b}" {
                inSequence = true
            } else {
                width += character.displayWidth
            }
        }
        return width
    }
}

/// `text` in at most `width` columns: whole, or its beginning and an ellipsis. It ends after a word where one ends in the
/// second half of what there is room for, and never inside a character.
func shortened(_ text: String, to width: Int) -> String {
    guard text.displayWidth > width else { return text }
    guard width > 1 else { return width == 1 ? "…" : "" }
    var end = text.startIndex
    var wordEnd: String.Index?
    var used = 0
    var index = text.startIndex
    while index < text.endIndex {
        let character = text[index]
        guard used + character.displayWidth <= width - 1 else {
            if character == " " { wordEnd = index }
            break
        }
        if character == " ", used >= width / 2 { wordEnd = index }
        used += character.displayWidth
        index = text.index(after: index)
        end = index
    }
    var kept = text[..<(wordEnd ?? end)]
    while kept.last == " " { kept.removeLast() }
    return kept + "…"
}
