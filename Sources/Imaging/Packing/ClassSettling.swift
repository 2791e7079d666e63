// Which classes there are: those of pictures that can be read. Rows that are left out decide nothing.

import Parallel
import TensorStream

/// The classes of all sources, and for each source what its labels become.
struct ClassSettling {
  /// nil where there are no labels.
  private(set) var classes: [String]?
  /// Why each source has no labels; empty where it has.
  private(set) var absences: [String] = []
  /// For each source its labels' numbers among all classes; −1 for a label that makes none.
  private(set) var numbers: [[Int32]] = []
  /// For each source its pictures' labels, which `numbers` turns into classes; −1 for none.
  private(set) var labels: [[Int32]] = []
  /// Notes on how they were made.
  private(set) var notes: [String] = []
  private let sources: [any PictureSource]
  private let options: SourceOptions
  private let pool: ThreadPool

  /// - Throws: `Failure(.data)` that names the picture, the class or the source which stands in the way; what reading throws.
  init(_ sources: [any PictureSource], options: SourceOptions, pool: ThreadPool) throws {
    (self.sources, self.options, self.pool) = (sources, options, pool)
    if options.unlabelled { return }
    let labels = resolved(sources.map { $0.labels })
    absences = labels.map { $0.absence }
    guard let labelled = labels.firstIndex(where: { $0.hasLabels }) else { return }
    if let without = labels.firstIndex(where: { !$0.hasLabels }) {
      throw Failure(
        .data,
        "\(sources[without].name) has no labels, but \(sources[labelled].name) has; --no-labels packs all of them without"
          + (labels[without].absence.isEmpty ? "" : " (\(labels[without].absence))"))
    }
    let made = try labels.indices.map { try classNumbers(sources[$0], labels[$0]) }
    for (source, list) in zip(sources, made) {
      var met: [String: String] = [:]
      for name in list.classes {
        if let other = met.updateValue(name, forKey: name) {
          throw Failure(.data, "\(source.name): \(Self.sameName(other, name))")
        }
      }
    }
    let all = mergedClasses(made.map { $0.classes })
    let places = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, Int32($0)) })
    numbers = made.map { one in one.numbers.map { $0 < 0 ? -1 : places[one.classes[Int($0)]]! } }
    self.labels = labels.map { $0.table.ids }
    classes = all
  }

  /// What is said of two classes whose names are equal: to the byte, or as Unicode has it, where a letter and its
  /// accent may be one character or two.
  private static func sameName(_ one: String, _ other: String) -> String {
    if one.utf8.elementsEqual(other.utf8) { return "two classes have the name \(one)" }
    return "two classes have the name \(one), whose letters Unicode writes in two ways: \(spelled(one)) and "
      + "\(spelled(other)): where they are one class, write both alike, as by moving the pictures of both folders into "
      + "one; where they are two, rename one"
  }

  /// A name with \xNN for each byte that is not ASCII.
  private static func spelled(_ name: String) -> String {
    name.utf8.map { $0 < 0x80 ? String(Character(UnicodeScalar($0))) : "\\x" + String($0, radix: 16) }.joined()
  }

  /// Folder paths of archives become the names of the folders that are classes.
  private func resolved(_ labels: [SourceLabels]) -> [SourceLabels] {
    let archives = labels.indices.filter { if case .paths = labels[$0].kind { labels[$0].hasLabels } else { false } }
    let roots = FolderPaths.roots(archives.map { labels[$0].table.usedNames })
    var resolved = labels
    for (archive, root) in zip(archives, roots) {
      resolved[archive].kind = .folders
      resolved[archive].table = labels[archive].table.mapped { FolderPaths.class(of: $0, below: root) }
      let names = resolved[archive].table.names.map { printable($0) }
      if names.count == 1, FolderNames.isSplit(names[0]), options.classNames == nil {
        resolved[archive] = .none("the one folder in \(sources[archive].name) is \(names[0]), a part of a set")
      }
    }
    return resolved
  }

  private mutating func classNumbers(_ source: any PictureSource, _ labels: SourceLabels) throws -> ClassNumbers {
    switch labels.kind {
    case .fixed(let classes): return ClassNumbers(classes: classes, numbers: Array(0..<Int32(classes.count)))
    case .folders, .paths: try checkFolders(labels.table.names.map { printable($0) }, source)
    case .said: break
    }
    let look = try Look(source, labels.table, pool)
    if let picture = look.unlabelled {
      let isFolder = if case .said = labels.kind { false } else { true }
      throw Failure(
        .data,
        isFolder
          ? "\(source.path(picture)): a picture beside the class folders of \(source.name): expected pictures in sub-folders "
            + "alone, or none at all; --no-labels packs all of them without"
          : "\(source.path(picture)): has no label, but others of \(source.name) have; --no-labels packs all of them without"
      )
    }
    var isThere = look.isThere
    let names = labels.table.names
    let without = names.indices.filter { !isThere[$0] }
    let place = { (label: Int) in look.first[label].map { source.path($0) } ?? source.name }
    if case .said = labels.kind {
      if !without.isEmpty {
        let shown = without.prefix(3).map { quoted(printable(names[$0])) }.joined(separator: ", ")
        notes.append(
          "\(source.name): \(shown)\(without.count > 3 ? ", …" : "") is no class: no picture of it can be read")
      }
    } else {
      if let label = without.first {
        guard options.allowsEmptyClasses else {
          let folder = printable(names[label])
          throw Failure(
            .data,
            "\(source.name): class \(folder): there is no picture of it that can be read"
              + (look.whyNot[label].map { " (\($0))" } ?? "")
              + ": remove the empty folder, or keep it as a class with --allow-empty-classes, or use --no-labels")
        }
        for label in without { isThere[label] = true }
      }
      if options.classNames == nil && options.labelType != .number {
        return ClassNumbers(byName: names, isThere: isThere)
      }
    }
    return try ClassNumbers(
      said: names, isThere: isThere, names: options.classNames ?? labels.order, type: options.labelType,
      source: source.name, where: place)
  }

  /// Throws for folders that are no classes, unless they are named.
  private func checkFolders(_ names: [String], _ source: any PictureSource) throws {
    if let given = options.classNames, names.allSatisfy({ given.contains($0) }) { return }
    let sorted = names.sorted()
    let shown = sorted.joined(separator: " and ")
    if FolderNames.areSplits(names) {
      throw Failure(
        .data,
        "\(source.name): its folders \(shown) are parts of a set, not classes: --split \(sorted[0]) packs that part, "
          + "--no-labels all of them; --class-names \(sorted.joined(separator: ",")) makes them classes")
    }
    if FolderNames.arePicturesAndMasks(names) {
      throw Failure(
        .data,
        "\(source.name): its folders \(shown) are pictures and what was drawn on them, not classes: name the folder of "
          + "pictures as the source, and that of masks with --masks, or one of them with --split; --class-names \(sorted.joined(separator: ",")) makes "
          + "them classes")
    }
  }
}

/// The labels of which a picture can be read. It decodes at least one picture of each label, so where all is well it
/// takes a picture a class.
private struct Look {
  /// For each label, whether there is one.
  private(set) var isThere: [Bool]
  /// The first picture of each label, whether it can be read or not.
  private(set) var first: [Int?]
  /// Why the first picture of a label that has none cannot be read.
  private(set) var whyNot: [String?]
  /// A picture that can be read and has no label.
  private(set) var unlabelled: Int?

  init(_ source: any PictureSource, _ table: LabelTable, _ pool: ThreadPool) throws {
    let labels = table.names.count
    // The last group has no label.
    var firsts = [Int?](repeating: nil, count: labels + 1)
    for (picture, id) in table.ids.enumerated() {
      let group = id < 0 ? labels : Int(id)
      if firsts[group] == nil { firsts[group] = picture }
    }
    let checks = (0..<pool.threads).map { _ in PictureCheck() }
    var outcomes = try Self.firstGood(firsts.map { $0.map { [$0] } ?? [] }, source, checks, pool)
    whyNot = outcomes.map { $0.why }
    // Those whose first is bad: all others of them.
    let open = Set(outcomes.indices.filter { outcomes[$0].good == nil && firsts[$0] != nil })
    if !open.isEmpty {
      var rest = [[Int]](repeating: [], count: labels + 1)
      for (picture, id) in table.ids.enumerated() {
        let group = id < 0 ? labels : Int(id)
        if open.contains(group), picture != firsts[group] { rest[group].append(picture) }
      }
      let more = try Self.firstGood(rest, source, checks, pool)
      for group in open { outcomes[group].good = more[group].good }
    }
    first = firsts
    isThere = outcomes[..<labels].map { $0.good != nil }
    unlabelled = outcomes[labels].good
  }

  /// Of each group of pictures the first that can be read.
  private static func firstGood(
    _ groups: [[Int]], _ source: any PictureSource, _ checks: [PictureCheck], _ pool: ThreadPool
  ) throws -> [(good: Int?, why: String?)] {
    var results = [Result<(good: Int?, why: String?), any Error>](
      repeating: .success((nil, nil)), count: groups.count)
    results.withUnsafeMutableBufferPointer { results in
      let results = results
      pool.run(groups.count) { group, worker in
        results[group] = Result {
          var why: String?
          for picture in groups[group] {
            guard let reason = try checks[worker].reasonAgainst(picture, of: source) else { return (picture, nil) }
            why = why ?? reason
          }
          return (nil, why)
        }
      }
    }
    return try results.map { try $0.get() }
  }
}

/// Whether single pictures can be read. For one thread.
private final class PictureCheck {
  private let memory = Scratch<UInt8>()
  private let decoder = PictureDecoder()

  /// Why a picture cannot be read; nil where it can. Throws where no other picture can be read either.
  func reasonAgainst(_ index: Int, of source: any PictureSource) throws -> String? {
    do {
      let bytes = try source.bytes(index, memory: memory)
      if source.pixelShape == nil { _ = try decoder.decode(bytes, name: source.path(index)) }
      return nil
    } catch let failure as Failure where failure.kind == .data || failure.kind == .noInput {
      return failure.message
    }
  }
}
