// Labels in the order in which they come: the text of each, once, and for each picture which one it has.

import TensorStream

/// The labels of one source's pictures.
struct LabelTable: Sendable {
  private var places: [[UInt8]: Int32] = [:]
  /// The different labels, in the order in which they were met.
  private(set) var names: [[UInt8]] = []
  /// For each picture the place of its label in `names`; −1 where it has none.
  private(set) var ids: [Int32] = []

  init() {}

  /// Labels that are numbers already, `names` for the numbers from 0.
  init(ids: [Int32]) { self.ids = ids }

  var hasLabels: Bool { !names.isEmpty }

  /// Adds the next picture's label; nil where it has none.
  mutating func append(_ name: [UInt8]?) { ids.append(name.map { place(of: $0) } ?? -1) }

  /// The place of a label, which need not have a picture.
  mutating func place(of name: [UInt8]) -> Int32 {
    if let place = places[name] { return place }
    let place = Int32(names.count)
    places[name] = place
    names.append(name)
    return place
  }

  /// The labels that a picture has.
  var usedNames: [[UInt8]] {
    var isUsed = [Bool](repeating: false, count: names.count)
    for id in ids where id >= 0 { isUsed[Int(id)] = true }
    return zip(names, isUsed).compactMap { $1 ? $0 : nil }
  }

  /// Leaves out the pictures for which `isOut` says so.
  mutating func remove(where isOut: [Bool]) { ids = zip(ids, isOut).compactMap { $1 ? nil : $0 } }

  /// The same pictures, each label turned into another; nil for none.
  func mapped(_ change: ([UInt8]) -> [UInt8]?) -> LabelTable {
    var table = LabelTable()
    let new = names.map { name in change(name).map { table.place(of: $0) } ?? -1 }
    table.ids = ids.map { $0 < 0 ? -1 : new[Int($0)] }
    return table
  }
}

/// What a label's text is.
enum LabelText: Equatable {
  /// The number of a class, from 0 to `maximum`: digits without leading zeros, with `.0` behind them or not.
  case number(Int)
  /// Digits that are no class number: leading zeros, or too large.
  case digits
  /// Any other number: a fraction, a sign, an exponent.
  case otherNumber
  case name

  /// A label larger than this is no class number.
  static let maximum = 999_999

  init(_ text: [UInt8]) {
    let whole = text.prefix { (0x30...0x39).contains($0) }
    let rest = text[whole.count...]
    let isWhole =
      rest.isEmpty || (rest.first == UInt8(ascii: ".") && rest.count > 1 && rest.dropFirst().allSatisfy { $0 == 0x30 })
    if !whole.isEmpty, isWhole {
      let value = Self.value(whole)
      if let value, whole.count == 1 || whole.first != 0x30 {
        self = .number(value)
      } else {
        self = rest.isEmpty ? .digits : .otherNumber
      }
      return
    }
    let signs: [UInt8] = [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")]
    let begins = text.first.map { (0x30...0x39).contains($0) || signs.contains($0) } ?? false
    self = begins && Double(String(decoding: text, as: UTF8.self)) != nil ? .otherNumber : .name
  }

  /// Of digits, leading zeros or not; nil above `maximum`.
  static func value(_ digits: some Collection<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    let value = digits.drop { $0 == 0x30 }
    guard value.count <= 6 else { return nil }
    return value.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  var number: Int? { if case .number(let value) = self { value } else { nil } }
}

/// How labels are taken: `--label-type`.
public enum LabelType: String, Sendable, CaseIterable {
  /// Each is the number of its class.
  case number
  /// Each is the name of its class, also where it is a number.
  case text
}
