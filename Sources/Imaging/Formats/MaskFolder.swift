// What a model says of pictures as files, for people and other programs: maps of class ids with colours, and pictures with them on top.

import Foundation
import Schemas
import TensorStream

/// A folder that gets a PNG file of class ids for each picture, whose palette has the classes' colours, and beside it the picture with
/// these colours over it.
///
///     let classes = MaskClasses(names: ["road", "sky"])
///     let folder = try MaskFolder("predictions", classes: classes, overwrite: false)
///     try folder.write(ids: [0, 0, 1, 1], height: 2, width: 2, index: 0, name: "street/7.jpg")   // predictions/street/7.png
public struct MaskFolder: Sendable {
  public let path: String
  private let classes: MaskClasses
  private let palette: [[UInt8]]
  private let overwrite: Bool

  /// Makes the folder where it is not there.
  /// - Parameter overwrite: whether files that are there are replaced.
  /// - Throws: `Failure(.cannotCreate)`.
  public init(_ path: String, classes: MaskClasses, overwrite: Bool) throws {
    (self.path, self.classes, self.overwrite) = (path, classes, overwrite)
    palette = classes.palette
    try Self.make(path)
  }

  /// Writes the map of one picture.
  /// - Parameters:
  ///   - ids: class ids [height, width].
  ///   - index: the picture's number, of which its file is called where it has no name.
  ///   - name: the picture's file as its stream has it; its folders are made here too.
  ///   - over: the picture itself, of any size, for an overlay as a JPEG file, NAME.overlay.jpg; nil for none.
  /// - Throws: `Failure(.cannotCreate)` where a file is there already or cannot be made; `.io` where it cannot be written.
  public func write(
    ids: [UInt8], height: Int, width: Int, index: Int64, name: String?, over picture: Picture? = nil
  ) throws {
    let stem = try place(index: index, name: name)
    let file = try PNG.encode(ids: ids, height: height, width: width, palette: palette)
    try writeWholeFile(file, path: stem + ".png", overwrite: overwrite)
    guard let picture else { return }
    let map = Picture(height: height, width: width, channels: 1, pixels: ids)
    let overlay = picture.overlaid(map.nearest(height: picture.height, width: picture.width).pixels, classes)
    try writeWholeFile(
      try overlay.jpeg(name: stem + ".overlay.jpg"), path: stem + ".overlay.jpg", overwrite: overwrite)
  }

  /// The path without a suffix. A name leads nowhere out of the folder.
  private func place(index: Int64, name: String?) throws -> String {
    let parts = (name ?? "").split(separator: "/").filter { $0 != "." && $0 != ".." }
    guard var base = parts.last.map({ String($0) }) else {
      let digits = String(index)
      return "\(path)/picture-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits)"
    }
    if let dot = base.lastIndex(of: "."), dot > base.startIndex { base = String(base[..<dot]) }
    var folder = path
    for part in parts.dropLast() {
      folder += "/\(part)"
      try Self.make(folder)
    }
    return "\(folder)/\(base)"
  }

  private static func make(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(.cannotCreate, "\(folder): the folder cannot be made: \(error.localizedDescription)")
    }
  }
}
