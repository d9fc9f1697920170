internal import HostAccess
internal import Testing

@Suite("Aliases of modules")
struct ModuleAliasTests {
    @Test(
        "globs match as fnmatch has them",
        arguments: [
            ("", "", true), ("*", "", true), ("*", "abc", true), ("a*c", "abbc", true), ("a*c", "ab", false),
            ("a?c", "abc", true), ("a?c", "ac", false), ("[0-9]", "5", true), ("[!0-9]", "5", false),
            ("[^0-9]x", "ax", true), ("[abc]", "b", true), ("[", "[", true), ("[a", "[a", true),
            ("*a*a*b", "aaab", true),
            ("*a*a*b", "aaa", false), ("abc", "abcd", false), ("abcd", "abc", false), ("a**", "a", true),
        ])
    func globs(pattern: String, subject: String, matches: Bool) {
        #expect(ModuleAliases.matches(Array(pattern.utf8), Array(subject.utf8)) == matches)
    }

    @Test("a pattern made to take for ever does not")
    func hostile() {
        let pattern = Array(String(repeating: "*a", count: 2000).utf8)
        #expect(!ModuleAliases.matches(pattern, [UInt8](repeating: UInt8(ascii: "a"), count: 1999)))
        #expect(ModuleAliases.matches(pattern, [UInt8](repeating: UInt8(ascii: "a"), count: 2000)))
    }

    @Test("lines that are no aliases are left out, a module is named once")
    func lines() {
        let file = "alias\nalias x\n# alias y z\nalias  \nalias a* one\nalias ab two\nalias a? one\nalias abc three"
        #expect(ModuleAliases(claiming: "ab", in: Array(file.utf8)).modules == ["one", "two"])
        #expect(ModuleAliases(claiming: "abc", in: Array(file.utf8)).modules == ["one", "three"])
        #expect(ModuleAliases(claiming: "ab", in: []).modules == [])
    }
}
