// What the operands name, told by what is in it, as one list of pictures with one list of classes.

import Foundation
import TensorStream

/// How operands are read.
public struct SourceOptions: Sendable {
  /// IDX files of labels, one for each IDX file of pictures, in order.
  public var labels: [String] = []
  /// The classes in their order; nil: as the sources have them.
  public var classNames: [String]?
  /// Of CIFAR-100, the twenty coarse labels.
  public var coarseLabels = false
  /// Leaves labels out.
  public var unlabelled = false
  public var root: String?
  public var pathColumn: String?
  public var labelColumn: String?
  /// Where what can be read only once is kept meanwhile.
  public var temporaryFolder = "/tmp"

  public init() {}
}

/// Pictures of several sources, one after the other.
public struct PictureSet: Sendable {
  public let name: String
  public let count: Int
  /// The names of all classes; nil where there are no labels.
  public let classes: [String]?
  /// Of pixels; nil where pictures are JPEG or PNG files.
  public let pixelShape: PixelShape?
  private let sources: [any PictureSource]
  private let starts: [Int]
  /// For each source, its classes' numbers among all.
  private let numbers: [[Int32]]

  /// Opens the operands: `-` is standard input.
  ///
  /// Classes: of one source, its own in their order. Of several, the longest list where all others are the beginning of it; otherwise all names,
  /// numbers first, by value, then the others in the order of their bytes.
  /// - Throws: `Failure(.noInput)`, `.data` or `.usage` that names the source.
  public init(_ paths: [String], options: SourceOptions) throws {
    var labels = options.labels[...]
    let sources = try paths.map { try openSource($0, options: options, labels: &labels) }
    guard labels.isEmpty else {
      throw Failure(.usage, "--labels \(labels[labels.startIndex]): there is no IDX file of pictures for it")
    }
    try Self.check(options, against: sources)
    self.sources = sources
    name = paths.count == 1 ? sources[0].name : counted(paths.count, "source")
    var starts = [0]
    for source in sources { starts.append(starts.last! + source.count) }
    (self.starts, count) = (starts, starts.last!)
    pixelShape = try Self.commonShape(sources)
    if options.unlabelled {
      (classes, numbers) = (nil, [])
    } else {
      classes = try Self.commonClasses(sources)
      let places = Dictionary(uniqueKeysWithValues: (classes ?? []).enumerated().map { ($1, Int32($0)) })
      numbers = sources.map { $0.classes.map { $0.map { places[$0]! } } ?? [] }
    }
  }

  private static func check(_ options: SourceOptions, against sources: [any PictureSource]) throws {
    if options.root != nil || options.pathColumn != nil || options.labelColumn != nil,
      !sources.contains(where: { $0 is PictureList })
    {
      throw Failure(.usage, "--root, --path-column and --label-column go with a list of pictures, and there is none")
    }
    if options.coarseLabels, !sources.contains(where: { $0 is CIFARPictures }) {
      throw Failure(.usage, "--coarse-labels goes with CIFAR-100, and there is none")
    }
    if options.classNames != nil, !options.unlabelled, !sources.contains(where: { $0.classes != nil }) {
      throw Failure(.usage, "--class-names: \(sources[0].name) has no labels to name")
    }
  }

  private static func commonShape(_ sources: [any PictureSource]) throws -> PixelShape? {
    for source in sources.dropFirst() where source.pixelShape != sources[0].pixelShape {
      func kind(_ source: any PictureSource) -> String {
        "\(source.name) has \(source.pixelShape.map { "pixels of \($0.description)" } ?? "picture files")"
      }
      throw Failure(
        .data,
        "\(kind(sources[0])), but \(kind(source)): one stream holds one kind; pack them apart, pmae-augment takes several streams"
      )
    }
    return sources[0].pixelShape
  }

  private static func commonClasses(_ sources: [any PictureSource]) throws -> [String]? {
    let lists = sources.map { $0.classes }
    guard let labelled = lists.firstIndex(where: { $0 != nil }) else { return nil }
    if let without = lists.firstIndex(where: { $0 == nil }) {
      throw Failure(
        .data,
        "\(sources[without].name) has no labels, but \(sources[labelled].name) has; --no-labels packs all of them without"
      )
    }
    for (source, list) in zip(sources, lists) {
      if let twice = Dictionary(grouping: list!, by: { $0 }).first(where: { $0.value.count > 1 })?.key {
        throw Failure(.data, "\(source.name): two classes have the name \(twice)")
      }
    }
    let longest = lists.max { $0!.count < $1!.count }!!
    if lists.allSatisfy({ longest.starts(with: $0!) }) { return longest }
    let all = Set(lists.flatMap { $0! })
    let numbered = all.compactMap { LabelTable.number(Array($0.utf8)) }.sorted().map { String($0) }
    let named = all.filter { LabelTable.number(Array($0.utf8)) == nil }.sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    return numbered + named
  }

  private func place(_ index: Int) -> (source: Int, index: Int) {
    var (low, high) = (0, sources.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= index { low = middle } else { high = middle }
    }
    return (low, index - starts[low])
  }

  /// The class of a picture, from 0. There are classes.
  public func label(_ index: Int) -> Int32 {
    let (source, index) = place(index)
    return numbers[source][Int(sources[source].label(index))]
  }

  /// What messages call a picture.
  public func path(_ index: Int) -> String {
    let (source, index) = place(index)
    return sources[source].path(index)
  }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    let (source, index) = place(index)
    return try sources[source].bytes(index, memory: memory)
  }

  /// Sixteen hexadecimal digits that tell this choice of pictures, by name and label in order, from others.
  func digest(of chosen: [Int]) -> String {
    var hash: UInt64 = 0
    for index in chosen {
      let line = Array("\(classes == nil ? -1 : label(index)) \(path(index))".utf8)
      hash = line.withUnsafeBytes { xxh64($0, seed: hash) }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
