public import PCI

/// Columns for people: as wide as their widest cell, two spaces apart, no trailing space.
///
/// Where a limit on the width is given, columns give way as their kind allows: free text is cut and ends in an ellipsis,
/// lists go on in the next line, and addresses, ids and numbers are never touched. Columns that even so have no room
/// beside the others stand below them; a cell that alone is wider than the limit makes its line wider.
///
/// Cells are kept as bytes in one array: a table of thousands of devices costs no string of its own per cell.
public struct Table: Sendable {
    /// What a column does when there is too little room.
    public enum Column: Sendable {
        /// Nothing: addresses, ids, numbers, names that are typed.
        case whole(String)
        /// Goes on in the next line, broken at spaces and behind commas.
        case list(String)
        /// Is cut, and ends in an ellipsis.
        case text(String)

        var title: String {
            switch self {
            case .whole(let title), .list(let title), .text(let title): title
            }
        }
    }

    struct Cell {
        var end: Int
        /// Columns on the screen.
        var width: Int
        /// How many of its last columns are never cut off.
        var kept: Int
    }

    let columns: [Column]
    private(set) var bytes: [UInt8] = []
    private(set) var cells: [Cell] = []
    /// What each column needs.
    private(set) var widths: [Int]
    private var column = 0

    /// A table with these columns, and their titles as its first row.
    public init(_ columns: Column...) {
        self.columns = columns
        widths = Array(repeating: 0, count: columns.count)
        for column in columns { add(column.title) }
    }

    // MARK: cells, row after row

    /// Adds the next cell.
    public mutating func add(_ text: String) {
        let width = append(text)
        end(width: width, kept: 0)
    }

    /// A text that is the cell of many rows, looked through once.
    public struct Text: Sendable {
        fileprivate var bytes: [UInt8]
        fileprivate var width: Int

        /// Takes a text for cells.
        public init(_ text: String) {
            let printable = text.printable
            bytes = Array(printable.utf8)
            width = printable.displayWidth
        }
    }

    /// Adds the next cell.
    public mutating func add(_ text: Text) {
        bytes.append(contentsOf: text.bytes)
        end(width: text.width, kept: 0)
    }

    /// Adds the next cell; a space and `tail`, where there is one, are not cut off with the text in front of them.
    public mutating func add(_ text: Text, keeping tail: PlainText) {
        bytes.append(contentsOf: text.bytes)
        let width = text.width
        guard !tail.bytes.isEmpty else { return end(width: width, kept: 0) }
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: tail.bytes)
        end(width: width + 1 + tail.bytes.count, kept: tail.bytes.count)
    }

    /// Adds a number as the next cell, a dash where there is none.
    public mutating func add(_ number: Int?) {
        guard let number else { return add("-") }
        let start = bytes.count
        bytes.append(decimal: number)
        end(width: bytes.count - start, kept: 0)
    }

    /// Adds an address as the next cell.
    public mutating func add(_ address: PCIAddress) {
        let start = bytes.count
        address.append(to: &bytes)
        end(width: bytes.count - start, kept: 0)
    }

    /// Appends a text and answers its columns on the screen.
    private mutating func append(_ text: String) -> Int {
        // Printable ASCII, which nearly every cell is, needs neither escapes nor grapheme breaking.
        if text.isPrintableASCII {
            bytes.append(contentsOf: text.utf8)
            return text.utf8.count
        }
        let printable = text.printable
        bytes.append(contentsOf: printable.utf8)
        return printable.displayWidth
    }

    private mutating func end(width: Int, kept: Int) {
        cells.append(Cell(end: bytes.count, width: width, kept: kept))
        if width > widths[column] { widths[column] = width }
        column = column + 1 == columns.count ? 0 : column + 1
    }

    // MARK: the whole

    /// The table as text, a line a row, or a few.
    ///
    /// - Parameters:
    ///   - width: the most columns that a line may have, where that can be; nil for no limit.
    ///   - colours: whether the titles are to stand out on a terminal.
    public func rendered(width: Int? = nil, colours: Bool) -> String {
        precondition(column == 0, "a row has one cell a column")
        let layout = width.map(fitted) ?? Layout(widths, limit: .max)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + cells.count / columns.count * (widths.reduce(0, +) / 2 + 2 * columns.count))
        var start = 0
        for row in 0..<cells.count / columns.count {
            if colours, row == 0 { text.append(contentsOf: "\u{1b}[1m".utf8) }
            let first = row * columns.count
            if layout.isOneLine, columns.indices.allSatisfy({ cells[first + $0].width <= layout.widths[$0] }) {
                appendLine(of: first, from: &start, layout.widths, to: &text)
            } else {
                appendLines(of: first, from: &start, layout, to: &text)
            }
            if colours, row == 0 { text.append(contentsOf: "\u{1b}[0m".utf8) }
            text.append(UInt8(ascii: "\n"))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A row that has room for every cell, without its newline.
    private func appendLine(of first: Int, from start: inout Int, _ widths: [Int], to text: inout [UInt8]) {
        let content = bytes.span
        let cells = cells.span
        var place = start
        // Every cell, and the spaces between.
        let end = cells[first + widths.count - 1].end
        let room = end - place + widths.reduce(0) { $0 + $1 + Layout.gap }
        text.append(addingCapacity: room) { line in
            var spaces = 0
            for column in widths.indices {
                let cell = cells[first + column]
                if cell.width > 0 {
                    line.append(repeating: UInt8(ascii: " "), count: spaces)
                    for index in place..<cell.end { line.append(content[index]) }
                    spaces = 0
                }
                spaces += widths[column] - cell.width + Layout.gap
                place = cell.end
            }
        }
        start = end
    }
}
