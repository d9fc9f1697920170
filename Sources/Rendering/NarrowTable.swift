// What a table does when there is too little room for its columns.

extension Table {
    /// Where each column stands.
    struct Layout {
        /// Spaces between two columns.
        static let gap = 2
        /// How far in those columns begin that stand below the first ones.
        static let indent = 4

        var widths: [Int]
        /// The most columns of the screen that a line may have.
        var limit: Int
        /// The columns that stand side by side.
        var bands: [Range<Int>]
        /// Where each column begins.
        var starts: [Int]

        var isOneLine: Bool { bands.count == 1 }

        /// Columns side by side as long as they fit, the others below.
        init(_ widths: [Int], limit: Int) {
            self.widths = widths
            self.limit = limit
            bands = []
            starts = []
            var first = 0
            var place = 0
            for column in widths.indices {
                if column > first, place + widths[column] > limit {
                    bands.append(first..<column)
                    first = column
                    place = Self.indent
                }
                starts.append(place)
                place += widths[column] + Self.gap
            }
            bands.append(first..<widths.count)
        }
    }

    /// The fewest columns of a free text that still say something.
    private static var leastText: Int { 8 }

    /// The columns when all of them are to fit into `limit`: the widest of those that may give way gives first.
    func fitted(_ limit: Int) -> Layout {
        let least = leastWidths()
        var layout = Layout(least, limit: limit)
        for band in layout.bands {
            var total = band.reduce(layout.starts[band.lowerBound] - Layout.gap) { $0 + widths[$1] + Layout.gap }
            var fitted = widths
            while total > limit {
                let candidates = band.filter { fitted[$0] > least[$0] }
                guard let widest = candidates.max(by: { fitted[$0] < fitted[$1] }) else { break }
                fitted[widest] -= 1
                total -= 1
            }
            var place = layout.starts[band.lowerBound]
            for column in band {
                layout.widths[column] = fitted[column]
                layout.starts[column] = place
                place += fitted[column] + Layout.gap
            }
        }
        return layout
    }

    /// How narrow each column may become.
    private func leastWidths() -> [Int] {
        var least = columns.indices.map { column in
            switch columns[column] {
            case .whole: widths[column]
            case .list(let title): title.displayWidth
            case .text(let title): max(title.displayWidth, Self.leastText)
            }
        }
        var start = 0
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

    /// A row in as many lines as its cells need, without the last newline.
    func appendLines(of first: Int, from start: inout Int, _ layout: Layout, to text: inout [UInt8]) {
        var lines = RowLines()
        for band in layout.bands {
            lines.beginBand()
            var tails: [(text: String, column: Int)] = []
            for column in band {
                let cell = cells[first + column]
                let (room, place) = (layout.widths[column], layout.starts[column])
                let content = String(decoding: bytes[start..<cell.end], as: UTF8.self)
                start = cell.end
                if cell.width <= room {
                    lines.put(content, line: 0, at: place)
                    continue
                }
                switch columns[column] {
                case .whole:
                    lines.put(content, line: 0, at: place)
                case .list:
                    for (line, piece) in pieces(of: content, within: room).enumerated() {
                        lines.put(piece, line: line, at: place)
                    }
                case .text:
                    // A tail is plain: as many characters as columns.
                    let tail = String(content.suffix(cell.kept))
                    let body = tail.isEmpty ? content : String(content.dropLast(tail.count + 1))
                    let beside = tail.isEmpty ? room : room - cell.kept - 1
                    if tail.isEmpty || beside >= min(Self.leastText, body.displayWidth) {
                        let piece = shortened(body, to: beside)
                        lines.put(tail.isEmpty ? piece : piece + " " + tail, line: 0, at: place)
                    } else {
                        lines.put(shortened(body, to: room), line: 0, at: place)
                        tails.append((tail, max(min(place, layout.limit - cell.kept), Layout.gap)))
                    }
                }
            }
            for tail in tails { lines.put(tail.text, line: lines.count, at: tail.column) }
        }
        text.append(contentsOf: lines.text.utf8)
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

/// The lines that a row becomes.
private struct RowLines {
    private var lines: [(text: String, width: Int)] = []
    /// The first line of the columns that are being put side by side.
    private var first = 0

    /// How many lines these columns have so far.
    var count: Int { lines.count - first }

    var text: String { lines.map(\.text).joined(separator: "\n") }

    mutating func beginBand() { first = lines.count }

    mutating func put(_ piece: String, line: Int, at column: Int) {
        let line = first + line
        while line >= lines.count { lines.append(("", 0)) }
        guard !piece.isEmpty else { return }
        lines[line].text += String(repeating: " ", count: max(column - lines[line].width, 0)) + piece
        lines[line].width = max(column, lines[line].width) + piece.displayWidth
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
