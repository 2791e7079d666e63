// One data record of an images stream: pictures as pixels, or as JPEG and PNG files.

import Schemas
import TensorStream

/// A checked record of an images stream.
struct ImageRecord: Sendable {
  enum Content: Sendable {
    /// u8 [n, H, W, C], C is 1 or 3.
    case pixels(StoredTensor)
    /// u8 [total], with the n + 1 offsets at which each file begins.
    case encoded(StoredTensor, offsets: [Int])
  }
  let content: Content
  let rows: Int
  /// i32 [n].
  private(set) var labels: [Int32]?
  /// PNG files of class ids: u8 [total], with the n + 1 offsets at which each begins; nil for pictures without masks.
  private(set) var masks: (bytes: StoredTensor, offsets: [Int])?
  /// What each picture is called; nil in streams of before there were names.
  let names: RowNames?
  /// Bytes that it keeps in memory.
  private(set) var byteCount: Int
  private let name: String
  private let number: Int
  private let firstRow: Int

  /// Checks shapes and offsets. Throws `Failure(.data)` that says what was expected.
  init(_ record: Record, name: String, number: Int, firstRow: Int) throws {
    self.name = name
    self.number = number
    self.firstRow = firstRow
    func failure(_ text: String) -> Failure { Failure(.data, "\(name): record \(number): \(text)") }
    if let pixels = record["pixels"] {
      let shape = pixels.shape
      guard pixels.type == .u8, shape.count == 4, shape[1] > 0, shape[2] > 0, shape[3] == 1 || shape[3] == 3 else {
        throw failure("pixels is \(pixels.type.rawValue) \(shape): expected U8 [rows, height, width, 1 or 3]")
      }
      content = .pixels(pixels)
      rows = shape[0]
      byteCount = pixels.byteCount
    } else if let bytes = record["image.bytes"], let offsets = record["image.offsets"] {
      guard bytes.type == .u8, bytes.shape.count == 1, offsets.type == .i64, offsets.shape.count == 1, offsets.count > 0
      else {
        throw failure(
          "image.bytes is \(bytes.type.rawValue) \(bytes.shape) and image.offsets \(offsets.type.rawValue) \(offsets.shape): "
            + "expected U8 [bytes] and I64 [rows + 1]")
      }
      let places = try offsets.values(of: Int64.self)
      guard places.first == 0, places.last == Int64(bytes.count),
        zip(places, places.dropFirst()).allSatisfy({ $0 <= $1 })
      else {
        throw failure("image.offsets do not rise from 0 to the \(bytes.count) of image.bytes")
      }
      content = .encoded(bytes, offsets: places.map { Int($0) })
      rows = places.count - 1
      byteCount = bytes.byteCount + offsets.byteCount
    } else {
      let found = record.tensors.map { $0.name }.joined(separator: ", ")
      throw failure("expected pixels, or image.bytes and image.offsets; found \(found.isEmpty ? "no tensor" : found)")
    }
    if let label = record["label"] {
      guard label.type == .i32, label.shape == [rows] else {
        throw failure("label is \(label.type.rawValue) \(label.shape): expected I32 [\(rows)]")
      }
      labels = try label.values(of: Int32.self)
    } else {
      labels = nil
    }
    names = try RowNames(record, what: "\(name): record \(number)")
    if let bytes = record[MaskTensors.bytes], let offsets = record[MaskTensors.offsets] {
      // `Record` has checked that offsets rise to the end.
      masks = (bytes, try offsets.values(of: Int64.self).map { Int($0) })
      byteCount += bytes.byteCount + offsets.byteCount
    }
    if let names {
      guard names.count == rows else { throw failure("\(names.count) names of \(rows) pictures") }
      byteCount += names.byteCount
    }
  }

  /// What messages call a picture.
  func path(_ row: Int) -> String {
    let number = "\(name): picture \(firstRow + row)"
    guard let names, !names[row].isEmpty else { return number }
    return "\(number) (\(names.text(row)))"
  }

  /// The same without labels.
  var unlabelled: ImageRecord {
    var copy = self
    copy.labels = nil
    return copy
  }

  /// The same without masks.
  var maskless: ImageRecord {
    var copy = self
    if let masks { copy.byteCount -= masks.bytes.byteCount + 8 * masks.offsets.count }
    copy.masks = nil
    return copy
  }

  /// Throws `Failure(.data)` where this record has masks and the stream's header says that it has none, or the other way.
  func expect(masks expected: Bool) throws {
    if expected == (masks != nil) { return }
    throw Failure(
      .data,
      "\(name): record \(number): "
        + (expected ? "no masks, but the stream has \"mask_classes\"" : "masks, but the stream has no \"mask_classes\"")
    )
  }

  /// The class ids of picture `row`, in the memory of `decoder`. Precondition: there are masks.
  /// - Throws: `Failure(.data)` where the mask is damaged, or has an id of no class.
  func mask(_ row: Int, classes: MaskClasses, decoder: MaskDecoder) throws -> Pixels {
    let (tensor, offsets) = masks!
    return try tensor.withUnsafeBytes { bytes in
      let file = UnsafeRawBufferPointer(rebasing: bytes[offsets[row]..<offsets[row + 1]])
      return try decoder.decode(file, classes: classes, name: "\(path(row)): its mask")
    }
  }

  /// Throws `Failure(.data)` where this record has labels and another has not; nil expects nothing.
  func expect(labels expected: Bool?) throws {
    if let expected, expected != (labels != nil) {
      throw Failure(
        .data,
        "\(name): record \(number): \(expected ? "no labels" : "labels"), unlike the first; --no-labels leaves all out")
    }
  }

  /// The same with other numbers for the labels; nil changes none. A negative label, of a picture whose class is not known, stays.
  /// Throws `Failure(.data)` for a label that has no new number.
  func relabelled(_ numbers: [Int32]?) throws -> ImageRecord {
    guard let numbers, let labels else { return self }
    var copy = self
    copy.labels = try labels.map { label in
      if label < 0 { return label }
      guard Int(label) < numbers.count else {
        throw Failure(
          .data, "\(name): record \(number): a label of \(label): expected fewer than the \(numbers.count) classes")
      }
      return numbers[Int(label)]
    }
    return copy
  }

  /// Calls `body` with picture `row`, decoded where it has to be, with the memory of `decoder`.
  /// - Parameters:
  ///   - channels: 1 makes a file's colours grey; pixels stay as they are.
  ///   - choose: is told the height and width before that, and says of which rectangle the pixels are needed; the others may be
  ///     undefined. nil is all.
  func withPicture<R>(
    _ row: Int, decoder: PictureDecoder, channels: Int = 3, choose: ((_ height: Int, _ width: Int) -> CropBox)? = nil,
    _ body: (Pixels) throws -> R
  ) throws -> R {
    switch content {
    case .pixels(let tensor):
      let (height, width, channels) = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
      _ = choose?(height, width)
      return try tensor.withUnsafeBytes { bytes in
        let start = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + row * height * width * channels
        // Only read; `Pixels` serves both ways.
        return try body(
          Pixels(base: UnsafeMutablePointer(mutating: start), height: height, width: width, channels: channels))
      }
    case .encoded(let tensor, let offsets):
      return try tensor.withUnsafeBytes { bytes in
        let file = UnsafeRawBufferPointer(rebasing: bytes[offsets[row]..<offsets[row + 1]])
        let pixels = try decoder.decode(file, name: path(row), choose: choose)
        return try body(channels == 1 ? pixels.greyInPlace() : pixels)
      }
    }
  }
}
