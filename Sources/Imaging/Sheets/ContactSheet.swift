// A sheet of what a stream holds, for a person to look at before spending a week on it.

import TensorStream

/// Pictures in cells of equal size, each with lines of text below.
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
  private var rows: [(title: String, cells: [Cell])] = []
  private static let gap = 8

  public init(side: Int) { self.side = side }

  /// Adds a row of cells.
  /// - Parameter title: a line above it; empty for none.
  public mutating func add(_ cells: [Cell], title: String = "") {
    rows.append((title, cells.map { Cell($0.picture.fitted(into: side), caption: $0.caption) }))
  }

  /// The sheet.
  /// - Throws: as `Canvas` does where it would be too large.
  public func drawn() throws -> Picture {
    let letter = Canvas.letter
    let captions = rows.map { row in row.cells.map { wrapped($0.caption, letters: side / letter.width) } }
    let heights = zip(rows, captions).map { row, lines in
      (row.title.isEmpty ? 0 : letter.height) + side + Self.gap / 2 + (lines.map(\.count).max() ?? 0) * letter.height
    }
    let columns = rows.map(\.cells.count).max() ?? 0
    let width = max(columns * (side + Self.gap) + Self.gap, (rows.map(\.title.count).max() ?? 0) * letter.width + 16)
    var canvas = try Canvas(width: width, height: heights.reduce(Self.gap) { $0 + $1 + Self.gap })
    var y = Self.gap
    for (i, row) in rows.enumerated() {
      var top = y
      if !row.title.isEmpty {
        canvas.text(row.title, x: Self.gap, y: y)
        top += letter.height
      }
      for (j, cell) in row.cells.enumerated() {
        let x = Self.gap + j * (side + Self.gap)
        canvas.draw(
          cell.picture, x: x + (side - cell.picture.width) / 2, y: top + (side - cell.picture.height) / 2)
        for (line, text) in captions[i][j].enumerated() {
          canvas.text(text, x: x, y: top + side + Self.gap / 2 + line * letter.height, .grey)
        }
      }
      y += heights[i] + Self.gap
    }
    return canvas.picture
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
