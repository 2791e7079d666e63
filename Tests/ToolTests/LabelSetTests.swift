import Foundation
import Imaging
import Schemas
import TensorStream
import Testing

/// Pictures of several classes at once, from a list to a measured model.
@Suite struct LabelSetTests {
  /// Names that are one number stand in the order of their letters, in every process.
  @Test func classesHaveOneOrder() {
    let sets = LabelSets(labels: ["+1|2", "1", "2|01", ""], separator: "|")
    #expect(sets.names == ["+1", "01", "1", "2"])
    #expect(sets.members == [[0, 3], [2], [1, 3], []])
  }

  /// A folder with pictures that are bright, red and striped, or none of it, and `list.csv`, `list.jsonl` of them.
  private func prepared(_ body: (String) throws -> Void) throws {
    try ToolRunner.withTemporaryFolder { folder in
      var (rows, objects) = (["path,label"], [String]())
      for number in 0..<48 {
        let kinds = ["bright", "red", "striped"].enumerated().filter { number >> $0.offset & 1 == 1 }.map(\.element)
        var pixels: [UInt8] = []
        for place in 0..<400 {
          let base = 60 + (kinds.contains("bright") ? 100 : 0) + number % 7
          let line = kinds.contains("striped") && place / 20 % 4 < 2 ? 40 : 0
          pixels += [UInt8(base + line + (kinds.contains("red") ? 50 : 0)), UInt8(base + line), UInt8(base + line)]
        }
        let picture = Picture(height: 20, width: 20, channels: 3, pixels: pixels)
        try Data(try picture.jpeg(name: "made")).write(to: URL(fileURLWithPath: "\(folder)/\(number).jpg"))
        // In any order, with blanks or without; the separator alone is no class.
        let shown =
          kinds.count > 1 && number > 24 ? kinds.reversed().joined(separator: " | ") : kinds.joined(separator: "|")
        rows.append("\(number).jpg,\(shown.isEmpty ? "|" : shown)")
        objects.append(#"{"path":"\#(number).jpg","label":["\#(kinds.joined(separator: #"",""#))"]}"#)
      }
      try rows.joined(separator: "\n").write(toFile: folder + "/list.csv", atomically: true, encoding: .utf8)
      try objects.joined(separator: "\n").replacingOccurrences(of: #"[""]"#, with: "[]").write(
        toFile: folder + "/list.jsonl", atomically: true, encoding: .utf8)
      try body(folder)
    }
  }

  private func line(_ text: String) throws -> [String: Any] {
    let first = text.split(separator: "\n").first ?? ""
    return try #require(try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
  }

  /// A figure of nothing has no value, and its line is JSON.
  @Test func aMeasureOfNoClassIsNull() throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --quiet --label-separator '|' --output a.stz list.csv
        pmae-pack --quiet --label-separator '|' --limit 1 --output none.stz list.csv
        pmae-augment --quiet --views center --size 20 --output center.stz a.stz
        pmae-augment --quiet --views center --size 20 --mean 0.5,0.5,0.5 --std 0.2,0.2,0.2 --output none.center.stz none.stz
        pmae-finetune --quiet --image 20 --patch 5 --width 8 --depth 1 --heads 1 --batch 12 --output m.stz center.stz
        pmae-evaluate classify --quiet --resamples 0 m.stz none.center.stz >m.json
        pmae-evaluate table --rows file --value map --value images m.json
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let found = try line(String(contentsOfFile: folder + "/m.json", encoding: .utf8))
      #expect(found["map"] is NSNull && found["images"] as? Int == 1, "\(found)")
    }
  }

  /// From the list on a model learns what is in a picture, in either mode, and is measured by mAP.
  @Test func setsAreLearntAndMeasured() throws {
    try prepared { folder in
      let result = try ToolRunner.shell(
        """
        pmae-pack --label-separator '|' --output a.stz list.csv
        pmae-pack --quiet --label-separator '|' --output b.stz list.jsonl
        pmae-augment --quiet --views center --size 20 --output center.stz a.stz
        pmae-augment --quiet --views center --size 20 --output other.stz b.stz
        pmae-augment --quiet --view 'name=simple: crop 0.5-1, flip' --size 20 --epochs 40 --output train.stz a.stz
        pmae-finetune --quiet --image 20 --patch 5 --width 24 --depth 1 --heads 2 --batch 12 --lr 0.01 --drop-path 0 \
          --label-smoothing 0 --output m.stz --metrics m.jsonl train.stz
        pmae-finetune --quiet --mode linear --init m.stz --batch 12 --epochs 60 --lr 0.03 --output p.stz center.stz
        pmae-evaluate classify --quiet --resamples 50 --also classes m.stz center.stz >m.json
        pmae-evaluate classify --quiet --resamples 0 --report p.html p.stz other.stz >p.json
        pmae-augment --quiet --views center --size 20 --no-labels a.stz | pmae-evaluate predict --quiet --output m.tsv m.stz -
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("48 pictures of 12 sets of classes"), "\(result.errors)")
      let found = try ["m.json", "p.json"].map { try line(String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)) }
      let m = found[0]
      #expect(m["classes"] as? Int == 3)
      for line in found { #expect(line["map"] as? Double ?? 0 > 0.8, "\(line)") }
      #expect(m["map_low"] is Double && m["exact"] is Double && m["micro_f1"] is Double)
      let more = try String(contentsOfFile: folder + "/m.json", encoding: .utf8).split(separator: "\n").dropFirst()
      #expect(more.count == 3 && more.allSatisfy { $0.contains("\"images\":24") && $0.contains("\"ap\":") })
      let page = try String(contentsOfFile: folder + "/p.html", encoding: .utf8)
      for text in ["mean average precision", "binary cross-entropy", "sets that are right as a whole", ">striped<"] {
        #expect(page.contains(text), "\(text)")
      }
      let model = try readTensors(path: folder + "/m.stz")
      #expect(model.metadata["classes"] == #"["bright","red","striped"]"#)
      #expect(model.metadata["config"]?.contains(#""sigmoid":true"#) == true)
      #expect(try !String(contentsOfFile: folder + "/m.jsonl", encoding: .utf8).contains("accuracy"))
      // Probabilities of their own do not add up to 1.
      let row = try String(contentsOfFile: folder + "/m.tsv", encoding: .utf8).split(separator: "\n")[48].split(
        separator: "\t")
      #expect([4, 6, 8].compactMap { Double(row[$0]) }.reduce(0, +) > 1.5, "\(row)")
    }
  }

  @Test(arguments: [
    ("pmae-pack --label-separator '' --output x.stz list.csv", 64, "--label-separator is empty"),
    (
      "pmae-pack --label-separator '|' --class-names a,b --output x.stz list.csv", 64,
      "--label-separator and --class-names exclude each other"
    ),
    ("pmae-pack --label-separator e --output x.stz list.jsonl", 65, "has the separator \"e\" in it: choose another"),
    ("pmae-pack --output x.stz list.jsonl", 65, "its label is a list"),
    ("pmae-augment --merge-classes --size 20 a.stz one.stz --output x.stz", 65, "one class for a label"),
    (
      "pmae-finetune --image 20 --patch 5 --width 8 --depth 1 --heads 2 --loss cross-entropy --output x.stz v.stz", 64,
      "v.stz: its labels are sets of classes: --loss bce"
    ),
    ("pmae-finetune --image 20 --patch 5 --width 8 --depth 1 --heads 2 --classes 2 --output x.stz v.stz", 64, "has 3"),
    ("pmae-evaluate knn m.stz v.stz v.stz", 65, "v.stz: its labels are sets of classes"),
    ("pmae-evaluate predict --output x.stz m.stz v.stz", 65, "v.stz: its labels are sets of classes"),
    ("pmae-evaluate classify --also bins m.stz v.stz", 64, "need one class a row"),
  ])
  func whatCannotBeIsAnError(command: String, status: Int32, message: String) throws {
    try prepared { folder in
      let made = try ToolRunner.shell(
        """
        pmae-pack --quiet --label-separator '|' --output a.stz list.csv
        sed 's/[ |].*//; s/,$/,none/' list.csv >one.csv
        pmae-pack --quiet --output one.stz one.csv
        pmae-augment --quiet --views center --size 20 --output v.stz a.stz
        pmae-finetune --quiet --image 20 --patch 5 --width 8 --depth 1 --heads 2 --output m.stz v.stz
        """, in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let result = try ToolRunner.shell(command, in: folder)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/x.stz"))
    }
  }
}
