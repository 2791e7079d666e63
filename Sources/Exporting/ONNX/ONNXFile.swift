import Foundation
import Networks
import Schemas
import SwiftProtobuf
import TensorStream
import Training

/// An encoder, or a classifier, as an ONNX file: operations of opset 17, the batch of any size, names of classes and how
/// pixels are normalised in the metadata.
public struct ONNXFile {
  /// Operations that onnxruntime has had since 1.11.
  public static let opset = 17

  /// What the graph reads.
  public enum Pixels: String, CaseIterable, Sendable {
    /// U8 [batch, side, side, channels], as a picture has them; normalised inside.
    case bytes
    /// F32 [batch, channels, side, side], normalised by the caller.
    case normalised
  }

  /// The whole file.
  public let bytes: [UInt8]

  /// - Parameters:
  ///   - pooling: of the features; a head has its own.
  ///   - blocks: whose tokens are outputs too, by their numbers from 0.
  ///   - metadata: what says where the weights are from.
  /// - Throws: `Failure(.usage)` for a block that there is none of, for bytes where the file does not say how they are
  ///   normalised, and beyond the 2 GiB that an ONNX file may have.
  public init(
    _ file: WeightsFile, pixels: Pixels = .bytes, pooling: Pooling, blocks: [Int] = [], hasHead: Bool,
    metadata: [String: String]
  ) throws {
    if let block = blocks.first(where: { !(0..<file.encoder.depth).contains($0) }) {
      throw Failure(.usage, "--blocks asks for block \(block), but \(file.source) has 0 to \(file.encoder.depth - 1)")
    }
    let size = file.record.tensors.reduce(0) { $0 + $1.tensor.byteCount }
    guard size < 1 << 31 - 1 << 20 else {
      throw Failure(
        .usage, "\(file.source): has \(grouped(size)) bytes of weights, but an ONNX file has at most 2 GiB")
    }
    var graph = EncoderGraph(file)
    var model = Onnx_ModelProto()
    // Its version is in made_by, so that equal weights give equal graphs whatever the version.
    (model.irVersion, model.producerName) = (8, "pmae-export")
    var operations = Onnx_OperatorSetIdProto()
    (operations.domain, operations.version) = ("", Int64(Self.opset))
    model.opsetImport = [operations]
    model.graph = try graph.make(pixels: pixels, pooling: pooling, blocks: blocks, hasHead: hasHead)
    model.metadataProps = metadata.sorted { $0.key < $1.key }.map { key, value in
      var entry = Onnx_StringStringEntryProto()
      (entry.key, entry.value) = (key, value)
      return entry
    }
    do {
      bytes = try model.serializedBytes()
    } catch {
      throw Failure(.software, "the graph could not be written: \(error)")
    }
  }
}
