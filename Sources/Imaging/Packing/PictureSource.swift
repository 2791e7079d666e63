// What pmae-pack packs: a list of pictures in a fixed order, each of which can be read on its own.
//
//   source ──list──▶ PictureSet ──choose──▶ PictureFeed (read, decode, measure: all threads) ──▶ PicturePacking (records, in order)
//
// A source reads names and labels when it is opened, and the bytes of a picture when they are needed. So memory grows
// with the names.

import TensorStream

/// Pictures of one operand: a folder, a tar file, a list, a batch of pixels.
protocol PictureSource: Sendable {
  /// What messages call it.
  var name: String { get }
  var count: Int { get }
  /// What it says of its pictures' classes, one label for each picture; none at all under `SourceOptions.unlabelled`.
  var labels: SourceLabels { get }
  /// Of pixels; nil where pictures are picture files.
  var pixelShape: PixelShape? { get }

  /// What messages call a picture.
  func path(_ index: Int) -> String
  /// What a picture is called in the stream.
  /// - Parameter isAlone: whether the source is the only operand; otherwise the name says which operand it is of.
  func entryName(_ index: Int, isAlone: Bool) -> [UInt8]
  /// A picture's file as it is stored, or its pixels [height, width, channels]. It is in `memory`, until the next call.
  /// Any thread may call it. Throws `Failure(.data)` or `.noInput` where this picture cannot be read, `.io` where the
  /// device fails.
  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer
  /// The file of a picture; nil where it lies in something else.
  func file(_ index: Int) -> FilePath?
  /// The masks that it has itself; nil for none.
  var masks: SourceMasks? { get }
}

extension PictureSource {
  func file(_ index: Int) -> FilePath? { nil }
  var masks: SourceMasks? { nil }
}

/// The shape of pictures that are stored as pixels.
public struct PixelShape: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// 1 or 3.
  public let channels: Int

  var count: Int { height * width * channels }
  var description: String { "\(height) x \(width) x \(channels)" }
}

/// A picture file of more bytes than this is refused.
let maximumPictureFileSize = 1 << 30
