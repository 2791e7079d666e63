// A sheet of what a stream holds, for a person to look at before spending a week on it.

import Foundation
import TensorStream

/// Groups of pictures, each picture in a square cell with lines of text below, laid out as a page.
///
///     var sheet = ContactSheet(side: 192)
///     let view = Picture(height: 1, width: 2, channels: 3, pixels: [255, 0, 0, 0, 0, 255])
///     let other = view.flipped()
///     sheet.add([.init(view, caption: "simple"), .init(other, caption: "complex")], title: "row 0, cat")
///     print(try sheet.drawn().height)
public struct ContactSheet {
  /// One cell.
  public struct Cell: Sendable {
    public var picture: Picture
    /// What is said of it; longer lines than the cell is wide are wrapped.
    public var caption: String

    public init(_ picture: Picture, caption: String) {
      self.picture = picture
      self.caption = caption
    }
  }

  /// The side of a cell's square, in pixels.
  public let side: Int
  /// How many pixels wide a dot of a letter is: letters of 14 pixels where a line then holds some words, of 7 where cells are small.
  public let scale: Int
  private var groups: [(title: String, cells: [Cell])] = []
  private static let gap = 8
  /// Between groups of several cells, so that one sees which belong together.
  private var groupGap: Int { groups.contains { $0.cells.count > 1 } ? 2 * Self.gap : Self.gap }

  /// The page's width over its height, as near as whole groups come to it.
  public static let pageRatio = 4.0 / 3

  public init(side: Int) {
    self.side = side
    scale = side >= 96 ? 2 : 1
  }

  /// Adds cells that stay together, side by side.
  /// - Parameter title: a line above them, wrapped; empty for none.
  public mutating func add(_ cells: [Cell], title: String = "") {
    groups.append((title, cells.map { Cell($0.picture.fitted(into: side), caption: $0.caption) }))
  }

  /// A group with its text in lines.
  private struct Block {
    let title: [String]
    let captions: [[String]]
    let height: Int
  }

  /// The sheet: groups from left to right, row by row.
  /// - Parameter columns: groups in a row; nil: as many as make a page of about 4:3.
  /// - Throws: as `Canvas` does where it would be too large.
  public func drawn(columns: Int? = nil) throws -> Picture {
    let letter = (width: Canvas.letter.width * scale, height: Canvas.letter.height * scale)
    let cells = max(1, groups.map(\.cells.count).max() ?? 1)
    let groupWidth = cells * (side + Self.gap) - Self.gap
    let blocks = groups.map { group in
      let title = wrapped(group.title, letters: groupWidth / letter.width)
      let captions = group.cells.map { wrapped($0.caption, letters: side / letter.width) }
      let lines = title.count + (captions.map(\.count).max() ?? 0)
      return Block(title: title, captions: captions, height: lines * letter.height + side + Self.gap / 2)
    }
    let columns = columns.map { min($0, max(1, blocks.count)) } ?? pageColumns(blocks, groupWidth: groupWidth)
    let size = size(blocks, columns: columns, groupWidth: groupWidth)
    var canvas = try Canvas(width: size.width, height: size.height)
    var y = Self.gap
    for start in stride(from: 0, to: blocks.count, by: columns) {
      let row = start..<min(start + columns, blocks.count)
      for i in row {
        let x = Self.gap + (i - start) * (groupWidth + groupGap)
        draw(groups[i].cells, blocks[i], on: &canvas, x: x, y: y, letter: letter)
      }
      y += (row.map { blocks[$0].height }.max() ?? 0) + groupGap
    }
    return canvas.picture
  }

  private func draw(
    _ cells: [Cell], _ block: Block, on canvas: inout Canvas, x: Int, y: Int, letter: (width: Int, height: Int)
  ) {
    for (line, text) in block.title.enumerated() {
      canvas.text(text, x: x, y: y + line * letter.height, scale: scale)
    }
    let top = y + block.title.count * letter.height
    for (j, cell) in cells.enumerated() {
      let left = x + j * (side + Self.gap)
      canvas.draw(
        cell.picture, x: left + (side - cell.picture.width) / 2, y: top + (side - cell.picture.height) / 2)
      for (line, text) in block.captions[j].enumerated() {
        canvas.text(text, x: left, y: top + side + Self.gap / 2 + line * letter.height, .grey, scale: scale)
      }
    }
  }

  private func size(_ blocks: [Block], columns: Int, groupWidth: Int) -> (width: Int, height: Int) {
    var height = 2 * Self.gap
    for start in stride(from: 0, to: blocks.count, by: columns) {
      height += blocks[start..<min(start + columns, blocks.count)].map(\.height).max()! + (start > 0 ? groupGap : 0)
    }
    return (2 * Self.gap + columns * (groupWidth + groupGap) - groupGap, height)
  }

  /// The number of columns whose page is nearest to the ratio, by factor.
  private func pageColumns(_ blocks: [Block], groupWidth: Int) -> Int {
    func distance(_ columns: Int) -> Double {
      let size = size(blocks, columns: columns, groupWidth: groupWidth)
      return abs(log(Double(size.width) / Double(size.height) / Self.pageRatio))
    }
    return (1...max(1, blocks.count)).min { distance($0) < distance($1) }!
  }
}

/// Lines of at most so many letters, cut between words where that is possible.
func wrapped(_ text: String, letters: Int) -> [String] {
  let letters = max(1, letters)
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    var rest = word
    if !line.isEmpty, line.count + 1 + rest.count > letters {
      lines.append(line)
      line = ""
    }
    while line.isEmpty, rest.count > letters {
      lines.append(String(rest.prefix(letters)))
      rest = rest.dropFirst(letters)
    }
    line += (line.isEmpty ? "" : " ") + rest
  }
  return line.isEmpty ? lines : lines + [line]
}
