import Evaluation
import Foundation
import Imaging
import TensorStream

/// A picture of a report, with what is written below it.
public struct ReportPicture {
  /// Nil where there are no pixels, of features that were stored.
  public let picture: Picture?
  /// What the picture is called.
  public let name: String
  /// More lines.
  public let lines: [String]
  /// Whether the last line is of something wrong.
  public let isWrong: Bool

  public init(_ picture: Picture?, name: String, lines: [String], isWrong: Bool = false) {
    (self.picture, self.name, self.lines, self.isWrong) = (picture, name, lines, isWrong)
  }
}

extension Report {
  /// Pictures in a grid.
  /// - Throws: as a JPEG's encoder does.
  public mutating func add(pictures: [ReportPicture], title: String, about: String) throws {
    let figures = try pictures.map(Self.figure)
    section(title) { body in
      body.element("p", about)
      body.add("\n<div class=\"pictures\">")
      for figure in figures { body.add(figure) }
      body.add("</div>\n")
    }
  }

  /// Pictures in rows: a query, and what was found for it.
  /// - Parameters:
  ///   - relation: what the others of a row are to its first, for who cannot see it.
  ///   - wraps: whether a row that is too long goes on below, and does not scroll.
  public mutating func add(
    rows: [[ReportPicture]], title: String, about: String, relation: String = "and what is nearest", wraps: Bool = false
  ) throws {
    let figures = try rows.map { try $0.map(Self.figure) }
    section(title) { body in
      body.element("p", about)
      for (row, pictures) in zip(rows, figures) {
        let label = HTML.escaped(printable(row.first?.name ?? ""))
        body.add(
          "\n<div class=\"row\(wraps ? " wrap" : "")\" role=\"region\" tabindex=\"0\" aria-label=\"\(label) \(relation)\">"
        )
        for figure in pictures { body.add(figure) }
        body.add("</div>\n")
      }
    }
  }

  private static func figure(_ picture: ReportPicture) throws -> String {
    var html = HTML()
    let name = printable(picture.name)
    html.add("<figure>")
    if let pixels = picture.picture {
      let data = Data(try colour(pixels).jpeg(quality: 90, name: picture.name)).base64EncodedString()
      html.add("<img alt=\"\(HTML.escaped(name))\" src=\"data:image/jpeg;base64,\(data)\">")
    }
    html.add("<figcaption>")
    html.element("span", name, "class=\"name\" title=\"\(HTML.escaped(name))\"")
    for (place, line) in picture.lines.enumerated() {
      let isWrong = picture.isWrong && place == picture.lines.count - 1
      html.element("span", printable(line), "class=\"name\(isWrong ? " wrong" : "")\"")
    }
    html.add("</figcaption></figure>\n")
    return html.text
  }

  /// JPEG's encoder takes three channels.
  private static func colour(_ picture: Picture) -> Picture {
    if picture.channels == 3 { return picture }
    return Picture(
      height: picture.height, width: picture.width, channels: 3, pixels: picture.pixels.flatMap { [$0, $0, $0] })
  }
}
