/// Columns for people: as wide as their widest cell, two spaces apart, no trailing space. An address is never cut.
///
/// Cells are kept as bytes in one array: a table of thousands of devices costs no string of its own per cell.
struct Table {
    private struct Cell {
        var end: Int
        /// Characters on the screen.
        var width: Int
    }

    private let columns: Int
    private var bytes: [UInt8] = []
    private var cells: [Cell] = []
    private var widths: [Int]

    init(_ header: String...) {
        columns = header.count
        widths = Array(repeating: 0, count: header.count)
        for title in header { append(cell: title) }
    }

    /// Adds a row: one cell a column.
    mutating func append(_ row: String...) {
        precondition(row.count == columns, "a row has one cell a column")
        for text in row { append(cell: text) }
    }

    private mutating func append(cell text: String) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        var width = bytes.count - start
        // Printable ASCII, which nearly every cell is, needs neither escapes nor grapheme breaking.
        if !bytes[start...].allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) {
            let printable = text.printable
            bytes.replaceSubrange(start..., with: printable.utf8)
            width = printable.count
        }
        let column = cells.count % columns
        widths[column] = max(widths[column], width)
        cells.append(Cell(end: bytes.count, width: width))
    }

    func rendered(colours: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + cells.count / columns * (widths.reduce(0, +) / 2 + 2 * columns))
        var start = 0
        for (index, cell) in cells.enumerated() {
            let column = index % columns
            if colours, index == 0 { text.append(contentsOf: "\u{1b}[1m".utf8) }
            text.append(contentsOf: bytes[start..<cell.end])
            start = cell.end
            if column < columns - 1 {
                for _ in cell.width..<widths[column] + 2 { text.append(UInt8(ascii: " ")) }
                continue
            }
            while text.last == UInt8(ascii: " ") { text.removeLast() }
            if colours, index == columns - 1 { text.append(contentsOf: "\u{1b}[0m".utf8) }
            text.append(UInt8(ascii: "\n"))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
