import ArgumentParser
import CommandLineKit
import Compute
import Exporting
import Foundation
import Networks
import Schemas
import TensorStream
import Training

struct ExportTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-export",
    abstract: "Write an encoder or a model for this program and others: timm, Hugging Face, ONNX.",
    version: pmaeVersion)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case stz, safetensors, onnx
  }

  enum Layout: String, CaseIterable, ExpressibleByArgument {
    case timm
    case huggingFace = "hugging-face"
    case mae
  }

  @Argument(
    help: "A run's folder or its checkpoint.stz; or weights, this program's or another's.", completion: .file())
  var source: String

  @Option(
    help: ArgumentHelp(
      "The network of a run: student, or a teacher that the objective has, such as labelling-teacher (default: student).",
      valueName: "part"))
  var part: String?

  @Option(help: "The output's format (default: by its name, .safetensors, .onnx or else stz).")
  var format: Format?

  @Option(
    help: "A folder for timm or Hugging Face, or a file with MAE's decoder too (default: a file with timm's names).")
  var layout: Layout?

  @Flag(help: "Leave the head of a classifier out.")
  var withoutHead = false

  @Option(
    help: "What features, and a head that does not say it, are of: class or mean (default: the model's own, or class).")
  var pool: Pooling?

  @Option(
    help: ArgumentHelp(
      "In ONNX, tokens behind these blocks too, numbered from 0, with commas between.", valueName: "list"))
  var blocks: String?

  @Option(help: "What an ONNX graph reads: bytes of pictures, or normalised values (default: bytes).")
  var pixels: ONNXFile.Pixels?

  @Option(help: "Side of the pictures, in pixels (default: the encoder's own).")
  var image: Int?

  @Option(help: "Attention heads, for another program's file, where none says.")
  var heads: Int?

  @OptionGroup var output: OutputOptions

  private var chosenFormat: Format {
    format ?? (output.output.hasSuffix(".onnx") ? .onnx : output.output.hasSuffix(".safetensors") ? .safetensors : .stz)
  }

  private var isFolder: Bool { layout == .timm || layout == .huggingFace }

  mutating func validate() throws {
    _ = try chosenBlocks()
    if let layout {
      if isFolder, output.output == "-" {
        throw ValidationError("--layout \(layout.rawValue) is a folder: name it with --output")
      }
      if let format, format == .onnx || isFolder && format != .safetensors {
        throw ValidationError("--layout \(layout.rawValue) and --format \(format.rawValue) exclude each other")
      }
    } else if chosenFormat == .onnx {
      return
    }
    for (name, isGiven) in [("blocks", blocks != nil), ("pixels", pixels != nil)] where isGiven {
      throw ValidationError("--\(name) is for --format onnx alone")
    }
  }

  private func chosenBlocks() throws -> [Int] {
    try (blocks?.split(separator: ",", omittingEmptySubsequences: false) ?? []).map { word in
      guard let number = Int(word), number >= 0 else {
        throw ValidationError("--blocks is \(blocks ?? ""): expected whole numbers from 0, with commas between")
      }
      return number
    }
  }

  mutating func execute() throws {
    let source = try ExportSource(
      self.source, part: part, heads: heads, image: image, hasHead: !withoutHead, pool: pool
    ) { [output] in note("pmae-export", $0, quiet: output.quiet) }
    let (file, metadata) = (source.file, source.metadata)
    let hasHead = file.head != nil && !withoutHead
    if pool != nil, !hasHead, layout != .timm, layout != nil || chosenFormat != .onnx {
      throw Failure(
        .usage, "--pool: weights without a head say nothing of it, but in --format onnx and --layout timm: leave it out"
      )
    }
    try checkWeights(of: file, hasHead: hasHead)
    let pooling = try pooling(of: file, hasHead: hasHead)
    var tensors = file.tensors(hasHead: hasHead)
    switch layout {
    case .timm:
      try TimmFolder.write(
        file, hasHead: hasHead, pooling: pooling, metadata: metadata, to: output.output, overwrite: output.overwrite)
    case .huggingFace:
      try HuggingFaceFolder.write(
        file, hasHead: hasHead, pooling: pooling, metadata: metadata, to: output.output, overwrite: output.overwrite)
    case .mae, nil:
      if layout == .mae {
        tensors = try MAELayout.tensors(file, decoderOf: source.checkpoint?.record)
      }
      switch chosenFormat {
      case .onnx:
        let onnx = try ONNXFile(
          file, pixels: pixels ?? .bytes, pooling: pooling, blocks: try chosenBlocks(), hasHead: hasHead,
          metadata: metadata)
        try writeWholeFile(onnx.bytes, path: output.output, overwrite: output.overwrite)
      case .stz, .safetensors:
        try (chosenFormat == .stz ? WeightsFormat.stz : .safetensors).write(
          tensors, metadata: metadata, to: output.output, overwrite: output.overwrite)
      }
    }
    let values = tensors.reduce(0) { $0 + $1.tensor.count }
    note("pmae-export", "\(source.title): \(grouped(values)) weights", quiet: output.quiet)
  }

  /// Holds every tensor against the configuration.
  private func checkWeights(of file: WeightsFile, hasHead: Bool) throws {
    let engine = Engine(threads: 1)
    if hasHead, let head = file.head {
      _ = try file.load(head, pooling: pool ?? head.pooling ?? .classToken, engine: engine)
    } else {
      _ = try file.load(engine: engine)
    }
  }

  /// What the head is on, or the features are of.
  private func pooling(of file: WeightsFile, hasHead: Bool) throws -> Pooling {
    if hasHead, let own = file.head?.pooling, let pool, pool != own {
      throw Failure(.usage, "\(file.source): its head is on pool \(own.rawValue), but --pool says \(pool.rawValue)")
    }
    if let known = pool ?? file.head?.pooling { return known }
    let needsIt = hasHead && (isFolder || chosenFormat == .onnx)
    guard !needsIt else {
      throw Failure(
        .usage, "\(file.source): does not say what its head is on: use --pool class, mean or grid, or --without-head")
    }
    return .classToken
  }
}

extension Pooling: ExpressibleByArgument {}
extension ONNXFile.Pixels: ExpressibleByArgument {}
