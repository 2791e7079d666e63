import ArgumentParser
import CommandLineKit
import Schemas
import TensorStream
import Training

/// How features are written.
enum FeatureFormat: String, ExpressibleByArgument, CaseIterable {
  /// A stream.
  case stz
  /// One array of NumPy's, without labels and names.
  case npy
  /// A line an image, tabs between.
  case tsv

  /// What a name's ending asks for.
  init(path: String) { self = path.hasSuffix(".npy") ? .npy : path.hasSuffix(".tsv") ? .tsv : .stz }
}

/// Where features go, some rows at a time.
struct FeatureSink {
  let write: (Features) throws -> Void
  let finish: () throws -> Void
  let cancel: () -> Void

  /// - Parameters:
  ///   - rows: how many there will be.
  ///   - metadata: of a stream.
  init(
    _ format: FeatureFormat, _ output: OutputOptions, rows: Int, header: FeaturesHeader, metadata: [String: String]
  ) throws {
    switch format {
    case .stz:
      let writer = try StreamWriter(
        path: output.output, kind: StreamKind.features.rawValue, metadata: metadata, overwrite: output.overwrite)
      write = { try writer.write(Self.tensors(of: $0)) }
      finish = { try writer.finish() }
      cancel = { writer.cancel() }
    case .npy:
      let file = try TextFile(path: output.output, overwrite: output.overwrite)
      try file.write(Self.arrayHeader(rows: rows, columns: header.width))
      write = { features in
        try features.values.withUnsafeBytes { try file.write($0) }
      }
      (finish, cancel) = (file.finish, file.cancel)
    case .tsv:
      let file = try TextFile(path: output.output, overwrite: output.overwrite)
      try file.write(
        "index\tname\tlabel" + (0..<header.width).map { "\tfeature_\($0)" }.joined() + "\n")
      write = { try file.write(Self.lines(of: $0, classes: header.classes)) }
      (finish, cancel) = (file.finish, file.cancel)
    }
  }

  private static func tensors(of part: Features) -> [NamedTensor] {
    var tensors: [NamedTensor] = [
      (FeatureTensors.features, StoredTensor(part.values, shape: [part.count, part.width])),
      (ViewTensors.index, StoredTensor(part.index, shape: [part.count])),
    ]
    if !part.labels.isEmpty { tensors.append((Targets.label, StoredTensor(part.labels, shape: [part.count]))) }
    return tensors + (part.names?.tensors ?? [])
  }

  /// The start of a .npy file, format 1.0: a magic number, a version, a length, and a dictionary of Python's that is padded to a
  /// multiple of 64 bytes.
  private static func arrayHeader(rows: Int, columns: Int) -> [UInt8] {
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    let spaces = 63 - (start.count + 2 + dictionary.utf8.count) % 64
    let length = dictionary.utf8.count + spaces + 1
    return start + [UInt8(length & 255), UInt8(length >> 8)] + Array(dictionary.utf8)
      + [UInt8](repeating: UInt8(ascii: " "), count: spaces) + [UInt8(ascii: "\n")]
  }

  /// What is not known is `-`.
  private static func lines(of part: Features, classes: [String]?) -> String {
    (0..<part.count).map { row in
      let label = part.labels.isEmpty ? nil : ClassNames.text(part.labels[row], in: classes)
      let cells = [String(part.index[row]), part.names?.known(row) ?? "-", label ?? "-"].map { printable($0) }
      let values = part.values[row * part.width..<(row + 1) * part.width].map { JSONLine.number(Double($0)) }
      return (cells + values).joined(separator: "\t") + "\n"
    }.joined()
  }
}
