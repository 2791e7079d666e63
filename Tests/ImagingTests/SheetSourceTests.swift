import Imaging
import Schemas
import TensorStream
import Testing

/// What is said of each cell of a contact sheet.
@Suite struct SheetSourceTests {
  private func names(_ texts: [String]) -> [NamedTensor] {
    var names = RowNames()
    for text in texts { names.append(Array(text.utf8)) }
    return names.tensors
  }

  private func cells(
    kind: String, _ metadata: [String: String], _ tensors: [NamedTensor], rows: Range<Int>
  ) throws -> [(title: String, cells: [ContactSheet.Cell])] {
    let header = Record(metadata: metadata.merging(["kind": kind]) { $1 })
    let source = try SheetSource(header: header, name: "x.stz")
    return try source.cells(of: Record(tensors: tensors), rows: rows, number: 2, firstRow: 10, side: 8)
  }

  @Test func imagesAreNamed() throws {
    let pixels: [NamedTensor] = [
      ("pixels", StoredTensor([UInt8](repeating: 9, count: 96), shape: [3, 4, 8, 1])),
      ("label", StoredTensor([Int32(1), 0, 7], shape: [3])),
    ]
    let long = String(repeating: "folder/", count: 500) + "end.jpg"
    let classes = ["classes": #"["cat","dog"]"#]
    let named = try cells(kind: "images", classes, pixels + names(["dog/1.jpg", "", long]), rows: 0..<3)
    let captions = named.map { $0.cells[0].caption }
    #expect(captions[0] == "10 dog/1.jpg dog 8x4")
    #expect(captions[1] == "11 cat 8x4")
    // The end of a long path tells more than its beginning.
    #expect(captions[2].hasPrefix("12 ...") && captions[2].hasSuffix("folder/end.jpg 7 8x4") && captions[2].count == 73)
    let plain = try cells(kind: "images", classes, pixels, rows: 1..<2)
    #expect(plain.map { $0.cells[0].caption } == ["11 cat 8x4"])
  }

  @Test func viewsAreNamed() throws {
    let views: [NamedTensor] = [("center", StoredTensor([UInt8](repeating: 9, count: 96), shape: [2, 4, 4, 3]))]
    let index: NamedTensor = ("index", StoredTensor([Int64(5), 3], shape: [2]))
    let label: NamedTensor = ("label", StoredTensor([Int32(0), 0], shape: [2]))
    let metadata = ["recipes": #"["center"]"#, "classes": #"["cat"]"#]
    func titles(_ tensors: [NamedTensor]) throws -> [String] {
      try cells(kind: "views", metadata, views + tensors, rows: 0..<2).map(\.title)
    }
    #expect(
      try titles([index, label] + names(["cat/5.jpg", ""])) == [
        "row 10, image 5 (cat/5.jpg), cat", "row 11, image 3, cat",
      ])
    #expect(try titles(names(["cat/5.jpg", "b"])) == ["row 10, cat/5.jpg", "row 11, b"])
    #expect(try titles([index]) == ["row 10, image 5", "row 11, image 3"])
    #expect(throws: Failure.self) { try titles(names(["of one row"])) }
  }
}
