import TensorStream

/// What the class ids of masks mean: the metadata `mask_classes` and `mask_colours` of images, views, weights and checkpoints.
///
/// A mask says the class of each pixel of a picture: an id from 0 to below the number of classes, or `ignored`.
public struct MaskClasses: Equatable, Sendable {
  /// The id of a pixel that has no class, and counts for nothing.
  public static let ignored: UInt8 = 255
  /// The most classes that ids of 8 bits have room for beside `ignored`.
  public static let most = 255

  public let names: [String]
  /// Red, green and blue of each class, for people.
  public let colours: [[UInt8]]

  public var count: Int { names.count }

  /// - Parameter colours: three values each; nil for `colour(of:)`.
  /// - Precondition: from 1 to `most` names, and as many colours.
  public init(names: [String], colours: [[UInt8]]? = nil) {
    precondition((1...Self.most).contains(names.count))
    let colours = colours ?? names.indices.map { Self.colour(of: $0 + 1) }
    precondition(colours.count == names.count && colours.allSatisfy { $0.count == 3 })
    (self.names, self.colours) = (names, colours)
  }

  /// Pascal VOC's colour of a number from 0 to 255: each bit of it darkens or lightens one channel. 0 is black.
  public static func colour(of number: Int) -> [UInt8] {
    var colour: [UInt8] = [0, 0, 0]
    var rest = number
    for bit in stride(from: 7, through: 0, by: -1) {
      for channel in 0..<3 { colour[channel] |= UInt8((rest >> channel) & 1) << bit }
      rest >>= 3
    }
    return colour
  }

  /// nil where a record says nothing of masks.
  /// - Throws: `Failure(.data)` naming the source and the key that is missing or cannot be.
  public static func of(_ record: Record, source: String) throws -> MaskClasses? {
    let fields = MetadataFields(record, source: source)
    let names = try fields.value(MetadataKey.maskClasses, [String].self)
    let colours = try fields.value(MetadataKey.maskColours, [[UInt8]].self)
    if names == nil && colours == nil { return nil }
    guard let names else {
      throw Failure(.data, "\(source): has \"\(MetadataKey.maskColours)\" without \"\(MetadataKey.maskClasses)\"")
    }
    guard (1...most).contains(names.count) else {
      throw Failure(
        .data, "\(source): \"\(MetadataKey.maskClasses)\" has \(counted(names.count, "name")): expected 1 to \(most)")
    }
    if let colours, colours.count != names.count || !colours.allSatisfy({ $0.count == 3 }) {
      throw Failure(
        .data,
        "\(source): \"\(MetadataKey.maskColours)\" has \(counted(colours.count, "colour")): expected three values for each "
          + "of \(counted(names.count, "class"))")
    }
    return MaskClasses(names: names, colours: colours)
  }

  /// The two keys; nothing for nil.
  public static func metadata(_ classes: MaskClasses?) throws -> [String: String] {
    guard let classes else { return [:] }
    return [
      MetadataKey.maskClasses: try JSONText.encode(classes.names),
      MetadataKey.maskColours: try JSONText.encode(classes.colours.map { $0.map { Int($0) } }),
    ]
  }

  /// What an id is called: its class's name, or its number where it has none.
  public func text(_ id: UInt8) -> String {
    id == Self.ignored ? "ignored" : Int(id) < names.count ? names[Int(id)] : String(id)
  }

  /// A palette of 256 colours: those of the classes, and black for what has none.
  public var palette: [[UInt8]] { colours + Array(repeating: [0, 0, 0], count: 256 - colours.count) }

  /// Throws `Failure(.data)` where an id is neither a class nor `ignored`.
  /// - Parameters:
  ///   - ids: [height, width], row by row.
  ///   - what: the mask, for the message.
  public func check(_ ids: UnsafeBufferPointer<UInt8>, width: Int, what: @autoclosure () -> String) throws {
    let limit = UInt8(count)
    guard limit < Self.ignored, let bad = ids.firstIndex(where: { $0 >= limit && $0 != Self.ignored }) else { return }
    throw Failure(
      .data,
      "\(what()): class \(ids[bad]) at row \(bad / width), column \(bad % width): expected 0 to \(count - 1), or "
        + "\(Self.ignored) for none")
  }
}

/// Throws where the masks of two streams mean different things: another number of classes, or another name for one. A name that is its
/// own number agrees with any.
public func requireSameMasks(
  _ first: MaskClasses, of firstSource: String, _ second: MaskClasses, of secondSource: String
) throws {
  guard first.count == second.count else {
    throw Failure(
      .data,
      "\(secondSource): masks of \(counted(second.count, "class")), but those of \(firstSource) have \(first.count)")
  }
  try requireSameClasses(
    first.names, of: "the masks of \(firstSource)", second.names, of: secondSource, option: "--mask-classes")
}
