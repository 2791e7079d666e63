import Foundation
import Testing

/// Every input that the fuzzer starts from, and every one that it has found a mistake with (finding-*), ends in a result or an error.
@Suite struct CorpusTests {
  private static let corpus = ToolRunner.checkout + "/Fuzz/Corpus/"

  private static func files(_ target: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: corpus + target)) ?? []
    return names.sorted().map { corpus + target + "/" + $0 }
  }

  /// 64: usage, 65: bad data, 66: no input. What a signal ended has more than 128.
  private func check(_ result: ToolResult, _ what: String) {
    #expect([0, 64, 65, 66].contains(result.status), "\(what): \(result.status): \(result.errors)")
    #expect((result.status == 0) || result.errors.contains(": "), "\(what)")
  }

  @Test(arguments: ["jpeg", "png", "webp", "tiff", "kind"])
  func pictures(target: String) throws {
    #expect(Self.files(target).count >= 4)
    let script = "pmae-pack --no-labels --threads 2 \"\(Self.corpus)\(target)\" > /dev/null"
    check(try ToolRunner.shell(script), target)
  }

  @Test(arguments: ["tar", "zip", "csv", "idx"])
  func sources(target: String) throws {
    let files = Self.files(target)
    #expect(files.count >= 2)
    for file in files { check(try ToolRunner.shell("pmae-pack --threads 1 \"\(file)\" > /dev/null"), file) }
  }

  @Test func masksAndTheirClasses() throws {
    let beside = PackMaskTests.masks + "/beside"
    let names = Self.files("classes")
    #expect(names.count >= 4)
    for file in names {
      check(try ToolRunner.shell("pmae-pack --mask-classes \"\(file)\" \(beside) > /dev/null"), file)
    }
    #expect(Self.files("mask").count >= 4)
    let images = PackMaskTests.masks + "/pair/images"
    check(
      try ToolRunner.shell("pmae-pack --masks \"\(Self.corpus)mask\" --mask-classes 3 \(images) > /dev/null"), "mask")
  }

  @Test(arguments: ["stream", "safetensors"])
  func streams(target: String) throws {
    let files = Self.files(target)
    #expect(files.count >= 1)
    for file in files { check(try ToolRunner.run("pmae-inspect", ["--check", file]), file) }
  }
}
