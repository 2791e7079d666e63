import Foundation
import TensorStream
import Testing

/// pmae-augment without labels, with another mean and deviation, and with grey pictures.
@Suite struct AugmentLabelsTests {
  private func metadata(_ path: String) throws -> [String: String] { try IndexedStream(path: path).header.metadata }

  private func statistics(_ path: String) throws -> (mean: [Double], std: [Double]) {
    let metadata = try metadata(path)
    return (
      try JSONText.decode([Double].self, from: metadata["mean"] ?? "", what: "mean"),
      try JSONText.decode([Double].self, from: metadata["std"] ?? "", what: "std")
    )
  }

  @Test func setsWithAndWithoutLabelsGoTogetherWithoutThem() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --output l.stz photos; pmae-pack --quiet --output m.stz shards/train-000000.tar
        pmae-pack --quiet --output u.stz photos/bars
        pmae-augment --quiet --no-labels --size 16 --output v.stz l.stz u.stz m.stz
        cat u.stz | pmae-augment --quiet --no-labels --size 16 --output w.stz -
        pmae-augment --quiet --size 16 --output x.stz u.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try metadata(folder + "/v.stz")["classes"] == nil)
      #expect(try metadata(folder + "/v.stz")["rows_per_epoch"] == "18")
      let record = try #require(try StreamReader(path: folder + "/v.stz").next())
      #expect(record["label"] == nil)
      let refused = try ToolRunner.shell("pmae-augment --size 16 --output y.stz l.stz u.stz", in: folder)
      #expect(refused.status == 65 && refused.errors.contains("--no-labels"), "\(refused.errors)")
      let both = try ToolRunner.shell("pmae-augment --no-labels --merge-classes l.stz > y.stz", in: folder)
      #expect(both.status == 64)
      // Without labels, what is drawn is the same.
      let same = try ToolRunner.shell(
        "pmae-augment --quiet --size 16 --output a.stz l.stz; pmae-augment --quiet --no-labels --size 16 --output b.stz l.stz",
        in: folder)
      #expect(same.status == 0)
      let (a, b) = (try StreamReader(path: folder + "/a.stz").next(), try StreamReader(path: folder + "/b.stz").next())
      #expect(try a?["simple"]?.values(of: UInt8.self) == b?["simple"]?.values(of: UInt8.self))
    }
  }

  @Test func meanAndDeviationCanBeGiven() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --size 16 --mean 0.5 --std 0.25,0.5,1 --output a.stz images.stz
        pmae-augment --quiet --size 16 --std 0.25 --output b.stz images.stz
        pmae-augment --quiet --size 16 --output c.stz images.stz
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let (a, b, c) = (
        try statistics(folder + "/a.stz"), try statistics(folder + "/b.stz"), try statistics(folder + "/c.stz")
      )
      #expect(a.mean == [0.5, 0.5, 0.5] && a.std == [0.25, 0.5, 1])
      #expect(b.mean == c.mean && b.std == [0.25, 0.25, 0.25])
      for options in [
        "--std 0", "--mean 2", "--mean 1,2", "--std x", "--mean 0.1,0.2 --channels 1", "--mean -0.1", "--std nan",
      ] {
        let refused = try ToolRunner.shell("pmae-augment \(options) --size 16 images.stz > z.stz", in: folder)
        #expect(refused.status == 64, "\(options): \(refused.errors)")
      }
    }
  }

  /// A channel without variance is said where it is packed and where views are made; --std mends it.
  @Test func aChannelWithoutVarianceIsSaid() throws {
    try ExampleFiles.withCopy { folder in
      let red = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/sources/red"
      let result = try ToolRunner.shell(
        "pmae-pack --output o.stz \"$RED\"; pmae-augment --size 8 --output v.stz o.stz; pmae-augment --quiet --std 1 --size 8 o.stz > w.stz",
        environment: ["RED": red], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("green (0 everywhere), blue (7 everywhere): no variance"), "\(result.errors)")
      #expect(result.errors.contains("o.stz: channel 2 has no variance"), "\(result.errors)")
      #expect(try statistics(folder + "/v.stz").std[1...] == [0, 0] && statistics(folder + "/w.stz").std == [1, 1, 1])
    }
  }

  /// Grey files stay one channel; files with colours become it as Pillow's convert("L") has them.
  @Test func greyPicturesCanStayOneChannel() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --output grey.stz "$FROM/grey.jpg" "$FROM/one-grey.jpg"
        pmae-augment --quiet --channels 1 --size 8 --output g.stz grey.stz
        pmae-augment --quiet --channels 3 --size 8 --output h.stz grey.stz
        pmae-pack --channels 1 --output some.stz "$FROM/grey.jpg" photos/bars/0.jpg
        pmae-augment --quiet --views center --crop-ratio 1 --channels 1 --size 8 --output s.stz some.stz
        pmae-augment --quiet --channels 3 --size 8 --output t.stz some.stz
        pmae-pack --quiet --output colour.stz photos
        """, environment: ["FROM": ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/pictures"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("1 picture with colours will be read as grey"), "\(result.errors)")
      let g = try #require(try StreamReader(path: folder + "/g.stz").next())
      let h = try #require(try StreamReader(path: folder + "/h.stz").next())
      #expect(g["simple"]?.shape == [2, 8, 8, 1])
      let (one, three) = (
        try #require(g["simple"]).values(of: UInt8.self), try #require(h["simple"]).values(of: UInt8.self)
      )
      #expect(one.indices.allSatisfy { three[3 * $0] == one[$0] && three[3 * $0 + 2] == one[$0] })
      #expect(try statistics(folder + "/g.stz").mean.count == 1 && statistics(folder + "/h.stz").mean.count == 3)
      #expect(try statistics(folder + "/some.stz").mean.count == 1 && metadata(folder + "/some.stz")["channels"] == "1")
      #expect(try metadata(folder + "/colour.stz")["channels"] == "3")
      let refused = try ToolRunner.shell("pmae-augment --channels 1 --size 8 colour.stz > z.stz", in: folder)
      #expect(refused.status == 65 && refused.errors.contains("pmae-pack --channels 1"), "\(refused.errors)")
      let pixels = try ToolRunner.shell("pmae-pack --channels 1 --output p.stz cifar-10-batches-bin", in: folder)
      #expect(pixels.status == 64, "\(pixels.errors)")
    }
  }
}
