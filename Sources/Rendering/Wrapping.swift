/// `text` with every line in at most `width` columns where it can be: longer ones are broken between words.
///
/// What continues a line stands under what the line is about: behind its first gap of two spaces or more (`ok      iommu:
/// …` goes on under `iommu`), or two columns further in than it began. A word is never broken: an address, a path or a
/// command that is longer than the line stays whole.
///
/// - Parameter width: nil for no limit.
public func wrapped(_ text: String, to width: Int?) -> String {
    guard let width else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.displayWidth > width ? wrappedLine($0, to: width) : String($0) }
        .joined(separator: "\n")
}

private func wrappedLine(_ line: Substring, to width: Int) -> String {
    let indent = line.prefix { $0 == " " }
    let body = line.dropFirst(indent.count)
    let hang = hangingIndent(indent.count, body, width)
    var lines: [String] = []
    var current = String(indent)
    var used = indent.count
    var isEmpty = true
    var spaces = 0
    for word in body.split(separator: " ", omittingEmptySubsequences: false) {
        // An empty piece stands between two spaces: gaps inside a line are kept, those at a break are not.
        guard !word.isEmpty else {
            spaces += 1
            continue
        }
        let wordWidth = word.displayWidth
        if !isEmpty, used + spaces + wordWidth > width {
            lines.append(current)
            current = String(repeating: " ", count: hang)
            used = hang
            isEmpty = true
            spaces = 0
        }
        if !isEmpty { current += String(repeating: " ", count: spaces) }
        current += word
        used += (isEmpty ? 0 : spaces) + wordWidth
        isEmpty = false
        spaces = 1
    }
    lines.append(current)
    return lines.joined(separator: "\n")
}

private func hangingIndent(_ indent: Int, _ body: Substring, _ width: Int) -> Int {
    var label = body.startIndex
    while label < body.endIndex {
        let gap = body[label...].prefix { $0 == " " }
        if gap.count >= 2 {
            let column = indent + body[..<gap.endIndex].displayWidth
            if column <= width / 2 { return column }
            break
        }
        label = body[gap.endIndex...].firstIndex(of: " ") ?? body.endIndex
    }
    return min(indent + 2, width / 2)
}
