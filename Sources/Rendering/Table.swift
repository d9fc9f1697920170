public import PCI

/// Columns for people: as wide as their widest cell, two spaces apart, no trailing space.
///
/// Where a limit on the width is given, columns give way as their kind allows: free text is cut and ends in an ellipsis,
/// lists go on in the next line, and addresses, ids and numbers are never touched, so that what cannot be had in the
/// width is wider.
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

    private struct Cell {
        var end: Int
        /// Columns on the screen.
        var width: Int
        /// How many of its last columns are never cut off.
        var kept: Int
    }

    private let columns: [Column]
    private var bytes: [UInt8] = []
    private var cells: [Cell] = []
    private var widths: [Int]
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

    /// Adds the next cell; a space and `tail`, where there is one, are not cut off with the text in front of them.
    public mutating func add(_ text: String, keeping tail: PlainText) {
        let width = append(text)
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

    /// The table as text, a line a row.
    ///
    /// - Parameters:
    ///   - width: the most columns that a line may have, where that can be; nil for no limit.
    ///   - colours: whether the titles are to stand out on a terminal.
    public func rendered(width: Int? = nil, colours: Bool) -> String {
        precondition(column == 0, "a row has one cell a column")
        let widths = width.map(fitted) ?? widths
        let starts = widths.indices.map { widths[..<$0].reduce(0) { $0 + $1 + Self.gap } }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + cells.count / columns.count * (widths.reduce(0, +) / 2 + 2 * columns.count))
        var start = 0
        for row in 0..<cells.count / columns.count {
            if colours, row == 0 { text.append(contentsOf: "\u{1b}[1m".utf8) }
            let first = row * columns.count
            if columns.indices.allSatisfy({ cells[first + $0].width <= widths[$0] }) {
                appendLine(of: first, from: &start, widths, to: &text)
            } else {
                appendLines(of: first, from: &start, widths, starts, within: width ?? .max, to: &text)
            }
            if colours, row == 0 { text.append(contentsOf: "\u{1b}[0m".utf8) }
            text.append(UInt8(ascii: "\n"))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Spaces between two columns.
    private static let gap = 2

    /// A row that has room for every cell, without its newline.
    private func appendLine(of first: Int, from start: inout Int, _ widths: [Int], to text: inout [UInt8]) {
        var spaces = 0
        for column in widths.indices {
            let cell = cells[first + column]
            if cell.width > 0 {
                text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: spaces))
                text.append(contentsOf: bytes[start..<cell.end])
                spaces = 0
            }
            spaces += widths[column] - cell.width + Self.gap
            start = cell.end
        }
    }

    /// A row in as many lines as its cells need, without the last newline.
    private func appendLines(
        of first: Int, from start: inout Int, _ widths: [Int], _ starts: [Int], within limit: Int,
        to text: inout [UInt8]
    ) {
        var lines: [String] = [""]
        var used = [0]
        var tails: [(text: String, column: Int)] = []
        func put(_ piece: String, line: Int, at column: Int) {
            while line >= lines.count {
                lines.append("")
                used.append(0)
            }
            guard !piece.isEmpty else { return }
            lines[line] += String(repeating: " ", count: max(column - used[line], 0)) + piece
            used[line] = max(column, used[line]) + piece.displayWidth
        }
        for column in widths.indices {
            let cell = cells[first + column]
            let content = String(decoding: bytes[start..<cell.end], as: UTF8.self)
            start = cell.end
            switch columns[column] {
            case _ where cell.width <= widths[column], .whole:
                put(content, line: 0, at: starts[column])
            case .list:
                for (line, piece) in pieces(of: content, within: widths[column]).enumerated() {
                    put(piece, line: line, at: starts[column])
                }
            case .text:
                // A tail is plain: as many characters as columns.
                let tail = String(content.suffix(cell.kept))
                let body = String(content.dropLast(tail.count + (tail.isEmpty ? 0 : 1)))
                let room = tail.isEmpty ? widths[column] : widths[column] - cell.kept - 1
                if tail.isEmpty || room >= min(Self.leastText, body.displayWidth) {
                    let piece = shortened(body, to: room)
                    put(tail.isEmpty ? piece : piece + " " + tail, line: 0, at: starts[column])
                } else {
                    put(shortened(body, to: widths[column]), line: 0, at: starts[column])
                    tails.append((tail, max(min(starts[column], limit - cell.kept), Self.gap)))
                }
            }
        }
        for tail in tails { put(tail.text, line: lines.count, at: tail.column) }
        text.append(contentsOf: lines.joined(separator: "\n").utf8)
    }
}

// MARK: - Too little room

extension Table {
    /// The fewest columns of a free text that still say something.
    private static var leastText: Int { 8 }

    /// The widths of the columns when all of them are to fit into `limit`: the widest that may give way gives first.
    private func fitted(_ limit: Int) -> [Int] {
        let least = leastWidths()
        var fitted = widths
        var total = fitted.reduce(0, +) + Self.gap * (columns.count - 1)
        while total > limit {
            let candidates = fitted.indices.filter { fitted[$0] > least[$0] }
            guard let widest = candidates.max(by: { fitted[$0] < fitted[$1] }) else { break }
            fitted[widest] -= 1
            total -= 1
        }
        return fitted
    }

    /// How narrow each column may become.
    private func leastWidths() -> [Int] {
        var least = widths
        var start = 0
        for column in columns.indices {
            switch columns[column] {
            case .whole: break
            case .list(let title): least[column] = title.displayWidth
            case .text(let title): least[column] = max(title.displayWidth, Self.leastText)
            }
        }
        for (index, cell) in cells.enumerated() {
            let column = index % columns.count
            if case .list = columns[column], cell.width > least[column] {
                let content = String(decoding: bytes[start..<cell.end], as: UTF8.self)
                least[column] = max(least[column], pieces(of: content, within: 1).map(\.displayWidth).max() ?? 0)
            }
            start = cell.end
        }
        return least.indices.map { min(least[$0], widths[$0]) }
    }

    /// A list in lines of at most `width` columns, broken at spaces and behind commas; what has neither stays whole.
    private func pieces(of content: String, within width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var item = ""
        func endItem() {
            if !line.isEmpty, (line + item).trimmingSpaces.displayWidth > width {
                lines.append(line.trimmingSpaces)
                line = ""
            }
            line += item
            item = ""
        }
        for character in content {
            item.append(character)
            if character == " " || character == "," { endItem() }
        }
        endItem()
        return lines + (line.isEmpty ? [] : [line.trimmingSpaces])
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        while text.first == " " { text.removeFirst() }
        return String(text)
    }
}
