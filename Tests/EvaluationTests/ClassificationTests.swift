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

  @Test func predictionsAreInOrder() {
    // Of equal logits the lower class is first, also where the last place is between them.
    #expect(Prediction(logits: [1, 3, 2, 3, 2, 0], top: 6).classes == [1, 3, 2, 4, 0, 5])
    #expect(Prediction(logits: [1, 3, 2, 3, 2, 0], top: 3).classes == [1, 3, 2])
    #expect(Prediction(logits: [0, 0, 0], top: 1) == Prediction(logits: [0, -0.0, 0], top: 1))
    let even = Prediction(logits: [5, 5, 5, 5], top: 4).probabilities
    #expect(even == [0.25, 0.25, 0.25, 0.25])
    // Softmax over all classes, those that are left out included; nothing overflows.
    let some = Prediction(logits: [1000, 1000 - Float(2), 1000 - Float(1)], top: 2)
    let sum = 1 + exp(-1.0) + exp(-2.0)
    #expect(some.classes == [0, 2])
    #expect(abs(some.probabilities[0] - 1 / sum) < 1e-15 && abs(some.probabilities[1] - exp(-1.0) / sum) < 1e-15)
    #expect(Prediction(logits: [-3e38, 3e38], top: 2).probabilities == [1, 0])
    #expect(Prediction(logits: [7], top: 1) == Prediction(logits: [-7], top: 1))
  }

  /// Against a full sort, of many classes with many equals.
  @Test func predictionsAreThoseOfASort() {
    let logits = (0..<500).map { Float($0 * 7919 % 83) }
    let sorted = logits.indices.sorted { logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1] }
    for top in [1, 5, 83, 500] {
      #expect(Prediction(logits: logits, top: top).classes == sorted.prefix(top).map { Int32($0) })
    }
  }

  @Test func classNamesOfTwoSources() {
    #expect(ClassNames.merged(nil, nil) == nil)
    #expect(ClassNames.merged(["a"], nil) == ["a"] && ClassNames.merged(nil, ["b"]) == ["b"])
    #expect(ClassNames.merged(["0", "b"], ["a", "1", "c"]) == ["a", "b", "c"])
    #expect(ClassNames.text(-1, in: ["a"]) == nil)
    #expect(ClassNames.text(0, in: ["a"]) == "a")
    #expect(ClassNames.text(1, in: ["a"]) == "1" && ClassNames.text(3, in: nil) == "3")
  }
}
