import Foundation
import TensorStream
import Testing

/// --from and --resume: the rest of a stream is the rest of the bits.
@Suite struct AugmentStartTests {
  /// All rows of a stream, tensor by tensor; but for names, whose lengths differ: see PackNamesTests.
  private func contents(_ path: String) throws -> [String: [UInt8]] {
    let reader = try StreamReader(path: path, kinds: ["views"])
    var bytes: [String: [UInt8]] = [:]
    while let record = try reader.next() {
      for (name, tensor) in record.tensors where !name.hasPrefix("name.") {
        tensor.withUnsafeBytes { bytes[name, default: []].append(contentsOf: $0) }
      }
    }
    return bytes
  }

  private static let model =
    "--image 28 --patch 7 --width 12 --depth 1 --heads 3 --decoder-width 8 --decoder-depth 1 --decoder-heads 2 "
    + "--head-hidden 8 --head-bottleneck 4 --prototypes 6 --batch 16 --epochs 3 --quiet"

  @Test(arguments: ["2G", "20K"]) func fromGivesTheRest(memory: String) throws {
    try ExampleFiles.withCopy { folder in
      // Several records, of about four kilobytes each.
      let packed = try ToolRunner.shell(
        "pmae-pack --quiet --rows-per-record 5 --labels train-labels-idx1-ubyte.gz --output small.stz train-images-idx3-ubyte.gz",
        in: folder)
      #expect(packed.status == 0, "\(packed.errors)")
      let command = "pmae-augment small.stz --epochs 3 --rows-per-record 24 --quiet --shuffle-memory \(memory)"
      let made = try ToolRunner.shell("\(command) --output whole.stz", in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let whole = try contents(folder + "/whole.stz")
      let rows = try IndexedStream(path: folder + "/whole.stz").rows
      for (epoch, row) in [(0, 0), (0, 7), (1, 0), (1, 24), (2, rows / 3 - 1), (2, rows / 3)] {
        let result = try ToolRunner.shell(
          "\(command) --from \(epoch):\(row) --threads 1 --overwrite --output rest.stz", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let rest = try contents(folder + "/rest.stz")
        let skipped = epoch * (rows / 3) + row
        for (name, bytes) in whole {
          #expect(rest[name] ?? [] == Array(bytes[(bytes.count / rows * skipped)...]), "\(name) from \(epoch):\(row)")
        }
      }
    }
  }

  /// A run that stops in the second epoch, and goes on with the rest of the views, ends in the bits of an unbroken one.
  @Test func resumeGivesARunWhatItHasNotRead() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        augment() { pmae-augment images.stz --size 28 --epochs 3 --quiet "$@"; }
        pretrain() { pmae-pretrain \(Self.model) "$@" -; }
        augment | pretrain --output whole
        rows=$(pmae-inspect --tensor label --rows all images.stz | wc -l)
        steps=$((rows / 16 + 1))
        augment --resume broken | pretrain --resume --steps $steps --output broken || true
        augment --resume broken --output rest.stz
        pretrain --resume --output broken < rest.stz
        augment --resume broken | pretrain --resume --output broken
        cut -d, -f1-7 whole/metrics.jsonl > a
        cut -d, -f1-7 broken/metrics.jsonl > b
        cmp a b
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let whole = try readTensors(path: folder + "/whole/checkpoint.stz")
      let broken = try readTensors(path: folder + "/broken/checkpoint.stz")
      #expect(whole.tensors.count == broken.tensors.count)
      for (a, b) in zip(whole.tensors, broken.tensors) {
        #expect(a.name == b.name)
        #expect(a.tensor.withUnsafeBytes { a in b.tensor.withUnsafeBytes { a.elementsEqual($0) } }, "\(a.name)")
      }
      // The rest began where the checkpoint was, in the second epoch.
      let metadata = try StreamReader(path: folder + "/rest.stz").header.metadata
      #expect(metadata["first_epoch"] == "1" && metadata["first_row"] == "16" && metadata["epochs"] == "2")
    }
  }

  /// A reader that stands still holds the tool where it is: the memory of a pipe that nobody empties does not grow.
  @Test func aSlowReaderCostsNoMemory() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        mkfifo pipe
        pmae-augment images.stz --epochs 100000 --size 64 --quiet > pipe &
        exec 3< pipe
        head -c 2000000 <&3 > /dev/null
        sleep 2; grep VmRSS /proc/$!/status | tr -dc 0-9; echo
        sleep 3; grep VmRSS /proc/$!/status | tr -dc 0-9; echo
        exec 3<&-
        wait $! || echo $?
        """, in: folder)
      let numbers = result.text.split(separator: "\n").compactMap { Int($0) }
      #expect(numbers.count == 3 && numbers.last == 141, "\(result.text) \(result.errors)")
      // In kilobytes: less than the three records, of eight megabytes each, that may be on their way.
      if numbers.count == 3 { #expect(numbers[1] - numbers[0] < 32_768) }
    }
  }
}
