import Foundation
import Testing

/// Input compressed by gzip, whole and damaged.
@Suite struct GzipTests {
  @Test func damagedGzipFilesAreErrors() throws {
    try ToolRunner.withTemporaryFolder { folder in
      try IDXFiles.write(in: folder)
      _ = try ToolRunner.shell("gzip images", in: folder)
      let whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/images.gz"))
      func result(_ data: Data) throws -> ToolResult {
        try data.write(to: URL(fileURLWithPath: folder + "/bad.gz"))
        return try ToolRunner.run("pmae-pack", ["bad.gz"], in: folder)
      }
      for cut in [whole.count - 1, whole.count - 8, whole.count / 2, 12, 3] {
        let result = try result(whole.prefix(cut))
        #expect(result.status == 65 && result.output.isEmpty)
        #expect(result.errors.hasPrefix("pmae-pack: bad.gz: a damaged gzip file: "), "\(result.errors)")
      }
      var flipped = whole
      flipped[flipped.count - 6] ^= 0x10
      #expect(try result(flipped).status == 65)
      // Files one after the other, and a tape's zeros after them, are one; anything else after them is damage.
      #expect(try ToolRunner.run("pmae-pack", ["bad.gz", "--output", "o.stz"], in: folder).status == 65)
      #expect(try result(whole + Data(count: 700)).status == 0)
      #expect(try result(whole + Data([1, 2, 3])).status == 65)
      let halves = try ToolRunner.shell(
        "gzip -dc images.gz > i; (head -c 20 i | gzip; tail -c +21 i | gzip) > two.gz; pmae-pack --quiet two.gz | pmae-inspect",
        in: folder)
      #expect(halves.status == 0 && halves.text.contains("12"), "\(halves.errors)")
      // Whole as gzip, but what is in it ends early.
      let early = try ToolRunner.shell(
        "gzip -dc images.gz | head -c 50 | gzip > short.gz; pmae-pack short.gz", in: folder)
      #expect(early.status == 65 && early.errors.contains("ends after 34 of the 72 values"))
      // A header that claims what memory could not hold, in a file of a few bytes.
      try IDXFiles.bytes([60_000_000, 60_000, 1000], [0]).write(to: URL(fileURLWithPath: folder + "/huge"))
      let huge = try ToolRunner.shell("gzip huge; pmae-pack huge.gz", in: folder)
      #expect(huge.status == 65 && huge.errors.contains("ends after 1 of the"), "\(huge.errors)")
    }
  }
}
