// A list without columns: a path in each line, and what follows it.

import TensorStream

/// Lines of paths, each with a label behind a blank or none. Names may have blanks: what is a file's name is one.
struct PlainList {
  private let bytes: [UInt8]
  private var at = 0
  private(set) var line = 0
  private(set) var files: ListFiles
  private let list: String
  private let options: SourceOptions
  private var isFirst = true
  /// Whether it is the list of Oxford's Pets, and the names of its classes by number.
  private(set) var isPets = false
  private(set) var pets: [Int: [UInt8]] = [:]
  private var header: [String]?
  private var columns: (path: Int, label: Int?)?

  init(_ bytes: [UInt8], list: String, files: ListFiles, options: SourceOptions) {
    (self.bytes, self.list, self.files, self.options) = (bytes, list, files, options)
  }

  /// Throws `Damage.malformed` for a line that is none.
  mutating func next() throws -> ListRow? {
    while at < bytes.count {
      line += 1
      let end = bytes[at...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
      let text = bytes[at..<end]
      at = end + (end + 1 < bytes.count && bytes[end] == 0x0D && bytes[end + 1] == 0x0A ? 2 : 1)
      let plain = trimmed(text)
      if plain.isEmpty || (plain[0] == UInt8(ascii: "#") && !files.isThere(plain)) { continue }
      let words = plain.split { $0 == 0x20 || $0 == 0x09 }.map { Array($0) }
      if isFirst {
        isFirst = false
        try begin(words, line: plain)
        if header != nil { continue }
      }
      if isPets { return try petsRow(words) }
      if let columns { return try columnsRow(words, columns) }
      return try row(plain, words)
    }
    return nil
  }

  private mutating func begin(_ words: [[UInt8]], line text: [UInt8]) throws {
    let texts = words.map { String(decoding: $0, as: UTF8.self) }
    isPets = options.pathColumn == nil && options.labelColumn == nil && Self.isPets(words) && !files.isThere(text)
    if isPets {
      if options.root == nil { files.root = files.root.appending(Array("../images".utf8)) }
      return
    }
    let isPicture = split(text, words, isFile: files.isThere) != nil
    let known = ListNames.place(of: ListNames.paths, in: texts)
    let path = try ListNames.column("--path-column", options.pathColumn, in: texts, list: list)
    let label = try ListNames.column("--label-column", options.labelColumn, in: texts, list: list)
    let byName = path?.isName ?? false || label?.isName ?? false
    if path != nil || label != nil {
      let usual = ListNames.place(of: ListNames.labels, in: texts)
      columns = (path?.place ?? known ?? (label?.place == 0 ? 1 : 0), label?.place ?? usual)
      let place = columns!.path
      let word = place < words.count ? words[place] : nil
      let isFile = word.map { files.isFile($0) || PictureParts.isPicture($0) } ?? false
      let isOther = word.map { !files.isThere($0) && !PictureParts.isPicture($0) } ?? false
      if byName || ListNames.areWords(texts, path: place, isFile: isFile) || isOther {
        header = texts
      } else if columns!.label == nil, words.count > 1 {
        columns!.label = place == 0 ? 1 : 0
      }
      return
    }
    let isFile = split(text, words, isFile: files.isFile) != nil
    if isPicture && !ListNames.areWords(texts, path: 0, isFile: isFile) { return }
    guard let known else {
      let shown = words.map { printable($0) }.joined(separator: ", ")
      throw Failure(
        .data,
        "\(list): line \(line): \(quoted(printable(text))) is no picture, so this is taken for a row of columns' names: "
          + "\(shown): none is known to hold paths: --path-column names it, by its name or its number from 1, and "
          + "--label-column that of labels")
    }
    header = texts
    if words.count > 1 { columns = (known, ListNames.place(of: ListNames.labels, in: texts)) }
  }

  private func columnsRow(_ words: [[UInt8]], _ columns: (path: Int, label: Int?)) throws -> ListRow {
    guard columns.path < words.count else { throw Damage.malformed("has no path in column \(columns.path + 1)") }
    if let header, words.count > header.count {
      throw Damage.malformed(
        "\(words.count) words, but \(header.count) in the first row; names with blanks need tabs or commas between columns"
      )
    }
    return ListRow(path: words[columns.path], label: columns.label.flatMap { $0 < words.count ? words[$0] : nil })
  }

  /// Where a line's path ends: at the line's end, or before a blank. It is the longest part that is a file, or else the
  /// longest that a picture may be called; nil where there is neither.
  /// - Parameter isFile: whether there is a file of a name.
  private func split(_ text: [UInt8], _ words: [[UInt8]], isFile: ([UInt8]) -> Bool) -> Int? {
    // The usual line, for which no file needs to be looked at.
    if words.count == 1, PictureParts.isPicture(text) { return text.count }
    if words.count == 2, PictureParts.isPicture(words[0]), !PictureParts.isPicture(words[1]) { return words[0].count }
    var ends = [text.count]
    for i in text.indices.reversed() where i > 0 && Self.isBlank(text[i]) && !Self.isBlank(text[i - 1]) {
      ends.append(i)
    }
    return ends.first { isFile(Array(text[..<$0])) } ?? ends.first { PictureParts.isPicture(text[..<$0]) }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private mutating func row(_ text: [UInt8], _ words: [[UInt8]]) throws -> ListRow {
    let end = split(text, words, isFile: files.isThere) ?? words[0].count
    let label = trimmed(text[end...])
    if label.contains(where: Self.isBlank) {
      throw Damage.malformed(
        "several words after the path \(printable(text[..<end])): \(printable(label)): which of them is the "
          + "label? Tabs or commas between columns say it, or --label-column")
    }
    return ListRow(path: Array(text[..<end]), label: label.isEmpty ? nil : label)
  }

  /// `Abyssinian_1 1 1 1`: a name without a suffix, and three numbers.
  private static func isPets(_ row: [[UInt8]]) -> Bool {
    row.count == 4 && row[0].contains(UInt8(ascii: "_")) && !row[0].contains(UInt8(ascii: "."))
      && row[1...].allSatisfy { LabelText($0).number != nil }
  }

  private mutating func petsRow(_ row: [[UInt8]]) throws -> ListRow {
    guard Self.isPets(row), let number = LabelText(row[1]).number else {
      throw Damage.malformed("expected NAME_NUMBER and three numbers, as Oxford's Pets has them")
    }
    let breed = Array(row[0][..<row[0].lastIndex(of: UInt8(ascii: "_"))!])
    guard pets[number, default: breed] == breed else {
      throw Damage.malformed(
        "class \(number) is \(printable(breed)), but was \(printable(pets[number]!)) before")
    }
    pets[number] = breed
    return ListRow(path: row[0], label: breed)
  }

  var origin: String { isPets ? "the breeds of \(list)" : list }

  var absence: String {
    header.map {
      "\(list) has no column that is known to hold labels: its columns are \($0.joined(separator: ", ")): --label-column names it"
    }
      ?? "\(list) has a path in each line and nothing behind it"
  }
}
