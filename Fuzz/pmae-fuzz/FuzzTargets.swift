// What is fuzzed: everything that reads bytes of somebody else's. A target must come back, with a result or a Failure; a crash, a report of
// AddressSanitizer, more than two gigabytes or ten seconds are findings.

import Foundation
import Imaging
import Parallel
import Schemas
import TensorStream

enum FuzzTargets {
  static let names = "jpeg png webp tiff kind tar zip csv idx safetensors stream json mask classes"

  static func target(_ name: String) -> ((UnsafeRawBufferPointer) -> Void)? {
    switch name {
    case "jpeg": { picture($0, .jpeg) }
    case "png": { picture($0, .png) }
    case "webp": { picture($0, .webp) }
    case "tiff": { picture($0, .tiff) }
    case "kind": { _ = FileKind($0)?.description }
    case "tar", "zip", "csv", "idx": { source($0, suffix: name) }
    case "safetensors": safetensors
    case "stream": stream
    case "json": json
    case "mask": mask
    case "classes": classes
    default: nil
    }
  }

  /// No more pixels than this: the fuzzer would find out that large pictures take long.
  private static let maximumPixels = 1 << 20

  private static func picture(_ bytes: UnsafeRawBufferPointer, _ format: ImageFile.Format) {
    guard ImageFile.Format(bytes) == format, let header = try? ImageFile.header(bytes, name: "picture"),
      header.height * header.width <= maximumPixels
    else { return }
    _ = ImageFile.pictures(bytes)
    guard let whole = try? ImageFile.decode(bytes, name: "picture") else { return }
    precondition(whole.height == header.height && whole.width == header.width, "the header says another size")
    let part = CropBox(
      top: header.height / 3, left: header.width / 4, height: (header.height + 2) / 3, width: (header.width + 1) / 2)
    guard let middle = try? ImageFile.decode(bytes, part: part, name: "picture") else {
      preconditionFailure("the whole decodes and a part does not")
    }
    precondition(middle.height == part.height && middle.width == part.width)
  }

  private static let pool = ThreadPool(threads: 1)

  /// A source of pmae-pack: opened, which reads names and labels of all pictures.
  private static func source(_ bytes: UnsafeRawBufferPointer, suffix: String) {
    let path = file(bytes, suffix: suffix)
    var options = SourceOptions()
    options.temporaryFolder = folder
    guard let set = try? PictureSet([path], options: options, pool: pool) else { return }
    for i in 0..<min(set.count, 4) {
      _ = set.path(i)
      if let classes = set.classes {
        // −1: a picture that cannot be read, and is never packed.
        let label = Int(set.label(i))
        precondition(label == -1 || classes.indices.contains(label), "a label without a class")
      }
    }
  }

  private static func safetensors(_ bytes: UnsafeRawBufferPointer) {
    guard let record = try? readTensors(path: file(bytes, suffix: "safetensors")) else { return }
    for (_, tensor) in record.tensors { precondition(tensor.withUnsafeBytes { $0.count } <= bytes.count) }
  }

  private static func stream(_ bytes: UnsafeRawBufferPointer) {
    let path = file(bytes, suffix: "stz")
    if let reader = try? StreamReader(path: path) {
      while let record = try? reader.next() { precondition(record.rows >= 0) }
    }
    guard let indexed = try? IndexedStream(path: path) else { return }
    for i in 0..<indexed.recordCount { _ = try? indexed.record(i) }
  }

  private static func json(_ bytes: UnsafeRawBufferPointer) {
    _ = try? SafetensorsHeader(json: bytes, dataCount: nil)
    var scanner = JSONScanner(bytes)
    try? scanner.object { scanner, _ in _ = try scanner.string() }
    let text = String(decoding: bytes, as: UTF8.self)
    _ = try? JSONText.decode([String].self, from: text, what: "json")
    _ = try? JSONText.decode([Double].self, from: text, what: "json")
  }

  /// A map of class ids, of which there are three.
  private static func mask(_ bytes: UnsafeRawBufferPointer) {
    guard ImageFile.Format(bytes) == .png, let header = try? ImageFile.header(bytes, name: "mask"),
      header.height * header.width <= maximumPixels,
      let ids = try? PNG.ids(Array(bytes), classes: MaskClasses(names: ["a", "b", "c"]), name: "mask")
    else { return }
    precondition(ids.pixels.count == ids.height * ids.width)
    precondition(ids.pixels.allSatisfy { $0 < 3 || $0 == MaskClasses.ignored }, "an id of no class")
  }

  /// A file that names the classes of masks.
  private static func classes(_ bytes: UnsafeRawBufferPointer) {
    var options = SourceOptions()
    options.maskClasses = file(bytes, suffix: "txt")
    options.ignoredIds = [7]
    // There is no such source: the classes are read before.
    _ = try? PictureSet(["\(folder)/pmae-fuzz-none"], options: options, pool: pool)
  }

  /// In memory, where there is such a folder.
  private static let folder = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()

  /// The bytes as a file that the next call overwrites.
  private static func file(_ bytes: UnsafeRawBufferPointer, suffix: String) -> String {
    let path = "\(folder)/pmae-fuzz-\(getpid()).\(suffix)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0, "\(path): \(String(cString: strerror(errno)))")
    precondition(write(descriptor, bytes.baseAddress, bytes.count) == bytes.count)
    close(descriptor)
    return path
  }
}
