import Compute
import Evaluation
import Foundation
import Networks
import Schemas
import TensorStream
import Testing
import Training

@Suite struct ClassificationTests {
  /// PyTorch's own scores of PyTorch's own logits.
  @Test(arguments: ["class", "mean"])
  func scoresAreThose(of run: String) throws {
    let path =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
      + "/Fixtures/timm/finetune.safetensors"
    let record = try readTensors(path: path)
    let tensor = try #require(record[run + ".logits"])
    let logits = try tensor.values(of: Float.self)
    let labels = try #require(record["label"]).values(of: Int32.self)
    let classes = tensor.shape[1]
    var score = ClassificationScore()
    logits.withUnsafeBufferPointer { logits in
      for (row, label) in labels.enumerated() {
        score.add(
          UnsafeBufferPointer(rebasing: logits[row * classes..<(row + 1) * classes]), label: Int(label))
      }
    }
    let theirs = try #require(record[run + ".scores"]).values(of: Float.self)
    #expect(score.images == labels.count)
    #expect(abs(score.top1 - Double(theirs[0])) < 1e-6)
    #expect(abs(score.top5 - Double(theirs[1])) < 1e-6)
    #expect(abs(score.loss - Double(theirs[2])) < 1e-6)
  }

  private func score(_ logits: [Float], label: Int) -> ClassificationScore {
    var score = ClassificationScore()
    logits.withUnsafeBufferPointer { score.add($0, label: label) }
    return score
  }

  @Test func aModelThatSaysNothingGetsNothingForIt() {
    // All equal: only class 0 is counted as first, and classes 0 to 4 as among five.
    let flat = [Float](repeating: 2, count: 8)
    #expect((0..<8).map { score(flat, label: $0).top1 } == [1, 0, 0, 0, 0, 0, 0, 0])
    #expect((0..<8).map { score(flat, label: $0).top5 } == [1, 1, 1, 1, 1, 0, 0, 0])
    #expect(abs(score(flat, label: 3).loss - log(8)) < 1e-12)
  }

  @Test func largeLogitsDoNotOverflow() {
    #expect(score([3e38, 0], label: 0).loss == 0)
    #expect(score([1000, 0], label: 1).loss == 1000)
  }
}
