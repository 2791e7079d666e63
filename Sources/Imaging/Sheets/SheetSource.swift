// Which cells a row of a stream makes on a contact sheet.

import Foundation
import Schemas
import TensorStream

/// The samples of an images or a views stream as cells of a `ContactSheet`.
public struct SheetSource {
  private enum Kind { case images, views }
  private let kind: Kind
  private let name: String
  private let classes: [String]
  private let recipes: [String]
  /// For each recipe what its parameters are called.
  private let columns: [[String]]
  private let decoder = PictureDecoder()
  private let maskDecoder = MaskDecoder()
  /// What the ids of masks mean; nil for pictures without.
  private let masks: MaskClasses?
  public var isViews: Bool { kind == .views }

  /// - Parameters:
  ///   - header: the first record of the stream.
  ///   - name: the stream's, for messages.
  /// - Throws: `Failure(.data)` for a stream of another kind, or with metadata that cannot be read.
  public init(header: Record, name: String) throws {
    func list(_ key: String) throws -> [String]? {
      try header.metadata[key].map {
        try JSONText.decode([String].self, from: $0, what: "\(name): metadata \"\(key)\"")
      }
    }
    switch header.kindText.flatMap(StreamKind.init) {
    case .images: kind = .images
    case .views: kind = .views
    default:
      throw Failure(.data, "\(name): holds \(header.kindText ?? "no kind"): a contact sheet needs images or views")
    }
    self.name = name
    masks = try MaskClasses.of(header, source: name)
    classes = try list("classes") ?? []
    guard let recipes = try kind == .images ? [] : list("recipes") else {
      throw Failure(.data, "\(name): the views have no \"recipes\"")
    }
    self.recipes = recipes
    columns = try recipes.map { try list("\($0).columns") ?? [] }
  }

  /// The cells of some rows of a record: one for each image, or for each of a sample's views.
  /// - Parameters:
  ///   - number: of the record, from 1, and `firstRow`, of the stream, its first row: for messages and captions.
  /// - Throws: `Failure(.data)` where a tensor is missing or of another shape. A picture that cannot be decoded is a crossed cell that
  ///   says so.
  public func cells(
    of record: Record, rows: Range<Int>, number: Int, firstRow: Int, side: Int
  ) throws -> [(title: String, cells: [ContactSheet.Cell])] {
    kind == .images
      ? try images(record, rows, number: number, firstRow: firstRow, side: side)
      : try views(record, rows, number: number, firstRow: firstRow, side: side)
  }

  private func images(
    _ record: Record, _ rows: Range<Int>, number: Int, firstRow: Int, side: Int
  ) throws -> [(title: String, cells: [ContactSheet.Cell])] {
    let checked = try ImageRecord(record, name: name, number: number, firstRow: firstRow)
    return try rows.map { row in
      let place = firstRow + row
      let label = checked.labels.map { " " + className($0[row]) } ?? ""
      let file = checked.names?.known(row).map { " " + captionName($0) } ?? ""
      do {
        let ids = try masks.flatMap { classes in
          try checked.masks == nil ? nil : Picture(checked.mask(row, classes: classes, decoder: maskDecoder))
        }
        return try checked.withPicture(row, decoder: decoder) { pixels in
          let picture = Picture(pixels)
          let size = "\(picture.width)x\(picture.height)"
          let shown = overlaid(picture.fitted(into: side), ids)
          return ("", [ContactSheet.Cell(shown, caption: "\(place)\(file)\(label) \(size)\(seen(ids))")])
        }
      } catch let failure as Failure where failure.kind == .data {
        return ("", [ContactSheet.Cell(try crossed(side), caption: "\(place)\(label) BROKEN: \(failure.message)")])
      }
    }
  }

  private func views(
    _ record: Record, _ rows: Range<Int>, number: Int, firstRow: Int, side: Int
  ) throws -> [(title: String, cells: [ContactSheet.Cell])] {
    func failure(_ text: String) -> Failure { Failure(.data, "\(name): record \(number): \(text)") }
    let views = try recipes.map { recipe in
      guard let tensor = record[recipe] else { throw failure("no tensor \"\(recipe)\"") }
      guard tensor.type == .u8, tensor.shape.count == 4, [1, 3].contains(tensor.shape[3]), tensor.shape[1] > 0,
        tensor.shape[2] > 0
      else {
        throw failure("\(recipe) is \(tensor.type.rawValue) \(tensor.shape): expected U8 [rows, height, width, 1 or 3]")
      }
      return tensor
    }
    let parameters = try zip(recipes, columns).map { recipe, names -> [Float]? in
      guard let tensor = record["\(recipe).parameters"] else { return nil }
      guard tensor.type == .f32, tensor.shape == [record.rows, names.count] else {
        throw failure(
          "\(recipe).parameters is \(tensor.type.rawValue) \(tensor.shape): expected F32 \([record.rows, names.count])")
      }
      return try tensor.values(of: Float.self)
    }
    let ids = try masks.map { classes in
      try recipes.map {
        try MaskTensors.masks(of: $0, in: record, classes: classes, place: "\(name): record \(number)")
      }
    }
    func column<T: Element>(_ name: String, _: T.Type) throws -> [T]? {
      guard let tensor = record[name] else { return nil }
      guard tensor.type == T.elementType, tensor.shape == [record.rows] else {
        throw failure(
          "\(name) is \(tensor.type.rawValue) \(tensor.shape): expected \(T.elementType.rawValue) \([record.rows])")
      }
      return try tensor.values(of: T.self)
    }
    let labels = try column("label", Int32.self)
    let index = try column("index", Int64.self)
    let names = try RowNames(record, what: "\(name): record \(number)")
    if let names, let tensor = views.first, names.count != tensor.shape[0] {
      throw failure("\(names.count) names of \(tensor.shape[0]) rows")
    }
    return rows.map { row in
      let cells = recipes.indices.map { r in
        let shape = views[r].shape
        let size = shape[1] * shape[2] * shape[3]
        let pixels = views[r].withUnsafeBytes { Array($0[row * size..<(row + 1) * size]) }
        var caption = recipes[r]
        if let values = parameters[r] {
          let drawn = columns[r].enumerated().map { c, name in
            "\(name)=\(shortText(values[row * columns[r].count + c]))"
          }
          caption += ": " + drawn.joined(separator: " ")
        }
        let mask = ids?[r].map { masks in
          let area = masks.height * masks.width
          return Picture(
            height: masks.height, width: masks.width, channels: 1,
            pixels: Array(masks.ids[row * area..<(row + 1) * area]))
        }
        let view = Picture(height: shape[1], width: shape[2], channels: shape[3], pixels: pixels).fitted(into: side)
        return ContactSheet.Cell(overlaid(view, mask), caption: caption + seen(mask))
      }
      let file = names?.known(row).map { captionName($0) }
      let from = index.map { ", image \($0[row])\(file.map { " (\($0))" } ?? "")" } ?? file.map { ", \($0)" } ?? ""
      let label = labels.map { ", " + className($0[row]) } ?? ""
      return ("row \(firstRow + row)\(from)\(label)", cells)
    }
  }

  /// A picture with its mask's colours over it.
  private func overlaid(_ picture: Picture, _ ids: Picture?) -> Picture {
    guard let ids, let masks else { return picture }
    return picture.overlaid(ids.nearest(height: picture.height, width: picture.width).pixels, masks)
  }

  /// The classes that a mask has most of, for a caption.
  private func seen(_ ids: Picture?) -> String {
    guard let ids, let masks else { return "" }
    var counts = [Int](repeating: 0, count: 255)
    for id in ids.pixels where id != MaskClasses.ignored { counts[Int(id)] += 1 }
    let most = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$1], $0) < (counts[$0], $1) }
    if most.isEmpty { return ": no class" }
    return ": " + most.prefix(3).map { masks.text(UInt8($0)) }.joined(separator: ", ") + (most.count > 3 ? ", ..." : "")
  }

  private func className(_ label: Int32) -> String {
    classes.indices.contains(Int(label)) ? classes[Int(label)] : String(label)
  }

  /// What stands for a picture that there is not.
  private func crossed(_ side: Int) throws -> Picture {
    var canvas = try Canvas(width: side, height: side, colour: Canvas.Colour(235, 235, 235))
    for i in 0..<side {
      canvas.fill(x: i, y: i, width: 1, height: 1, Canvas.Colour(200, 0, 0))
      canvas.fill(x: i, y: side - 1 - i, width: 1, height: 1, Canvas.Colour(200, 0, 0))
    }
    return canvas.picture
  }
}

/// A name with no more letters than a caption has room for: the end of a long path tells more than its beginning.
private func captionName(_ name: String) -> String {
  let limit = 64
  return name.count <= limit ? name : "..." + name.suffix(limit - 3)
}

/// A parameter with no more digits than a caption has room for.
private func shortText(_ value: Float) -> String {
  value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : String(format: "%.3g", value)
}

extension Picture {
  /// A copy of borrowed pixels.
  init(_ pixels: Pixels) {
    var copy = [UInt8]()
    copy.reserveCapacity(pixels.count)
    for y in 0..<pixels.height {
      copy.append(contentsOf: UnsafeBufferPointer(start: pixels.row(y), count: pixels.rowBytes))
    }
    self.init(height: pixels.height, width: pixels.width, channels: pixels.channels, pixels: copy)
  }
}
