// --look: what a run makes of some images, drawn: a row an image, the same panels in each.

import Compute
import Imaging
import Networks
import Pretraining
import Schemas
import Training

/// A picture of a `Look`.
public struct LookSheet {
  private let look: Look
  /// The side of a panel in pixels: a multiple of the grid, so that patches are squares of whole pixels.
  private let side: Int
  private let grid: Int
  private let classes: [String]
  /// [n · N, 3] in 0...1.
  private let components: [[Double]]

  private static let gap = 8
  private static let colours = (0..<12).map { Canvas.Colour(hue: Double($0 * 5 % 12) / 12 + 0.02, lightness: 0.45) }

  /// - Parameter size: about the side of a panel.
  public init(_ look: Look, size: Int, classes: [String]) {
    self.look = look
    self.classes = classes
    grid = look.shape.grid
    side = max(1, (size + grid / 2) / grid) * grid
    let features = look.index.indices.flatMap { look.encoder.patchFeatures(image: $0) }
    components = colourShares(principalComponents(features, count: 3) ?? [])
  }

  private typealias Draw = (_ canvas: inout Canvas, _ image: Int, _ x: Int, _ y: Int) -> Void

  private var panels: [(title: String, width: Int, draw: Draw)] {
    var panels = look.views.map { shown -> (title: String, width: Int, draw: Draw) in
      ("\(shown.need.name) view", side, { canvas, i, x, y in canvas.draw(view(shown, i), x: x, y: y) })
    }
    for case .groups(let title, let groups, let rest) in look.panels {
      panels.append((title, side, { drawGroups(groups, rest: rest, &$0, $1, $2, $3) }))
    }
    let headColumns = (look.encoder.heads + 1) / 2
    panels.append(
      ("class token, \(look.encoder.heads) heads", headColumns * (side / 2 + 2) - 2, drawAttention))
    panels.append(("principal components", side, drawComponents))
    for case .matches(let title, let placesTitle, let placesView, let pairs) in look.panels {
      let places = look.views.first { $0.need.name == placesView } ?? look.views[0]
      panels.append(
        (
          placesTitle, side,
          { canvas, i, x, y in
            canvas.draw(view(places, i), x: x, y: y)
            // The patches that a masked one can be matched to, in the colours and with the numbers of their places.
            for (patch, _) in pairs[i] { mark(&canvas, patch, as: patch, x, y) }
          }
        ))
      panels.append(
        (
          title, side,
          { canvas, i, x, y in
            canvas.draw(view(look.views[0], i), x: x, y: y)
            // Each masked patch in the colour and with the number of the one that it is matched to.
            for (patch, place) in pairs[i] { mark(&canvas, patch, as: place, x, y) }
          }
        ))
    }
    return panels
  }

  /// The sheet.
  /// - Throws: as `Canvas` does where it would be too large.
  public func drawn(title: String) throws -> Picture {
    let letter = Canvas.letter
    let (gap, panels) = (Self.gap, panels)
    let rowHeight = 2 * letter.height + side + gap
    let width = panels.reduce(gap) { $0 + $1.width + gap }
    var canvas = try Canvas(
      width: width, height: letter.height + 2 * gap + look.index.count * rowHeight)
    canvas.text(title, x: gap, y: gap, maximumWidth: width - 2 * gap)
    for image in look.index.indices {
      let y = letter.height + 2 * gap + image * rowHeight
      canvas.text(caption(image), x: gap, y: y, maximumWidth: width - 2 * gap)
      var x = gap
      for panel in panels {
        canvas.text(panel.title, x: x, y: y + letter.height, .grey, maximumWidth: panel.width)
        panel.draw(&canvas, image, x, y + 2 * letter.height)
        x += panel.width + gap
      }
    }
    return canvas.picture
  }

  private func caption(_ image: Int) -> String {
    let picture = "image \(look.names.picture(look.index[image], row: image))"
    guard look.label.indices.contains(image) else { return picture }
    let label = Int(look.label[image])
    return "\(picture), \(classes.indices.contains(label) ? classes[label] : "class \(label)")"
  }

  private func view(_ view: (need: ViewNeed, pixels: [UInt8]), _ image: Int) -> Picture {
    let (side, channels) = (view.need.side, look.shape.channels)
    let size = side * side * channels
    return Picture(
      height: side, width: side, channels: channels, pixels: Array(view.pixels[image * size..<(image + 1) * size])
    ).fitted(into: self.side)
  }

  private func cell(_ patch: Int, side: Int, x: Int, y: Int) -> (x: Int, y: Int, size: Int) {
    let size = side / grid
    return (x + patch % grid * size, y + patch / grid * size, size)
  }

  /// Patches in groups over the first view, a colour each; what is left over is black.
  private func drawGroups(
    _ groups: [Int], rest: Int?, _ canvas: inout Canvas, _ image: Int, _ x: Int, _ y: Int
  ) {
    canvas.draw(view(look.views[0], image), x: x, y: y)
    let patches = look.shape.patches
    for (patch, group) in groups[image * patches..<(image + 1) * patches].enumerated() where group >= 0 {
      let at = cell(patch, side: side, x: x, y: y)
      let colour = group == rest ? Canvas.Colour.black : Self.colours[group % Self.colours.count]
      canvas.fill(x: at.x, y: at.y, width: at.size, height: at.size, colour, share: 0.62)
      canvas.frame(x: at.x, y: at.y, width: at.size, height: at.size, colour)
    }
  }

  /// A head a square of half the side: black to white, the patch that is looked at most being white.
  private func drawAttention(_ canvas: inout Canvas, _ image: Int, _ x: Int, _ y: Int) {
    for head in 0..<look.encoder.heads {
      let shares = Array(look.encoder.patchAttention(image: image, head: head))
      let greatest = max(shares.max() ?? 0, .leastNormalMagnitude)
      let (left, top) = (x + head / 2 * (side / 2 + 2), y + head % 2 * (side / 2))
      for (patch, share) in shares.enumerated() {
        // Edges are computed and not added up: half a side need not be a multiple of the grid.
        func edge(_ place: Int) -> Int { place * (side / 2 - 2) / grid }
        let (column, row) = (patch % grid, patch / grid)
        let level = UInt8((255 * share / greatest).rounded())
        canvas.fill(
          x: left + edge(column), y: top + edge(row), width: edge(column + 1) - edge(column),
          height: edge(row + 1) - edge(row), Canvas.Colour(level, level, level))
      }
    }
  }

  private func drawComponents(_ canvas: inout Canvas, _ image: Int, _ x: Int, _ y: Int) {
    let patches = look.shape.patches
    for patch in 0..<patches where !components.isEmpty {
      let at = cell(patch, side: side, x: x, y: y)
      let values = components[image * patches + patch].map { UInt8((255 * $0).rounded()) }
      canvas.fill(
        x: at.x, y: at.y, width: at.size, height: at.size, Canvas.Colour(values[0], values[1], values[2]))
    }
  }

  /// Columns by hue, rows by lightness: a colour for every place.
  private func placeColour(_ patch: Int) -> Canvas.Colour {
    let last = Double(max(grid - 1, 1))
    return Canvas.Colour(
      hue: 0.83 * Double(patch % grid) / last, lightness: 0.3 + 0.4 * Double(patch / grid) / last)
  }

  private func mark(_ canvas: inout Canvas, _ patch: Int, as place: Int, _ x: Int, _ y: Int) {
    let at = cell(patch, side: side, x: x, y: y)
    canvas.fill(x: at.x, y: at.y, width: at.size, height: at.size, placeColour(place), share: 0.6)
    let text = String(place)
    let width = text.count * Canvas.letter.width
    if at.size >= width + 2, at.size >= Canvas.letter.height {
      let (left, top) = (at.x + (at.size - width + 1) / 2, at.y + (at.size - 7) / 2)
      canvas.text(text, x: left + 1, y: top + 1, .black)
      canvas.text(text, x: left, y: top, .white)
    }
  }
}
