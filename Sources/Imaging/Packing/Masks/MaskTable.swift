// What the numbers or the colours in mask files mean.

import Schemas
import TensorStream

/// From the numbers in mask files to class ids.
struct MaskTable: Sendable, Equatable {
  let classes: MaskClasses
  /// For each number of a file its class, 255 for none, or `unknown`.
  private let ids: [UInt16]
  /// For each colour of a file its class or 255; nil where files have numbers alone.
  private let colours: [UInt32: UInt8]?

  static let unknown: UInt16 = 0xFFFF

  /// - Parameters:
  ///   - numbers: of each class, all different, from 0 to 255.
  ///   - ignored: numbers that mean no class. 255 does where it is no class's number.
  ///   - readsColours: whether a file may have the classes' colours instead.
  init(_ classes: MaskClasses, numbers: [Int], ignored: [Int] = [], readsColours: Bool = false) {
    self.classes = classes
    var ids = [UInt16](repeating: Self.unknown, count: 256)
    ids[255] = UInt16(MaskClasses.ignored)
    for (place, number) in numbers.enumerated() { ids[number] = UInt16(place) }
    for number in ignored { ids[number] = UInt16(MaskClasses.ignored) }
    self.ids = ids
    guard readsColours else {
      colours = nil
      return
    }
    var colours = [Self.key(MaskClasses.colour(of: 255)): MaskClasses.ignored]
    for (place, colour) in classes.colours.enumerated() { colours[Self.key(colour)] = UInt8(place) }
    self.colours = colours
  }

  var readsColours: Bool { colours != nil }

  /// The classes' own numbers, where they are 0, 1, ….
  static func plain(_ classes: MaskClasses, ignored: [Int] = [], readsColours: Bool = false) -> MaskTable {
    MaskTable(classes, numbers: Array(0..<classes.count), ignored: ignored, readsColours: readsColours)
  }

  private static func key(_ colour: [UInt8]) -> UInt32 {
    UInt32(colour[0]) << 16 | UInt32(colour[1]) << 8 | UInt32(colour[2])
  }

  /// What numbers mean something, for messages: "0 to 20, 255".
  var known: String {
    var parts: [String] = []
    var number = 0
    while number < 256 {
      let start = number
      while number < 256, ids[number] != Self.unknown { number += 1 }
      if number > start { parts.append(number - start == 1 ? "\(start)" : "\(start) to \(number - 1)") }
      number += 1
    }
    return parts.joined(separator: ", ")
  }

  /// Turns a file's numbers into ids, in place.
  /// - Throws: `Failure(.data)` for a number that means nothing, with its place.
  func apply(to values: UnsafeMutableBufferPointer<UInt8>, width: Int, name: String) throws {
    try ids.withUnsafeBufferPointer { ids in
      for i in values.indices {
        let id = ids[Int(values[i])]
        if id == Self.unknown {
          throw Failure(
            .data,
            "\(name): number \(values[i]) at row \(i / width), column \(i % width): expected \(known), as --mask-classes or "
              + "the set's layout says; --ignore-id \(values[i]) gives such pixels no class")
        }
        values[i] = UInt8(truncatingIfNeeded: id)
      }
    }
  }

  /// Ids of RGB pixels at `out`.
  /// - Throws: `Failure(.data)` for a colour of no class, with its place.
  func apply(colours pixels: Pixels, to out: UnsafeMutablePointer<UInt8>, name: String) throws {
    guard let colours else { preconditionFailure("a table without colours") }
    var last: (key: UInt32, id: UInt8)?
    for y in 0..<pixels.height {
      let row = pixels.row(y)
      for x in 0..<pixels.width {
        let key = UInt32(row[3 * x]) << 16 | UInt32(row[3 * x + 1]) << 8 | UInt32(row[3 * x + 2])
        if let last, last.key == key {
          out[y * pixels.width + x] = last.id
          continue
        }
        guard let id = colours[key] else {
          let digits = String(key, radix: 16)
          throw Failure(
            .data,
            "\(name): colour #\(String(repeating: "0", count: 6 - digits.count) + digits) at row \(y), column \(x): no class "
              + "has it, as --mask-classes or the set's layout says")
        }
        last = (key, id)
        out[y * pixels.width + x] = id
      }
    }
  }
}
