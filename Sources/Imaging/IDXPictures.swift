// Pictures and labels from two IDX files, as MNIST and its relatives come.

import Compute
import TensorStream

/// An IDX file of pictures, [n, H, W] or [n, H, W, C], and one of labels, [n]; both in memory.
public struct IDXPictures: PictureSource {
  public let name: String
  public let count: Int
  public let height: Int
  public let width: Int
  /// 1 or 3.
  public let channels: Int
  public let labels: [Int32]?
  public let classes: [String]?
  private let pixels: [UInt8]

  /// - Parameters:
  ///   - images, labels: plain or gzip; `-` is standard input.
  ///   - classNames: names for the labels, first for 0; the labels' own numbers where nil.
  /// - Throws: `Failure(.data)` for files that are not whole, are something else, or do not belong together.
  public init(images: String, labels: String?, classNames: [String]?) throws {
    let file = try IDX.read(path: images, ranks: 3...4)
    name = images == "-" ? "standard input" : images
    count = file.dimensions[0]
    height = file.dimensions[1]
    width = file.dimensions[2]
    channels = file.dimensions.count == 4 ? file.dimensions[3] : 1
    guard channels == 1 || channels == 3 else {
      throw Failure(.data, "\(name): pictures of \(channels) channels: 1 (grey) or 3 (RGB) are known")
    }
    guard height <= IDX.maximumSide, width <= IDX.maximumSide else {
      throw Failure(.data, "\(name): pictures of \(height) x \(width): at most \(IDX.maximumSide) a side are accepted")
    }
    pixels = file.values
    guard let labels else {
      (self.labels, classes) = (nil, nil)
      return
    }
    let labelFile = try IDX.read(path: labels, ranks: 1...1)
    guard labelFile.values.count == count else {
      throw Failure(
        .data, "\(labels): \(counted(labelFile.values.count, "label")), but \(name) has \(counted(count, "picture"))")
    }
    let highest = Int(labelFile.values.max() ?? 0)
    if let classNames, classNames.count <= highest {
      throw Failure(
        .data, "\(labels): has label \(highest), but \(counted(classNames.count, "class name")) were given")
    }
    self.labels = labelFile.values.map { Int32($0) }
    classes = classNames ?? (0...highest).map { String($0) }
  }

  public func survey(_ chosen: [Int], pool: ThreadPool, progress: (Int) -> Void) throws -> [String: String] {
    var statistics = PixelStatistics(channels: channels)
    let size = height * width * channels
    pixels.withUnsafeBufferPointer { pixels in
      for index in chosen { statistics.add(pixels.baseAddress! + index * size, pixels: height * width) }
    }
    progress(chosen.count)
    return [
      "mean": try JSONText.encode(statistics.mean), "std": try JSONText.encode(statistics.deviation),
      "height": String(height), "width": String(width), "channels": String(channels),
    ]
  }

  public func write(_ chosen: [Int], rowsPerRecord: Int?, to writer: StreamWriter, progress: (Int) -> Void) throws {
    let size = height * width * channels
    // Records of about a megabyte, or one picture.
    let rows = rowsPerRecord ?? max(1, min(1024, (1 << 20) / size))
    for start in stride(from: 0, to: chosen.count, by: rows) {
      let part = chosen[start..<min(start + rows, chosen.count)]
      let bytes = [UInt8](unsafeUninitializedCapacity: part.count * size) { buffer, initialized in
        pixels.withUnsafeBufferPointer { pixels in
          for (i, index) in part.enumerated() {
            (buffer.baseAddress! + i * size).initialize(from: pixels.baseAddress! + index * size, count: size)
          }
        }
        initialized = part.count * size
      }
      let tensor = StoredTensor(bytes, shape: [part.count, height, width, channels])
      try writer.write([(name: "pixels", tensor: tensor)] + labelTensor(part))
      progress(part.endIndex)
    }
  }
}
