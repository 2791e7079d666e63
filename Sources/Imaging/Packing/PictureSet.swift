// The pictures of all operands as one list, with one list of classes. What is in an operand tells what it is.

import Foundation
import Parallel
import Schemas
import TensorStream

/// Pictures of several sources, one after the other.
public struct PictureSet: Sendable {
  public let name: String
  public let count: Int
  /// The names of all classes; nil where there are no labels.
  public let classes: [String]?
  /// Of pixels; nil where pictures are JPEG or PNG files.
  public let pixelShape: PixelShape?
  /// Where labels come from; where there are none, what is nearest to labels, and what to do to have them.
  public let origin: String
  /// Notes on how pictures and labels were told from other things, each a sentence.
  public let notes: [String]
  /// The operands, for messages. Pictures' names start from them.
  public let sourceNames: [String]
  /// The masks of all pictures; nil where they have none.
  let masks: PictureSetMasks?
  private let sources: [any PictureSource]
  private let starts: [Int]
  /// For each source its pictures' labels, and these labels' numbers among all classes.
  private let labels: [[Int32]]
  private let numbers: [[Int32]]

  /// Opens the operands: `-` is standard input.
  ///
  /// Classes are settled before a picture is packed: see `ClassSettling` and `mergedClasses`.
  /// - Throws: `Failure(.noInput)`, `.data` or `.usage` that names the source.
  public init(_ paths: [String], options: SourceOptions, pool: ThreadPool) throws {
    var options = options
    if let classes = options.maskClasses, !options.leavesMasksOut {
      options.maskTable = try MaskClassFile.table(classes, ignored: options.ignoredIds)
    }
    var labelFiles = options.labels[...]
    var sources: [any PictureSource] = []
    var pictures: [FilePath] = []
    func takePictures() {
      if !pictures.isEmpty { sources.append(PictureFiles(pictures, options: options)) }
      pictures = []
    }
    let operands = Self.withoutSidecars(paths)
    for path in operands {
      switch try openOperand(path, options: options, labels: &labelFiles) {
      case .picture(let path): pictures.append(path)
      case .source(let source):
        takePictures()
        sources.append(source)
      }
    }
    takePictures()
    guard labelFiles.isEmpty else {
      throw Failure(.usage, "--labels \(labelFiles[labelFiles.startIndex]): there is no IDX file of pictures for it")
    }
    try Self.check(options, against: sources)
    self.sources = sources
    masks = try PictureSetMasks(sources, options: options)
    name = sources.count == 1 ? sources[0].name : counted(sources.count, "source")
    sourceNames = operands.map { $0 == "-" ? "standard input" : FilePath(operand: $0).description }
    var starts = [0]
    for source in sources { starts.append(starts.last! + source.count) }
    (self.starts, count) = (starts, starts.last!)
    pixelShape = try Self.commonShape(sources)
    let settled = try ClassSettling(sources, options: options, pool: pool)
    (classes, labels, numbers) = (settled.classes, settled.labels, settled.numbers)
    let passed = paths.count - operands.count
    notes =
      (passed == 0 ? [] : ["\(counted(passed, "operand")) passed over: what cameras, clouds and systems leave"])
      + settled.notes + sources.flatMap { $0.labels.notes }
    if options.unlabelled {
      origin = "--no-labels leaves them out"
    } else {
      origin =
        settled.classes == nil ? Self.absence(sources, settled.absences) : Self.shown(sources.map { $0.labels.origin })
    }
  }

  /// Operands as `photos/*` makes them, without files that are no pictures in a folder either. A single operand is
  /// always taken. So is JSON that does not lie beside another operand, since it may be a list.
  private static func withoutSidecars(_ paths: [String]) -> [String] {
    if paths.count < 2 { return paths }
    var stems: [ArraySlice<UInt8>: Int] = [:]
    for path in paths { stems[PictureParts.stem(FilePath(operand: path).bytes), default: 0] += 1 }
    let kept = paths.filter { operand in
      let path = FilePath(operand: operand)
      if operand == "-" || path.base.elementsEqual(".".utf8) || path.base.elementsEqual("..".utf8) { return true }
      let isFolder = path.status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
      guard PictureParts.isSidecar(path.base, isFolder: isFolder) else { return true }
      guard !isFolder, let suffix = PictureParts.suffix(of: path.base), suffix == "json" || suffix == "xml" else {
        return false
      }
      let stem = PictureParts.stem(path.bytes)
      // IMG.json or IMG.jpg.json beside IMG.jpg.
      let inner = PictureParts.stem(stem)
      let isBeside = stems[stem, default: 0] > 1 || inner.count < stem.count && stems[inner] != nil
      return !isBeside
    }
    return kept.isEmpty ? paths : kept
  }

  private static func shown(_ texts: [String]) -> String {
    var different: [String] = []
    for text in texts where !text.isEmpty && !different.contains(text) { different.append(text) }
    return different.prefix(3).joined(separator: "; ") + (different.count > 3 ? "; …" : "")
  }

  private static func absence(_ sources: [any PictureSource], _ absences: [String]) -> String {
    let folders = sources.compactMap { $0 as? PictureFolder }.map { FilePath(operand: $0.name).folder }
    if sources.count > 1, folders.count == sources.count, Set(folders).count == 1 {
      let parent = folders[0].description
      return
        "\(sources[0].name) and the others have no sub-folders, which would be classes; name \(parent), the folder that they "
        + "are in, and they are the classes"
    }
    return shown(absences)
  }

  private static func check(_ options: SourceOptions, against sources: [any PictureSource]) throws {
    let hasList = sources.contains { $0 is PictureList }
    if options.root != nil || options.pathColumn != nil, !hasList {
      throw Failure(.usage, "--root and --path-column go with a list of pictures, and there is none")
    }
    if options.labelColumn != nil, !hasList, !sources.contains(where: { $0 is TarPictures }) {
      throw Failure(
        .usage,
        "--label-column goes with a list of pictures, or with a tar file that has .json members, and there is none")
    }
    if options.coarseLabels, !sources.contains(where: { $0 is CIFARPictures }) {
      throw Failure(.usage, "--coarse-labels goes with CIFAR-100, and there is none")
    }
    let isPictures = { (source: any PictureSource) in source is PictureFiles || source is StreamedPicture }
    if options.split != nil, sources.contains(where: { $0.pixelShape != nil || isPictures($0) }) {
      throw Failure(.usage, "--split goes with folders, tar files and lists")
    }
    if options.classNames != nil, !options.unlabelled, !sources.contains(where: { $0.labels.hasLabels }) {
      throw Failure(
        .usage,
        "--class-names: \(sources[0].name) has no labels to name: \(absence(sources, sources.map { $0.labels.absence }))"
      )
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

  private func place(_ index: Int) -> (source: Int, index: Int) {
    var (low, high) = (0, sources.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= index { low = middle } else { high = middle }
    }
    return (low, index - starts[low])
  }

  /// The class of a picture, from 0; −1 for one that could not be read when the classes were settled. Precondition:
  /// there are classes.
  public func label(_ index: Int) -> Int32 {
    let (source, index) = place(index)
    let label = labels[source][index]
    return label < 0 ? -1 : numbers[source][Int(label)]
  }

  /// What the masks' class ids mean; nil for pictures without masks.
  public var maskClasses: MaskClasses? { masks?.classes }

  /// Where masks come from.
  public var maskOrigin: String? { masks?.origin }

  /// A picture's mask: what messages call it, its bytes in the memory, and what its numbers mean.
  /// - Precondition: there are masks.
  func mask(
    _ index: Int, memory: Scratch<UInt8>
  ) throws -> (name: String, bytes: UnsafeRawBufferPointer, table: MaskTable) {
    let (source, index) = place(index)
    let masks = masks!.sources[source]
    let (name, bytes) = try masks.read(index, memory)
    return (name, bytes, masks.table)
  }

  /// What a picture is called in a stream: of a single operand the path from it on; of several the operand too.
  func entryName(_ index: Int) -> [UInt8] {
    let (source, index) = place(index)
    return sources[source].entryName(index, isAlone: sources.count == 1)
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
