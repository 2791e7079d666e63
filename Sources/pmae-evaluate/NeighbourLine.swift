import Compute
import Evaluation
import Foundation
import Parallel
import Schemas
import TensorStream

/// What a line of `knn` says beside its figures.
struct NeighbourLine: Decodable, Equatable {
  var encoder: String
  var train: String
  var test: String
  var pool: String
  var scaling: String
  var trainImages: Int
  var k: Int
  var temperature: Double

  enum CodingKeys: String, CodingKey {
    case encoder, train, test, pool, scaling, trainImages = "train_images", k, temperature
  }

  /// The line of all test images.
  func line(_ score: NeighbourScore, _ bootstrap: Bootstrap, threads: ThreadPool) throws -> JSONLine {
    var line = try line(images: score.images)
    for figure in score.figures(bootstrap, threads: threads) { line.add(figure) }
    return line
  }

  /// That of a part of them, with what the figures of all will be made of: of each image, how many classes have more votes than its own;
  /// -1 where that has none.
  func line(_ ranks: [Int], part: SetPart, _ bootstrap: Bootstrap) throws -> JSONLine {
    var line = try line(images: ranks.count)
    try line.add("part", part.text)
    line.add("resamples", bootstrap.resamples)
    try line.add("seed", String(bootstrap.seed))
    line.add("ranks", ranks.map { $0 == .max ? -1 : $0 })
    return line
  }

  private func line(images: Int) throws -> JSONLine {
    var line = JSONLine()
    try line.add("task", "knn")
    try line.add("encoder", encoder)
    try line.add("train", train)
    try line.add("test", test)
    try line.add("pool", pool)
    try line.add("scaling", scaling)
    line.add("train_images", trainImages)
    line.add("images", images)
    line.add("k", k)
    line.add("temperature", temperature)
    return line
  }
}

/// The lines that one job wrote of its part.
struct NeighbourPart {
  struct Line: Equatable {
    let measured: NeighbourLine
    let bootstrap: Bootstrap
    let ranks: [Int]

    /// Whether two are of one measurement.
    func isOne(with other: Line) -> Bool { measured == other.measured && bootstrap == other.bootstrap }
  }

  let name: String
  let part: SetPart
  let lines: [Line]

  private struct Part: Decodable {
    var task: String
    var part: String
    var images: Int
    var resamples: Int
    var seed: String
    var ranks: [Int]
  }

  /// - Throws: `Failure(.noInput)` where it cannot be read, `.data` where it is no such part.
  init(path: String) throws {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw Failure(.noInput, "\(path): cannot be read as text")
    }
    var parts: [SetPart] = []
    lines = try text.split(separator: "\n").enumerated().map { number, line in
      let (place, text) = ("\(path): line \(number + 1)", String(line))
      guard let part = try? JSONText.decode(Part.self, from: text, what: place),
        let measured = try? JSONText.decode(NeighbourLine.self, from: text, what: place), part.task == "knn",
        let own = SetPart(part.part), let seed = UInt64(part.seed), 0...1_000_000 ~= part.resamples,
        part.ranks.count == part.images, part.ranks.allSatisfy({ $0 >= -1 })
      else {
        throw Failure(.data, "\(place): expected what pmae-evaluate knn --part writes, found \(quoted(text))")
      }
      parts.append(own)
      return Line(
        measured: measured, bootstrap: Bootstrap(resamples: part.resamples, seed: seed),
        ranks: part.ranks.map { $0 < 0 ? .max : $0 })
    }
    guard let part = parts.first, parts.allSatisfy({ $0 == part }) else {
      throw Failure(
        .data, "\(path): expected the lines of one part, found \(counted(Set(parts.map(\.text)).count, "part"))")
    }
    (name, self.part) = (path, part)
  }
}
