import Compute
import Foundation
import Networks
import TensorStream

extension EncoderConfiguration {
  /// The shape of an encoder as its tensors show it, for another program's file. No tensor shows the heads.
  /// - Throws: `Failure(.data)` where a tensor that shows it is missing or odd; `.usage` where heads are not given.
  init(inferredFrom record: Record, heads: Int?, source: String) throws {
    func shape(_ name: String, _ meaning: String, dimensions: Int) throws -> [Int] {
      guard let tensor = record[name] else {
        throw Failure(
          .data,
          "\(source): has no \"config\" in its metadata and no tensor \"\(name)\": not an encoder's weights in timm's names"
        )
      }
      guard tensor.shape.count == dimensions, tensor.shape.allSatisfy({ $0 > 0 }) else {
        throw Failure(.data, "\(source): \(name) is \(tensor.shape), expected \(meaning)")
      }
      return tensor.shape
    }
    let patches = try shape("patch_embed.proj.weight", "[width, channels, patch, patch]", dimensions: 4)
    let positions = try shape("pos_embed", "[1, 1 + patches, width]", dimensions: 3)
    let grid = Int(Double(positions[1] - 1).squareRoot().rounded())
    guard grid >= 1, grid * grid + 1 == positions[1] else {
      throw Failure(.data, "\(source): pos_embed is \(positions): expected a class token and a square grid of patches")
    }
    let hidden = try shape("blocks.0.mlp.fc1.weight", "[hidden, width]", dimensions: 2)
    guard hidden[0] % patches[0] == 0 else {
      throw Failure(
        .data, "\(source): blocks.0.mlp.fc1.weight is \(hidden): expected a multiple of the width \(patches[0]) first")
    }
    guard let heads else {
      throw Failure(
        .usage, "\(source): has no \"config\" in its metadata, and no tensor shows the attention heads: use --heads")
    }
    let blocks = record.tensors.compactMap { tensor -> Int? in
      let parts = tensor.name.split(separator: ".")
      return parts.count > 2 && parts[0] == "blocks" ? Int(parts[1]) : nil
    }
    let last = blocks.max() ?? 0
    guard last < 1 << 10, grid <= 1 << 14, patches[3] <= 1 << 14 else {
      throw Failure(.data, "\(source): block \(last), grid \(grid) or patch \(patches[3]) is beyond what a model has")
    }
    let wide = try shape("blocks.0.mlp.fc2.weight", "[width, hidden]", dimensions: 2)
    guard wide[1] == hidden[0] else {
      throw Failure(
        .data,
        "\(source): blocks.0.mlp.fc1.weight is \(hidden) and fc2.weight \(wide): an MLP with gates (SwiGLU), which there is none of here"
      )
    }
    self.init(
      image: grid * patches[3], patch: patches[3], channels: patches[1], width: patches[0], depth: last + 1,
      heads: heads, mlpRatio: hidden[0] / patches[0])
    layerScale = record["blocks.0.ls1.gamma"] != nil
    self.positions = try Self.isTable(record, width: width, grid: grid) ? .sineCosine : .learned
  }

  /// Whether the positions are those of the fixed table, but for the rounding of 16-bit numbers.
  private static func isTable(_ record: Record, width: Int, grid: Int) throws -> Bool {
    guard let stored = record["pos_embed"], width % 4 == 0, stored.shape == [1, 1 + grid * grid, width] else {
      return false
    }
    let table = positionTable(width: width, grid: grid, engine: Engine(threads: 1)).values
    return try stored.withValues(of: Float.self) { values in
      func areRounded(to bits: UInt32) -> Bool { values.allSatisfy { $0.bitPattern & ~0 >> bits == 0 } }
      let tolerance: Float = areRounded(to: 16) ? 4e-3 : areRounded(to: 19) ? 5e-4 : 1e-5
      return values.indices.allSatisfy { abs(values[$0] - table[$0]) < tolerance }
    }
  }

  /// Checks a configuration that a file claims, before memory is taken for it: it may not need much more than the file
  /// holds. (Loading the weights names exactly what is missing.)
  public func validate(source: String, against record: Record) throws {
    do {
      try validate()
      try requirePositive([("mlpRatio", mlpRatio)])
    } catch let failure as Failure {
      throw Failure(.data, "\(source): its encoder is impossible: \(failure.message)")
    }
    try record.requirePlausible(weights: approximateWeights, source: source)
  }
}

extension Record {
  /// Throws `Failure(.data)` where a configuration needs many more weights than the file holds values. Call it before
  /// memory is taken.
  /// - Parameter weights: about how many the configuration needs.
  public func requirePlausible(weights: Double, source: String) throws {
    let held = tensors.reduce(0.0) { $0 + Double($1.tensor.count) }
    if weights > max(16 * held, 0x1p24) {
      throw Failure(
        .data,
        "\(source): its configuration asks for \(String(format: "%.3g", weights)) weights, but the file holds \(String(format: "%.3g", held)) values"
      )
    }
  }
}
