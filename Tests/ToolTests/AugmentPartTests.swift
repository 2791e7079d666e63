import Foundation
import Schemas
import TensorStream
import Testing

/// --part: the rows of one rank of a run.
@Suite struct AugmentPartTests {
  private func rows(_ path: String) throws -> [[UInt8]] {
    let reader = try StreamReader(path: path, kinds: ["views"])
    var rows: [[UInt8]] = []
    while let record = try reader.next() {
      let tensors = record.tensors.filter { !$0.name.hasPrefix("name.") }
      for row in 0..<record.rows {
        rows.append(
          tensors.flatMap { tensor in
            tensor.tensor.withUnsafeBytes { bytes in
              let size = bytes.count / record.rows
              return Array(bytes[row * size..<(row + 1) * size])
            }
          })
      }
    }
    return rows
  }

  /// 48 pictures in batches of 18: two in an epoch, and twelve rows left over.
  @Test(arguments: ["2G", "20K"]) func partsAreTheBatches(memory: String) throws {
    try ExampleFiles.withCopy { folder in
      let command = "pmae-augment --quiet --size 28 --epochs 2 --shuffle-memory \(memory)"
      let result = try ToolRunner.shell(
        """
        \(command) --output whole.stz images.stz
        for part in 0 1 2; do
          \(command) --rows-per-record 5 --part $part/3 --batch 18 --output part$part.stz images.stz
          \(command) --from 1:7 --part $part/3 --batch 18 --output rest$part.stz images.stz
          pmae-inspect --check part$part.stz >/dev/null
        done
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let whole = try rows(folder + "/whole.stz")
      #expect(whole.count == 96)
      for part in 0..<3 {
        let places = [0, 18, 48, 66].flatMap { $0 + part * 6..<$0 + part * 6 + 6 }
        #expect(try rows("\(folder)/part\(part).stz") == places.map { whole[$0] })
        #expect(try rows("\(folder)/rest\(part).stz") == places.filter { $0 >= 55 }.map { whole[$0] })
      }
    }
  }

  /// One process cannot train on a part.
  @Test func aPartIsForItsRank() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        pmae-augment --quiet --size 28 --part 1/2 --batch 16 images.stz |
          pmae-pretrain \(ReadingTool.smallModel.joined(separator: " ")) --epochs 1 --output out -
        """, in: folder)
      #expect(result.status == 65)
      #expect(
        result.errors.contains("is part 1/2 of batches of 16: expected 0/1 of 16"), "\(result.errors)")
    }
  }

  @Test(arguments: [
    (["--part", "0/2"], "need each other"), (["--batch", "4"], "need each other"),
    (["--part", "2/2", "--batch", "4"], "expected NUMBER/PARTS"),
    (["--part", "0/3", "--batch", "4"], "expected NUMBER"),
    (["--part", "one", "--batch", "4"], "expected NUMBER/PARTS"),
  ])
  func whatIsNoPartIsRefused(options: [String], message: String) throws {
    let result = try ToolRunner.run("pmae-augment", options + ["images.stz"])
    #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
  }

  /// Counted one by one.
  @Test(arguments: [(7, 1, 3), (12, 4, 4), (13, 2, 6), (10, 5, 5)])
  func rowsAreCounted(rows: Int, parts: Int, batch: Int) throws {
    for index in 0..<parts {
      let part = try #require(ViewPart("\(index)/\(parts)", batch: batch))
      for start in 0..<3 * rows {
        for end in start...3 * rows {
          let held = (start..<end).count { part.holds($0 % rows, of: rows) }
          #expect(part.count(in: start..<end, rowsPerEpoch: rows) == held)
        }
      }
    }
  }
}
