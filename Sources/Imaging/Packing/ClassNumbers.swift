// From the labels of pictures that can be read to the numbers of classes. This is the one place where a label becomes a number.

import TensorStream

/// The classes of one source.
struct ClassNumbers {
  /// The names of the classes, by number.
  let classes: [String]
  /// For each label of a table its class; −1 for one that makes none.
  let numbers: [Int32]

  /// Labels that are numbers, and those that are names.
  ///
  /// Labels that are all numbers are the classes' numbers. Others are names, and classes are numbered in the order of
  /// the names' bytes. `names`, where given, are the classes. Labels that are all among them are names; otherwise all
  /// labels have to be numbers.
  /// - Parameters:
  ///   - labels: the different labels, in the order in which they were met.
  ///   - isThere: whether there is a picture of each. A label without one makes no class, and decides nothing.
  ///   - where: what messages call the first picture of a label.
  /// - Throws: `Failure(.data)` for labels of which only some are numbers, or that are not among `names`.
  init(
    said labels: [[UInt8]], isThere: [Bool], names: [String]?, type: LabelType?, source: String,
    where place: (Int) -> String
  ) throws {
    let used = labels.indices.filter { isThere[$0] }
    let texts = labels.map(LabelText.init)
    if let names, type != .number {
      let places = Dictionary(names.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
      let found = labels.map { places[printable($0)] }
      let missing = used.first { found[$0] == nil }
      if missing == nil {
        self.init(classes: names, numbers: labels.indices.map { isThere[$0] ? found[$0]! : -1 })
        return
      }
      if type == .text || used.contains(where: { texts[$0].number == nil }) {
        throw Failure(
          .data,
          "\(place(missing!)): \(source) has the class \(printable(labels[missing!])), which is not among --class-names"
        )
      }
    }
    guard
      try type == .number || (type == nil && Self.areNumbers(used.map { (labels[$0], texts[$0], $0) }, source, place))
    else {
      self.init(byName: labels, isThere: isThere)
      return
    }
    let values = try labels.indices.map { i -> Int in
      if !isThere[i] { return -1 }
      if let value = texts[i].number ?? LabelText.value(labels[i]) { return value }
      throw Failure(
        .data,
        "\(place(i)): label \(quoted(printable(labels[i]))) is no class number: expected 0 to \(LabelText.maximum)"
      )
    }
    let classes = try numberedClasses(upTo: values.max() ?? 0, source: source, classNames: names)
    self.init(classes: classes, numbers: values.map { Int32($0) })
  }

  /// Whether all are class numbers, or all are names. Throws where only some are numbers.
  private static func areNumbers(
    _ labels: [(bytes: [UInt8], text: LabelText, place: Int)], _ source: String, _ place: (Int) -> String
  ) throws -> Bool {
    guard let other = labels.first(where: { $0.text.number == nil }) else { return !labels.isEmpty }
    guard let number = labels.first(where: { $0.text != .name }) else { return false }
    // Codes: `007` of one length, or all too large for class numbers.
    let isDigits = labels.allSatisfy { LabelText.isDigits($0.bytes) }
    let isPadded = isDigits && Set(labels.map { $0.bytes.count }).count == 1
    if isPadded || labels.allSatisfy({ $0.text == .digits && $0.bytes.first != 0x30 }) { return false }
    let shown = quoted(printable(other.bytes))
    let others = number.place == other.place ? "" : ", as \(quoted(printable(number.bytes))) of \(source) is"
    throw Failure(
      .data,
      "\(place(other.place)): label \(shown) is no class number\(others): mend it, or take all labels for names with "
        + "--label-type text" + (isDigits ? ", for numbers with --label-type number" : ""))
  }

  /// Classes in the order of their names' bytes, whatever the names.
  init(byName labels: [[UInt8]], isThere: [Bool]) {
    let order = labels.indices.filter { isThere[$0] }.sorted { labels[$0].lexicographicallyPrecedes(labels[$1]) }
    var numbers = [Int32](repeating: -1, count: labels.count)
    for (place, label) in order.enumerated() { numbers[label] = Int32(place) }
    self.init(classes: order.map { printable(labels[$0]) }, numbers: numbers)
  }

  init(classes: [String], numbers: [Int32]) { (self.classes, self.numbers) = (classes, numbers) }
}

extension LabelText {
  static func isDigits(_ text: [UInt8]) -> Bool { !text.isEmpty && text.allSatisfy { (0x30...0x39).contains($0) } }
}

/// The names of classes that are known by number: those given, or the numbers.
/// Throws `Failure(.data)` where too few are given.
func numberedClasses(upTo highest: Int, source: String, classNames: [String]?) throws -> [String] {
  guard let classNames else { return (0...highest).map { String($0) } }
  guard highest < classNames.count else {
    throw Failure(.data, "\(source): has label \(highest), but \(counted(classNames.count, "class name")) were given")
  }
  return classNames
}

/// One list of the classes of several sources, by name. It is the longest list where all others are the beginning of
/// it. Otherwise it has all names: numbers first, by value, then the others in the order of their bytes.
func mergedClasses(_ lists: [[String]]) -> [String] {
  let longest = lists.max { $0.count < $1.count } ?? []
  if lists.allSatisfy({ longest.starts(with: $0) }) { return longest }
  let all = Set(lists.joined())
  let numbers = all.compactMap { name in Int(name).flatMap { String($0) == name && $0 >= 0 ? $0 : nil } }.sorted().map {
    String($0)
  }
  let named = all.subtracting(numbers).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  return numbers + named
}
