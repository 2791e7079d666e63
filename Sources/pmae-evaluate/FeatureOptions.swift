import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Networks
import Schemas
import TensorStream
import Training

/// Whose features a measure takes: an encoder's, the pixels themselves, or features that `embed` wrote.
struct FeatureOptions: ParsableArguments {
  @Flag(help: "The pixels of the views are the features: no encoder. What any encoder has to beat.")
  var pixels = false

  @OptionGroup var pooling: PoolingOptions
  @OptionGroup var input: InputOptions

  mutating func validate() throws {
    if !pixels { return }
    for (option, isGiven) in [
      ("--pool", pooling.pool != nil), ("--heads", input.heads != nil), ("--image", input.image != nil),
      ("--precision", input.precision != .float32),
    ] where isGiven { throw ValidationError("\(option) is of an encoder, and --pixels has none") }
  }

  /// Splits operands into an encoder, where there is one, and the sets of images.
  /// - Parameters:
  ///   - sets: what the sets are called, `train` and `test`.
  ///   - isLastOptional: whether the last set may be left out, which is standard input.
  func split(_ operands: [String], sets: [String], isLastOptional: Bool = false) throws -> FeatureOperands {
    let least = sets.count - (isLastOptional ? 1 : 0)
    let names = sets.map { "<\($0)>" }.joined(separator: " ")
    var (encoder, rest) = (String?.none, operands)
    if !pixels, isLastOptional || operands.count > sets.count, !operands.isEmpty { encoder = rest.removeFirst() }
    guard (least...sets.count).contains(rest.count), pixels || encoder != nil || !isLastOptional else {
      let others = isLastOptional ? "" : ", or \(names) alone where they are features"
      throw ValidationError("expected \(pixels ? "" : "<encoder> ")\(names)\(pixels ? "" : others)")
    }
    if rest.count < sets.count { rest.append("-") }
    if rest.count(where: { $0 == "-" }) > 1 {
      throw ValidationError("only one of the operands can be standard input")
    }
    if encoder == nil && !pixels {
      for (option, isGiven) in [
        ("--pool", pooling.pool != nil), ("--heads", input.heads != nil), ("--view", input.view != nil),
        ("--image", input.image != nil), ("--precision", input.precision != .float32),
      ] where isGiven { throw ValidationError("\(option) is of an encoder or of views, and none is named") }
    }
    return FeatureOperands(encoder: encoder, sets: rest)
  }
}

/// The operands of a measure.
struct FeatureOperands {
  /// Nil for pixels, and for features that are there already.
  let encoder: String?
  let sets: [String]
}
