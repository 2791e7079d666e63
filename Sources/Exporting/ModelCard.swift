import Foundation
import Networks
import Schemas
import TensorStream
import Training

/// A README.md for a folder with a model: what it is, how it is opened, and how it came to be.
struct ModelCard {
  let text: String

  /// - Parameters:
  ///   - library: whose folder it is, for the card's head.
  ///   - use: code that opens it, with FOLDER where its name comes.
  ///   - metadata: with provenance.
  init(_ file: WeightsFile, hasHead: Bool, library: String, use: String, metadata: [String: String]) {
    let c = file.encoder
    var rows = [
      ("pictures", "\(c.image) x \(c.image), \(c.channels == 1 ? "1 channel" : "\(c.channels) channels")"),
      ("patches", "\(c.patch) x \(c.patch)"),
      ("width, depth, heads", "\(c.width), \(c.depth), \(c.heads)"),
      ("positions", c.positions == .learned ? "learned" : "a fixed table of sines and cosines"),
      ("norms add", "\(c.normEpsilon)"),
    ]
    if c.layerScale {
      rows.append(("LayerScale", library == "timm" ? "yes" : "multiplied into the branches' last matrices"))
    }
    if let normalisation = file.normalisation {
      let lists = [normalisation.mean, normalisation.std].map { $0.map { "\($0)" }.joined(separator: ", ") }
      rows.append(("pixels", "divided by 255, less \(lists[0]), over \(lists[1])"))
    }
    if hasHead, let head = file.head {
      rows.append(
        ("classes", "\(head.classes), on the \(head.pooling == .mean ? "mean of the patch tokens" : "class token")"))
    }
    let kind = hasHead ? "image-classification" : "image-feature-extraction"
    text =
      """
      ---
      library_name: \(library)
      pipeline_tag: \(kind)
      tags: [vision-transformer, pmae]
      ---

      # \(hasHead ? "A classifier of pictures" : "An encoder of pictures")

      A vision transformer, written by pmae-export \(pmaeVersion).

      | | |
      |---|---|
      \(rows.map { "| \($0.0) | \($0.1) |" }.joined(separator: "\n"))

      ## Use

      \(use)

      ## How it came to be

      \(Self.lineage(metadata))

      """
  }

  /// Each step and, below it, those that it was made from.
  private static func lineage(_ metadata: [String: String]) -> String {
    func lines(_ step: ProvenanceStep, depth: Int) -> [String] {
      let indent = String(repeating: "  ", count: depth)
      var words = [step.name ?? "this model", step.kind.map { "(\($0))" }].compactMap(\.self).joined(separator: " ")
      if let tool = step.tool {
        let arguments = step.arguments.map { $0 as? String ?? "?" }.joined(separator: " ")
        words += ": `\(PlainCode.text("\(tool) \(arguments)"))`"
      }
      return [indent + "- " + words] + step.changes.map { indent + "  - changed on reading: " + $0 }
        + step.inputs.flatMap { lines($0, depth: depth + 1) }
    }
    guard let step = ProvenanceStep(metadata: metadata) else { return "Nothing is known of it." }
    return lines(step, depth: 0).joined(separator: "\n")
  }

  /// Text between backticks.
  private enum PlainCode {
    static func text(_ text: String) -> String {
      String(text.map { $0 == "`" ? "'" : $0.isNewline ? " " : $0 })
    }
  }
}
