// The classes of masks as a user gives them: a file of names, or their number.
//
//   wall                     a name a line: the numbers 0, 1, … but for those of --ignore-id
//   7 traffic light          a number before the name, in each line: in some lines alone it is an error
//   7 traffic light #faaa1e  and a colour behind it, by which masks in colours are read too
//   Idx Ratio … Name         ADE20K's objectInfo150.txt: columns between tabs, below a line of their names

import Foundation
import Schemas
import TensorStream

enum MaskClassFile {
  private struct Line {
    var number: Int?
    var name: String
    var colour: [UInt8]?
  }

  private static let maximumSize = 1 << 20

  /// - Parameters:
  ///   - operand: a file, or a number of classes.
  ///   - ignored: numbers that mean no class.
  /// - Throws: `Failure(.noInput)`, or `Failure(.data)` naming the file, the line and what was expected.
  static func table(_ operand: String, ignored: [Int]) throws -> MaskTable {
    if let count = Int(operand), !FilePath(operand: operand).isFile {
      guard (1...MaskClasses.most).contains(count) else {
        throw Failure(
          .usage, "--mask-classes \(count): expected a file of names, or a number from 1 to \(MaskClasses.most)")
      }
      return try table((0..<count).map { Line(name: String($0)) }, ignored: ignored, source: "--mask-classes")
    }
    return try table(file: FilePath(operand: operand), ignored: ignored)
  }

  static func table(file path: FilePath, ignored: [Int]) throws -> MaskTable {
    let file = try ByteFile(path)
    guard !file.isFolder else { throw Failure(.data, "\(file.name): a folder: expected a file of class names") }
    guard file.stamp.size <= maximumSize else {
      throw Failure(.data, "\(file.name): \(grouped(file.stamp.size)) bytes: too large for a file of class names")
    }
    let text = String(decoding: try file.bytes(at: 0, count: file.stamp.size), as: UTF8.self)
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
      .map { (number: $0.offset + 1, text: $0.element.trimmingCharacters(in: .whitespaces)) }
      .filter { !$0.text.isEmpty }
    guard let first = lines.first?.text else { throw Failure(.data, "\(file.name): is empty: expected class names") }
    let head = first.split(separator: "\t").map { $0.lowercased() }
    if let name = head.firstIndex(of: "name"), let number = head.firstIndex(of: "idx") {
      return try table(
        try lines.dropFirst().map { line in
          let fields = line.text.split(separator: "\t", omittingEmptySubsequences: false)
          guard fields.count > max(name, number), let value = Int(fields[number].trimmingCharacters(in: .whitespaces))
          else {
            throw Failure(.data, "\(file.name): line \(line.number): expected the columns \(first)")
          }
          return Line(number: value, name: fields[name].trimmingCharacters(in: .whitespaces))
        }, ignored: ignored + [0], source: file.name)
    }
    let parsed = lines.map { parse($0.text, takesNumber: true) }
    guard let without = parsed.firstIndex(where: { $0.number == nil }) else {
      return try table(parsed, ignored: ignored, source: file.name)
    }
    // Names with a number before some of them could be meant either way, unless it is none that a mask can have.
    if let with = parsed.firstIndex(where: { $0.number.map { (0...255).contains($0) } ?? false }) {
      func shown(_ place: Int) -> String { "line \(lines[place].number), \(quoted(printable(lines[place].text)))," }
      throw Failure(
        .data,
        "\(file.name): \(shown(without)) has no number before its name, but \(shown(with)) has: expected a number in "
          + "each line or in none; where a name begins with a number, give each line one before it, as \"3 2 wheels\"")
    }
    // Names are counted by their lines.
    if let empty = lines.indices.first(where: { lines[$0].number != $0 + 1 }) {
      throw Failure(
        .data,
        "\(file.name): line \(empty + 1): is empty, and names come after it: expected a name in each line, or a number before "
          + "each name")
    }
    return try table(lines.map { parse($0.text, takesNumber: false) }, ignored: ignored, source: file.name)
  }

  private static func parse(_ line: String, takesNumber: Bool) -> Line {
    var words = line.split(whereSeparator: \.isWhitespace)
    var result = Line(name: "")
    if words.count > 1, let last = words.last, last.first == "#", last.count == 7,
      let value = Int(last.dropFirst(), radix: 16)
    {
      result.colour = [UInt8(value >> 16), UInt8(value >> 8 & 255), UInt8(value & 255)]
      words.removeLast()
    }
    if takesNumber, words.count > 1, let number = words.first.flatMap({ Int($0) }) {
      result.number = number
      words.removeFirst()
    }
    result.name = words.joined(separator: " ")
    return result
  }

  private static func table(_ lines: [Line], ignored: [Int], source: String) throws -> MaskTable {
    guard (1...MaskClasses.most).contains(lines.count) else {
      throw Failure(
        .data,
        "\(source): \(counted(lines.count, "class")): expected 1 to \(MaskClasses.most), since ids of 8 bits have no room for "
          + "more")
    }
    var numbers: [Int] = []
    if lines.allSatisfy({ $0.number != nil }) {
      numbers = lines.map { $0.number! }
    } else {
      numbers = Array((0...255).filter { !ignored.contains($0) }.prefix(lines.count))
    }
    var seen: Set<Int> = []
    for (place, number) in numbers.enumerated() {
      guard (0...255).contains(number), seen.insert(number).inserted else {
        throw Failure(
          .data,
          "\(source): class \(place + 1), \"\(printable(lines[place].name))\", has the number \(number): expected 0 to 255, "
            + "each once")
      }
    }
    guard numbers.count == lines.count else {
      throw Failure(
        .data, "\(source): \(lines.count) classes and \(ignored.count) numbers without a class are too many")
    }
    let given = lines.compactMap(\.colour)
    guard given.isEmpty || given.count == lines.count else {
      let without = lines.first { $0.colour == nil }!
      throw Failure(
        .data,
        "\(source): \"\(printable(without.name))\" has no colour, but others have: expected #RRGGBB for all or none")
    }
    guard Set(given).count == given.count else {
      throw Failure(.data, "\(source): two classes have one colour")
    }
    var names: Set<String> = []
    if let again = lines.first(where: { !names.insert($0.name).inserted }) {
      throw Failure(.data, "\(source): two classes are called \(quoted(printable(again.name)))")
    }
    let classes = MaskClasses(names: lines.map(\.name), colours: given.isEmpty ? nil : given)
    return MaskTable(classes, numbers: numbers, ignored: ignored, readsColours: !given.isEmpty)
  }
}
