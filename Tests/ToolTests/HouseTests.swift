// The make scripts that keep the house: installing, and the checks of test.mk that need no build.

import Foundation
import Testing

@Suite struct HouseTests {
  private static let pipelines = ToolRunner.checkout + "/pipelines/"
  private static let plain = ["MAKEFLAGS": "", "MAKELEVEL": ""]

  @Test func toolsAndPagesAreInstalledAndRemoved() throws {
    let result = try ToolRunner.run(
      Self.pipelines + "install-tools.mk", ["check", "BIN=\(ToolRunner.folder)"], environment: Self.plain)
    #expect(result.status == 0, "\(result.errors)")
    for tool in ManPageTests.tools { #expect(result.text.contains("\n\(tool) ")) }
    #expect(result.text.hasSuffix("install-tools: all is well\n"))
  }

  @Test(arguments: [
    (["PREFIX=local"], "PREFIX is \"local\"; expected a path from the root"),
    (["BIN=/nowhere", "PREFIX=/tmp/pmae-nowhere"], "/nowhere/pmae-augment: no such program"),
    (["uninstall", "PREFIX=/tmp/pmae-nowhere"], "/tmp/pmae-nowhere/share/pmae/installed: no such file"),
  ])
  func whatCannotBeInstalledIsSaid(arguments: [String], message: String) throws {
    let result = try ToolRunner.run(
      Self.pipelines + "install-tools.mk", ["BIN=\(ToolRunner.folder)"] + arguments, environment: Self.plain)
    #expect(result.status == 2 && result.errors.contains(message), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: "/tmp/pmae-nowhere"))
  }

  /// What the scripts install is what Package.swift and the README name, and installing the tools installs it too.
  @Test func aBuildsPackagesAreTheSameEverywhere() throws {
    func text(_ name: String) throws -> String {
      try String(contentsOfFile: ToolRunner.checkout + "/" + name, encoding: .utf8)
    }
    let list = try #require(try text("pipelines/packages.make").firstMatch(of: /BUILD_PACKAGES := (.+)/)).1
    let packages = list.split(separator: " ").map(String.init)
    let providers = try text("Package.swift").matches(of: /\.apt\(\["([^"]+)"\]\)/).map { String($0.1) }
    #expect(!providers.isEmpty)
    for package in providers { #expect(packages.contains(package), "\(package)") }
    let page = try text("README.md")
    let installed = try ToolRunner.run(
      "/usr/bin/make", ["-n", "-f", Self.pipelines + "install-tools.mk", "build"], environment: Self.plain)
    for package in packages {
      #expect(page.contains(package), "README.md: \(package)")
      #expect(installed.text.contains(" \(package)"), "\(installed.text)\(installed.errors)")
    }
  }

  /// With another order of traits SwiftPM compiles everything again.
  @Test func scriptsBuildInOneWay() throws {
    let found = try ToolRunner.shell(
      "grep -rn 'swift build' .ci pipelines Tests --include=run --include='*.mk' --include='*.make' --include='*.sh'",
      in: ToolRunner.checkout)
    #expect(found.text.split(separator: "\n").count == 1, "\(found.text)")
    #expect(found.text.hasPrefix("pipelines/packages.make:"))
  }

  /// The pages for readers, from the first: a link to a file that moved is named.
  @Test(arguments: [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pipelines/results/README.md", "Tests/Oracle/README.md",
    "Tests/ToolTests/README.md", "Tests/PretrainingTests/Fixtures/oracle/README.md",
  ])
  func linksLeadSomewhere(page: String) throws {
    let text = try String(contentsOfFile: ToolRunner.checkout + "/" + page, encoding: .utf8)
    let folder = URL(fileURLWithPath: ToolRunner.checkout + "/" + page).deletingLastPathComponent()
    for match in text.matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/) {
      let path = folder.appendingPathComponent(String(match.1)).standardizedFileURL.path
      #expect(FileManager.default.fileExists(atPath: path), "\(page): a link to \(match.1), which is not there")
    }
  }

  /// What a stream's metadata hold is said in Schemas alone (and of every stream in TensorStream).
  @Test func metadataAreReadInOnePlace() throws {
    let found = try ToolRunner.shell(
      "grep -rn 'metadata\\[\"' Sources --include='*.swift' | grep -vE '^Sources/(Schemas|TensorStream)/' || true",
      in: ToolRunner.checkout)
    #expect(found.text.isEmpty, "\(found.text)")
  }

  /// A file over 300 lines holds two things. What a generator wrote is as long as it is.
  @Test func filesAreShort() throws {
    let found = try ToolRunner.shell(
      """
      find Sources Tests pipelines Fuzz -type f \\( -name '*.swift' -o -name '*.[ch]' -o -name '*.mk' -o -name '*.make' \
        -o -name '*.sh' \\) ! -name '*.pb.swift' -exec wc -l {} + | awk '$2 != "total" && $1 > 300'
      """, in: ToolRunner.checkout)
    #expect(found.text.isEmpty, "\(found.text)")
  }

  /// A mark is named by its file and line; what only looks like one is left alone, and a folder without marks passes.
  @Test func marksOfAMergeAreRefused() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let prepared = try ToolRunner.shell(
        "mkdir pipelines man; cp \(Self.pipelines)test.mk \(Self.pipelines)packages.make pipelines", in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      func marks() throws -> ToolResult {
        try ToolRunner.run("/usr/bin/make", ["-f", "pipelines/test.mk", "marks"], environment: Self.plain, in: folder)
      }
      func save(_ lines: [String]) throws {
        try (lines.joined(separator: "\n") + "\n").write(
          toFile: folder + "/man/page.1", atomically: true, encoding: .utf8)
      }
      let (ours, middle, theirs) = ("<<<<<<< HEAD", "=======", ">>>>>>> branch")
      try save(["a title", "========", "a <<<<<<< b", " \(ours)", "=======x"])
      let none = try marks()
      #expect(none.status == 0, "\(none.text)\(none.errors)")
      try save(["one", ours, "two", middle, "three", theirs])
      let some = try marks()
      #expect(some.status == 2 && some.errors.contains("take the marks out"), "\(some.errors)")
      for line in ["man/page.1:2:\(ours)", "man/page.1:4:\(middle)", "man/page.1:6:\(theirs)"] {
        #expect(some.text.contains(line + "\n"), "\(some.text)")
      }
    }
  }
}
