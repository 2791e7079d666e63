import Autodiff
import Compute
import Evaluation
import Foundation
import Networks
import TensorStream
import Testing

/// k-means over patches against methods.py, whose own centres are scikit-learn's.
struct TokenizerFitTests {
  private let record: Record
  private let engine = Engine(threads: 2, poisoning: true)

  init() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    record = try readTensors(path: folder + "/PretrainingTests/Fixtures/methods/tokens.safetensors")
  }

  private func values<T: Element>(_ name: String, _: T.Type) throws -> [T] {
    try #require(record[name], "\(name)").values(of: T.self)
  }

  private var images: ImageBatch {
    get throws {
      let pixels = try values("simple", UInt8.self)
      return ImageBatch(
        pixels: pixels, count: 8, side: 32, channels: 3, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
    }
  }

  private var rows: Tensor {
    get throws { PatchTokenizer.rows(try images, places: (0..<8 * 16).map { $0 }, patch: 8, engine: engine) }
  }

  @Test func seedsAreTheOracles() throws {
    let seeds = TokenizerFit.seeds(try rows, uniform: try values("uniform", Double.self), engine: engine)
    #expect(seeds?.map { Int32($0) } == (try values("seeds", Int32.self)))
    #expect(TokenizerFit.seeds(try rows, uniform: [0.5, 0.5], engine: engine) { $0 == 2 } == nil)
  }

  @Test func roundsEndAtTheOraclesCentresAndTokens() throws {
    let x = try rows
    let tokenizer = PatchTokenizer(
      vocabulary: 12, patch: 8, channels: 3, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225],
      values: try values("centres.start", Float.self), engine: engine)
    for inertia in try values("inertia", Double.self) {
      let mine = TokenizerFit.iterate(tokenizer, on: x, engine: engine)
      #expect(abs(mine - inertia) <= 1e-5 * inertia)
    }
    let centres = (0..<12).flatMap { tokenizer.centres.values(ofRow: $0) }
    #expect(zip(centres, try values("centres", Float.self)).allSatisfy { abs($0 - $1) <= 1e-5 })
    // However the images come normalised.
    let pixels = try images.pixels
    let other = ImageBatch(pixels: pixels, count: 8, side: 32, channels: 3, mean: [0, 0.2, 0.9], std: [1, 0.1, 0.3])
    for images in [try images, other] {
      let ids = tokenizer(images, places: (0..<8 * 16).map { $0 }, engine: engine)
      #expect(ids == (try values("ids", Int32.self)))
    }
  }

  /// A centre that no row is nearest to stays where it is.
  @Test func aCentreWithoutRowsStays() throws {
    let far = [Float](repeating: 1000, count: 192)
    let start = try values("centres.start", Float.self)
    let tokenizer = PatchTokenizer(
      vocabulary: 2, patch: 8, channels: 3, values: Array(start[..<192]) + far, engine: engine)
    _ = TokenizerFit.iterate(tokenizer, on: try rows, engine: engine)
    #expect(tokenizer.centres.values(ofRow: 1) == far)
    #expect(tokenizer.centres.values(ofRow: 0) != Array(start[..<192]))
  }
}
