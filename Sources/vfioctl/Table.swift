/// Columns for people: as wide as their widest cell, two spaces apart, no trailing space. An address is never cut.
struct Table {
    private var header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    mutating func append(_ cells: String...) { rows.append(cells) }

    func rendered(colours: Bool) -> String {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], Self.width(cell)) }
        }
        var text = ""
        text.reserveCapacity(rows.count * widths.reduce(2 * widths.count, +))
        if colours { text += "\u{1b}[1m" }
        Self.append(header, widths, to: &text)
        if colours { text += "\u{1b}[0m" }
        text += "\n"
        for row in rows {
            Self.append(row, widths, to: &text)
            text += "\n"
        }
        return text
    }

    private static func append(_ cells: [String], _ widths: [Int], to text: inout String) {
        let last = cells.lastIndex { !$0.isEmpty } ?? 0
        for (column, cell) in cells[...last].enumerated() {
            text += cell
            if column < last {
                for _ in width(cell)..<(widths[column] + 2) { text.append(" ") }
            }
        }
    }

    /// Characters on the screen. ASCII, which nearly every cell is, needs no grapheme breaking.
    private static func width(_ cell: String) -> Int {
        cell.utf8.allSatisfy { $0 < 0x80 } ? cell.utf8.count : cell.count
    }
}
