import Foundation
import Imaging
import Schemas
import TensorStream
import Testing

/// pmae-inspect --names, and names where pictures are mentioned.
@Suite struct InspectNamesTests {
  /// Photographs of four classes, one of them twice, a black one among them; p.stz and shuffled views v.stz of them.
  private func withPhotos<R>(_ body: (String) throws -> R) throws -> R {
    try ExampleFiles.withCopy { folder in
      let black = Picture(height: 20, width: 24, channels: 3, pixels: [UInt8](repeating: 0, count: 1440))
      try Data(try black.jpeg(name: "black")).write(to: URL(fileURLWithPath: folder + "/photos/bars/a black one.jpg"))
      let made = try ToolRunner.shell(
        """
        cp photos/discs/0.jpg photos/waves/copy.jpg
        pmae-pack --quiet --output p.stz photos
        pmae-augment --quiet --size 28 --views center --seed 3 --shuffle --rows-per-record 4 --output v.stz p.stz
        """, in: folder)
      #expect(made.status == 0, "\(made.errors)")
      return try body(folder)
    }
  }

  private func inspect(_ arguments: String..., in folder: String) throws -> ToolResult {
    try ToolRunner.run("pmae-inspect", arguments, in: folder)
  }

  private func rows(_ text: String) -> [[String]] {
    text.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
  }

  /// The files as find and sort list them; every other stream's rows by its index.
  @Test func everyStreamLeadsBackToTheFile() throws {
    try withPhotos { folder in
      let found = try ToolRunner.shell(
        """
        pmae-finetune --quiet --image 28 --patch 7 --width 16 --depth 1 --heads 2 --epochs 1 --batch 7 --output m.stz v.stz
        pmae-evaluate embed --quiet --output f.stz m.stz v.stz
        pmae-evaluate predict --quiet --output r.stz m.stz v.stz
        cd photos && find . -name '*.jpg' | sed 's,^[.]/,,' | LC_ALL=C sort
        """, in: folder)
      #expect(found.status == 0, "\(found.errors)")
      let files = found.text.split(separator: "\n").map(String.init)
      #expect(files.count == 14)
      func row(_ number: Int, _ file: String) -> [String] { [String(number), file, String(file.prefix { $0 != "/" })] }
      let images = try inspect("--names", "p.stz", in: folder)
      #expect(images.status == 0 && images.errors.isEmpty, "\(images.errors)")
      #expect(rows(images.text) == files.enumerated().map(row))

      let index = try inspect("--tensor", "index", "v.stz", in: folder).text.split(separator: "\n").compactMap {
        Int($0)
      }
      #expect(index.sorted() == Array(0..<14) && index != Array(0..<14))
      let expected = index.enumerated().map { row($0, files[$1]) }
      for stream in ["v.stz", "f.stz"] {
        let listed = try inspect("--names", stream, in: folder)
        #expect(rows(listed.text) == expected, "\(stream) \(listed.errors)")
        let pipe = try ToolRunner.shell("cat \(stream) | pmae-inspect --names", in: folder)
        #expect(pipe.text == listed.text && pipe.status == 0)
      }
      // Of predictions, also the class that is most probable.
      let predicted = rows(try inspect("--names", "r.stz", in: folder).text)
      #expect(predicted.map { Array($0.prefix(3)) } == expected)
      let classes = try inspect("--tensor", "prediction", "--rows", "all", "r.stz", in: folder).text
      let names = ["bars", "discs", "squares", "waves"]
      #expect(predicted.map { $0[3] } == rows(classes).compactMap { Int($0[0]).map { names[$0] } })
    }
  }

  @Test(arguments: [("3", 3...3), ("2-9", 2...9), ("12-", 12...13), ("all", 0...13)])
  func someRows(range: String, rows: ClosedRange<Int>) throws {
    try withPhotos { folder in
      let all = try inspect("--names", "v.stz", in: folder).text.split(separator: "\n")
      let file = try inspect("--names", "--rows", range, "v.stz", in: folder)
      #expect(file.status == 0 && file.text.split(separator: "\n") == Array(all[rows]), "\(file.errors)")
      let pipe = try ToolRunner.shell("cat v.stz | pmae-inspect --names --rows \(range) -", in: folder)
      #expect(pipe.text == file.text, "\(pipe.errors)")
    }
  }

  /// A pipe is read no further than it has to be, and one that is cut is no short one.
  @Test func aPipeThatIsCut() throws {
    try withPhotos { folder in
      let size = try Data(contentsOf: URL(fileURLWithPath: folder + "/v.stz")).count
      let some = try ToolRunner.shell("head -c \(size / 2) v.stz | pmae-inspect --names --rows 0-3", in: folder)
      #expect(some.status == 0 && rows(some.text).count == 4, "\(some.errors)")
      let all = try ToolRunner.shell("head -c \(size / 2) v.stz | pmae-inspect --names", in: folder)
      #expect(all.status == 65 && all.errors.contains("input ends without an end record"), "\(all.errors)")
    }
  }

  @Test func whatHasNoNamesIsAnErrorThatSaysSo() throws {
    try withPhotos { folder in
      try Sample.images(folder + "/old.stz")
      try Sample.safetensors(folder + "/plain.safetensors")
      for (arguments, message) in [
        (["old.stz"], "old.stz: record 1: its rows have no names (name.bytes, name.offsets)"),
        (["encoder.stz"], "encoder.stz: holds weights: images, views, features and predictions have names"),
        (["plain.safetensors"], "plain.safetensors: a safetensors file, whose rows have no names"),
        (["--rows", "9-14", "p.stz"], "p.stz: has 14 rows, counted from 0: there is no row 14"),
        (["--rows", "20", "v.stz"], "v.stz: has 14 rows, counted from 0: there is no row 20"),
        (["nowhere.stz"], "nowhere.stz: No such file"),
      ] {
        let result = try ToolRunner.run("pmae-inspect", ["--names"] + arguments, in: folder)
        #expect(result.status == (message.contains("No such") ? 66 : 65))
        #expect(result.errors.contains(message), "\(result.errors)")
      }
      // One bad file does not hide the others.
      let both = try inspect("--names", "old.stz", "p.stz", in: folder)
      #expect(both.status == 65 && rows(both.text).count == 14)
    }
  }

  @Test(arguments: [["--names", "--json", "a"], ["--names", "--tensor", "x", "a"], ["--names", "--statistics", "a"]])
  func whatDoesNotGoTogether(arguments: [String]) throws {
    #expect(try ToolRunner.run("pmae-inspect", arguments).status == 64)
  }

  /// Names of any bytes: one line each, no two alike, and nothing that drives a terminal.
  @Test func oddNames() throws {
    try ToolRunner.withTemporaryFolder { folder in
      var names = RowNames()
      for name in [Array("a\tb\nc\\".utf8), [0x66, 0xFF], Array("\u{1B}[2J\u{9B}\u{202E}é".utf8), []] {
        names.append(name)
      }
      let writer = try StreamWriter(path: folder + "/x.stz", kind: "images", metadata: ["classes": #"["a\tb"]"#])
      try writer.write(
        [
          ("pixels", StoredTensor([UInt8](repeating: 9, count: 16), shape: [4, 2, 2, 1])),
          ("label", StoredTensor([Int32(0), 1, -1, 0], shape: [4])),
        ] + names.tensors)
      try writer.finish()
      let result = try inspect("--names", "x.stz", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        rows(result.text) == [
          ["0", #"a\tb\nc\\"#, #"a\tb"#], ["1", #"f\xff"#, "1"], ["2", #"\x1b[2J\xc2\x9b\xe2\x80\xaeé"#, "-"],
          ["3", "-", #"a\tb"#],
        ])
    }
  }

  @Test func statisticsNamePictures() throws {
    try withPhotos { folder in
      let file = try inspect("--statistics", "p.stz", in: folder)
      #expect(file.text.contains("\n                 rows 4 (discs/0.jpg), 13 (waves/copy.jpg)\n"), "\(file.text)")
      #expect(file.text.contains("\n                 rows 3 (bars/a black one.jpg)\n"), "\(file.text)")
      let json = try ToolRunner.shell("cat p.stz | pmae-inspect --statistics --json", in: folder)
      let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
      func names(_ key: String) -> Any? { (object[key] as? [String: Any])?["names"] }
      #expect(names("duplicates") as? [[String]] == [["discs/0.jpg", "waves/copy.jpg"]])
      #expect(names("near_black") as? [String] == ["bars/a black one.jpg"])
      #expect(names("plain") as? [String] == ["bars/a black one.jpg"])
    }
  }

  /// A look's captions: the same picture but for them.
  @Test func aLookNamesPictures() throws {
    try ExampleFiles.withCopy { folder in
      let reader = try StreamReader(path: folder + "/views.stz")
      let writer = try StreamWriter(path: folder + "/plain.stz", kind: "views", metadata: reader.header.metadata)
      while let record = try reader.next() {
        try writer.write(record.tensors.filter { !$0.name.hasPrefix("name.") })
      }
      try writer.finish()
      let sheets = try ["views", "plain"].map { name in
        let result = try inspect("--look", "--rows", "0-1", "run", "\(name).stz", "\(name).jpg", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).jpg")).withUnsafeBytes {
          try ImageFile.decode($0, name: name)
        }
      }
      #expect(sheets[0].width == sheets[1].width && sheets[0].height == sheets[1].height)
      let size = sheets[0].width * 3
      let different = (0..<sheets[0].height).filter {
        sheets[0].pixels[$0 * size..<($0 + 1) * size] != sheets[1].pixels[$0 * size..<($0 + 1) * size]
      }
      // A line of letters above each of the two images, and what JPEG's blocks of 16 spread.
      #expect(!different.isEmpty && different.count <= 2 * 32, "\(different)")
    }
  }
}
