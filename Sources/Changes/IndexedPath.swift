internal import HostAccess

// Paths whose last name is not known when a plan is made.
//
// `/proc/irq/{msi_irqs#1}/smp_affinity_list` stands for the second entry, in order of number, of the directory `msi_irqs`
// below the step's own. A driver that allocates its interrupts anew gives them other numbers, in the same order: what
// belongs to "vector 1" can be said before, and found when the step's turn comes.

/// Makes the placeholder for an entry of a directory of numbers.
///
/// - Parameters:
///   - index: its place in order of number, from 0.
///   - directory: relative to the step's own.
public func entry(_ index: Int, of directory: String) -> String { "{\(directory)#\(index)}" }

extension Step {
    /// The step with every placeholder of what is to be done replaced by what is there now; nil when one stands for nothing.
    func located(in directory: any HostDirectory) -> Step? {
        var step = self
        func locate(_ conditions: [Condition]) -> [Condition]? { all(conditions) { $0.located(in: directory) } }
        func locate(_ operations: [Operation]) -> [Operation]? { all(operations) { $0.located(in: directory) } }
        guard let guards = locate(guards), let operations = locate(operations), let goals = locate(goals),
            let late = locate(late)
        else { return nil }
        (step.guards, step.operations, step.goals, step.late) = (guards, operations, goals, late)
        return step
    }

    private func all<Element>(_ elements: [Element], _ locate: (Element) -> Element?) -> [Element]? {
        let located = elements.compactMap(locate)
        return located.count == elements.count ? located : nil
    }
}

extension Operation {
    /// The operation with its placeholder replaced; nil when that stands for nothing.
    func located(in directory: any HostDirectory) -> Operation? {
        locate(target, in: directory).map { Operation(kind, $0, value) }
    }
}

extension Condition {
    /// The condition with its placeholder replaced; nil when that stands for nothing.
    func located(in directory: any HostDirectory) -> Condition? {
        switch self {
        case .value(let path, let expected): locate(path, in: directory).map { .value(path: $0, equals: expected) }
        case .link(let path, let name): locate(path, in: directory).map { .link(path: $0, name: name) }
        case .exists(let path): locate(path, in: directory).map { .exists(path: $0) }
        case .missing(let path): locate(path, in: directory).map { .missing(path: $0) }
        case .within(let path, let list): locate(path, in: directory).map { .within(path: $0, list: list) }
        }
    }
}

private func locate(_ path: String, in directory: any HostDirectory) -> String? {
    guard let open = path.firstIndex(of: "{"), let close = path[open...].firstIndex(of: "}"),
        let mark = path[open..<close].lastIndex(of: "#"), let index = Int(path[path.index(after: mark)..<close])
    else { return path }
    let names: [String]
    do { names = try directory.entries(String(path[path.index(after: open)..<mark])) } catch { return nil }
    let numbers = names.compactMap { Int($0) }.sorted()
    guard numbers.indices.contains(index) else { return nil }
    let found = "\(path[..<open])\(numbers[index])\(path[path.index(after: close)...])"
    return directory.exists(found) ? found : nil
}
