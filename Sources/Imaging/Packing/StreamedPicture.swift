// A picture on standard input, or in a pipe.

import TensorStream

/// One picture file that is read only once, and kept meanwhile. It has no label, and is called as the operand is.
struct StreamedPicture: PictureSource {
  let name: String
  let count = 1
  let labels = SourceLabels.none(
    "a picture has none by itself; a list of paths and labels has, or a folder with a sub-folder for each class")
  let pixelShape: PixelShape? = nil
  private let file: ByteFile
  private let operand: FilePath

  /// - Parameter file: one that can be read at any place.
  init(_ file: ByteFile, operand: FilePath) {
    self.file = file
    self.operand = operand
    name = file.name
  }

  func path(_ index: Int) -> String { name }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] { operand.bytes }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    let size = file.stamp.size
    guard size <= maximumPictureFileSize else {
      throw Failure(.data, "\(name): \(size) bytes: at most \(maximumPictureFileSize) are accepted")
    }
    let base = memory.reserve(size)
    let count = try file.read(into: base, count: size, at: 0)
    // Standard input may be a file that somebody writes to.
    let after = try ByteFile(descriptor: file.descriptor, name: name, owned: false)
    guard count == size, after.stamp == file.stamp else { throw Failure(.data, "\(name): changed while being read") }
    return UnsafeRawBufferPointer(start: base, count: count)
  }
}
