// A sample of a tar file: the members of one key that follow each other, as WebDataset has them.

import Foundation
import TensorStream

/// Members whose names are the same up to the first dot of their last part.
struct TarSample {
  private(set) var key: [UInt8] = []
  private(set) var members: [TarMember] = []
  private var labels: [Label] = []

  private struct Label {
    let member: [UInt8]
    /// The member's name without its suffix.
    let stem: ArraySlice<UInt8>
    let isNumberFile: Bool
    let text: [UInt8]
    var isTaken = false
  }

  init(key: [UInt8]) { self.key = key }

  private static let labelSuffixes: Set<String> = ["cls", "class", "label"]
  private static let maximumLabelSize = 1 << 24

  /// Whether a member may say a label, by its name.
  static func mayLabel(_ base: ArraySlice<UInt8>) -> Bool {
    PictureParts.suffix(of: base).map { labelSuffixes.contains($0) || $0 == "json" } ?? false
  }

  /// A file that is a picture, or says something about one.
  mutating func take(_ member: TarMember) { members.append(member) }

  /// A member that may say a label.
  /// - Parameters:
  ///   - bytes: what is in it; throws.
  ///   - column: the JSON key of labels; nil for the usual ones.
  ///   - separator: of pictures with several classes.
  ///   - keys: gets the keys of a JSON object that says none.
  /// - Throws: `Failure(.data)` for a label that is none.
  mutating func takeLabel(
    _ member: TarMember, column: String?, separator: String?, keys: inout Set<String>, what: String,
    read: () throws -> [UInt8]
  ) throws {
    guard member.size <= Self.maximumLabelSize else {
      throw Failure(
        .data, "\(what): \(grouped(member.size)) bytes: at most \(grouped(Self.maximumLabelSize)) are accepted")
    }
    let bytes = try read()
    let isJSON = PictureParts.suffix(of: member.name) == "json"
    let text: [UInt8]?
    if isJSON {
      guard let value = try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed]) else {
        throw Failure(.data, "\(what): not JSON")
      }
      guard let object = value as? [String: Any] else { return }
      let key = column ?? ListNames.key(of: object.keys, among: ListNames.labels)
      text = try key.flatMap { try ListNames.label(object[$0], separator: separator, what: what) }
      if text == nil { keys.formUnion(object.keys.prefix(20)) }
    } else {
      text = trimmed(bytes)
      guard text != [] else { throw Failure(.data, "\(what): is empty, expected a class") }
    }
    if let text {
      labels.append(
        Label(member: member.name, stem: PictureParts.stem(member.name), isNumberFile: !isJSON, text: text))
    }
  }

  /// The sample's pictures, each with its label. What belongs to one of them without being one is left out.
  ///
  /// `shot.v1.cls` is the label of `shot.v1.jpg`. `shot.cls` is that of all pictures of the key that have none of their
  /// own. `.cls` comes before `.json`.
  /// - Throws: `Failure(.data)` for a label without a picture.
  mutating func finished(source: String) throws -> [(member: TarMember, label: [UInt8]?)] {
    let stems = Set(members.filter { PictureParts.isPicture($0.name) }.map { PictureParts.stem($0.name) })
    func belongs(_ name: [UInt8]) -> Bool {
      if PictureParts.isPicture(name) { return false }
      return name.indices.contains { name[$0] == UInt8(ascii: ".") && stems.contains(name[..<$0]) }
    }
    var pictures: [(member: TarMember, label: [UInt8]?)] = []
    for member in members where !belongs(member.name) {
      let stem = PictureParts.stem(member.name)
      var best: Int?
      for (i, label) in labels.enumerated()
      where label.stem == stem || stem.starts(with: label.stem + [UInt8(ascii: ".")]) {
        guard let other = best else {
          best = i
          continue
        }
        let isCloser = label.stem.count > labels[other].stem.count
        let isSame = label.stem.count == labels[other].stem.count
        if isCloser || (isSame && label.isNumberFile && !labels[other].isNumberFile) { best = i }
      }
      if let best { labels[best].isTaken = true }
      pictures.append((member, best.map { labels[$0].text }))
    }
    // `K.coarse.cls` beside `K.jpg` says something else of it.
    if let lost = labels.first(where: { label in
      !label.isTaken
        && !pictures.contains { $0.label != nil && label.stem.starts(with: PictureParts.stem($0.member.name)) }
    }) {
      throw Failure(
        .data,
        "\(source): \(printable(lost.member)): a label without a picture next to it: the members of a sample must "
          + "follow each other, and its picture be called \(printable(lost.stem)) and a suffix; --no-labels packs "
          + "pictures alone")
    }
    return pictures
  }
}

/// Without blanks and line ends around it.
func trimmed(_ bytes: some BidirectionalCollection<UInt8>) -> [UInt8] {
  let isSpace = { (byte: UInt8) in byte <= 0x20 }
  return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
}
