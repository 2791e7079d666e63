// Pictures and labels from two IDX files, as MNIST and its relatives come.

import Foundation
import TensorStream

/// An IDX file of pictures, [n, H, W] or [n, H, W, C], and one of labels, [n]; both in memory.
struct IDXPictures: PictureSource {
  let name: String
  let count: Int
  let labels: SourceLabels
  let pixelShape: PixelShape?
  private let shape: PixelShape
  private let pixels: [UInt8]

  /// - Parameters:
  ///   - images: plain or gzip.
  ///   - labels: a path, plain or gzip; nil where there are none.
  ///   - classNames: names for the labels, first for 0; the labels' own numbers where nil.
  /// - Throws: `Failure(.data)` for files that are not whole, are something else, or do not belong together.
  init(images: ByteFile, labels: String?, classNames: [String]?) throws {
    let file = try IDX.read(file: images, ranks: 3...4)
    name = images.name
    count = file.dimensions[0]
    shape = PixelShape(
      height: file.dimensions[1], width: file.dimensions[2],
      channels: file.dimensions.count == 4 ? file.dimensions[3] : 1)
    pixelShape = shape
    guard shape.channels == 1 || shape.channels == 3 else {
      throw Failure(.data, "\(name): pictures of \(shape.channels) channels: 1 (grey) or 3 (RGB) are known")
    }
    guard shape.height <= IDX.maximumSide, shape.width <= IDX.maximumSide else {
      throw Failure(
        .data,
        "\(name): pictures of \(shape.height) x \(shape.width): at most \(IDX.maximumSide) a side are accepted")
    }
    pixels = file.values
    guard let labels else {
      self.labels = .none(Self.nearest(to: images))
      return
    }
    let labelFile = try IDX.read(path: labels, ranks: 1...1)
    guard labelFile.values.count == count else {
      throw Failure(
        .data, "\(labels): \(counted(labelFile.values.count, "label")), but \(name) has \(counted(count, "picture"))")
    }
    let classes = try numberedClasses(
      upTo: Int(labelFile.values.max() ?? 0), source: labels, classNames: classNames)
    var own = SourceLabels(.fixed(classes), origin: labels)
    own.table = LabelTable(ids: labelFile.values.map { Int32($0) })
    self.labels = own
  }

  /// The file that MNIST and its relatives would have the labels in.
  private static func nearest(to images: ByteFile) -> String {
    let path = FilePath(operand: images.name)
    let name = String(decoding: path.base, as: UTF8.self)
    let likely = name.replacingOccurrences(of: "images", with: "labels").replacingOccurrences(of: "idx3", with: "idx1")
    let file = path.folder.appending(Array(likely.utf8))
    return likely != name && file.isFile
      ? "an IDX file of pictures has none; \(file.description) lies beside it: --labels \(file.description)"
      : "an IDX file of pictures has none: --labels names the IDX file of labels"
  }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] {
    Array("\(isAlone ? (name as NSString).lastPathComponent : name)/\(index)".utf8)
  }

  func path(_ index: Int) -> String { "\(name): picture \(index)" }

  func bytes(_ index: Int, memory: Scratch<UInt8>) -> UnsafeRawBufferPointer {
    let target = memory.reserve(shape.count)
    pixels.withUnsafeBufferPointer { target.update(from: $0.baseAddress! + index * shape.count, count: shape.count) }
    return UnsafeRawBufferPointer(start: target, count: shape.count)
  }
}
