internal import PCI
internal import Readiness
internal import Rendering

/// The contract's answer of `check`.
struct CheckReport: Encodable {
    struct FindingReport: Encodable {
        var id: Finding.Subject
        var level: Finding.Level
        var evidence: String
        @Nullable var cure: String?
        @Nullable var device: PCIAddress?
    }

    let schema = "vfioctl.check/1"
    var ready: Bool
    var findings: [FindingReport]

    init(_ readiness: Readiness) {
        ready = readiness.isReady
        findings = readiness.findings.map {
            FindingReport(id: $0.id, level: $0.level, evidence: $0.evidence, cure: $0.cure, device: $0.device)
        }
    }

    /// One finding a line, the cure below it; the verdict last.
    func text(colours: Bool) -> String {
        var text = ""
        for (index, finding) in findings.enumerated() {
            if let device = finding.device, index == 0 || findings[index - 1].device != device { text += "\(device)\n" }
            let indent = finding.device == nil ? "" : "  "
            let level = finding.level.rawValue
            let padding = String(repeating: " ", count: 8 - level.utf8.count)
            text += indent + (colours ? "\u{1b}[\(Self.colour(of: finding.level))m\(level)\u{1b}[0m" : level) + padding
            text += "\(finding.id.rawValue): \(finding.evidence.printable)\n"
            if let cure = finding.cure { text += indent + "        cure: \(cure)\n" }
        }
        let failures = findings.count { $0.level == .failure }
        return text
            + (ready
                ? "ready\n"
                : "not ready: \(failures) \(failures == 1 ? "finding stands" : "findings stand") in the way\n")
    }

    private static func colour(of level: Finding.Level) -> Int {
        switch level {
        case .ok: 32
        case .note: 36
        case .warning: 33
        case .failure: 31
        }
    }
}
