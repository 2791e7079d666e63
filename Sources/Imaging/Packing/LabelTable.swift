// Labels as they are met, by name or by number, and the classes that they make.

import TensorStream

/// The labels of one source: a name for each picture, or none.
struct LabelTable {
  private var numbers: [[UInt8]: Int32] = [:]
  private var names: [[UInt8]] = []
  private var labels: [Int32] = []

  /// A label larger than this is no class number.
  static let maximumNumber = 999_999

  var hasLabels: Bool { !names.isEmpty }

  /// Adds the next picture's label; nil where it has none.
  mutating func append(_ name: [UInt8]?) {
    guard let name else { return labels.append(-1) }
    if let number = numbers[name] { return labels.append(number) }
    let number = Int32(names.count)
    numbers[name] = number
    names.append(name)
    labels.append(number)
  }

  /// The class of each picture, from 0, and the names of the classes; nil where no picture has a label.
  ///
  /// Labels that are all numbers are the classes' numbers, and `classNames` names them, or they themselves do. Otherwise they are names, and
  /// classes are numbered in the order of their bytes, or as in `classNames`.
  /// - Parameter path: what a picture is called.
  /// - Throws: `Failure(.data)` where only some have a label, or one is not among `classNames`.
  func finished(
    source: String, classNames: [String]?, path: (Int) -> String
  ) throws -> (labels: [Int32], classes: [String])? {
    guard hasLabels else { return nil }
    if let missing = labels.firstIndex(of: -1) {
      throw Failure(
        .data, "\(path(missing)): has no label, but others of \(source) have; --no-labels packs all of them without")
    }
    let values = names.map(Self.number)
    if !values.contains(nil) {
      let values = values.map { $0! }
      let classes = try numberedClasses(upTo: values.max()!, source: source, classNames: classNames)
      return (labels.map { Int32(values[Int($0)]) }, classes)
    }
    let texts = names.map { FilePath.printable($0) }
    if let classNames {
      let places = Dictionary(classNames.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
      let found = try texts.map { text in
        guard let place = places[text] else {
          throw Failure(.data, "\(source): has the class \(text), which is not among --class-names")
        }
        return place
      }
      return (labels.map { found[Int($0)] }, classNames)
    }
    return sortedByName()
  }

  /// Classes in the order of their names' bytes, whatever the names. All pictures have a label.
  func sortedByName() -> (labels: [Int32], classes: [String]) {
    let order = names.indices.sorted { names[$0].lexicographicallyPrecedes(names[$1]) }
    var places = [Int32](repeating: 0, count: order.count)
    for (place, number) in order.enumerated() { places[number] = Int32(place) }
    return (labels.map { places[Int($0)] }, order.map { FilePath.printable(names[$0]) })
  }

  /// The number that a label is: digits alone, without leading zeros. nil for a name.
  static func number(_ name: [UInt8]) -> Int? {
    guard (1...6).contains(name.count), name.allSatisfy({ (0x30...0x39).contains($0) }),
      name.count == 1 || name[0] != 0x30
    else { return nil }
    return name.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
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
