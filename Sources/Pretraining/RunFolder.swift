import Foundation
import Networks
import TensorStream

/// What a run leaves on disk: `checkpoint.stz`, `metrics.jsonl` and `config.json`.
public struct RunFolder: Sendable {
  public let path: String
  public var checkpoint: String { path + "/checkpoint.stz" }
  public var metrics: String { path + "/metrics.jsonl" }
  public var configuration: String { path + "/config.json" }

  public init(_ path: String) { self.path = path }

  public var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: checkpoint) }

  /// Makes the folder where it is not there.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw Failure(.cannotCreate, "\(path): cannot create the run folder: \(error.localizedDescription)")
    }
  }

  /// Writes a small file whole: beside, then renamed.
  func write(_ text: String, to file: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    } catch {
      throw Failure(.io, "\(file): cannot write: \(error.localizedDescription)")
    }
  }

  /// The log of steps, with the lines of those up to `steps` kept, so that a resumed run's is an unbroken run's.
  func metricsLog(keepingSteps steps: Int) throws -> LineFile {
    var kept = ""
    if steps > 0, let text = try? String(contentsOfFile: metrics, encoding: .utf8) {
      for line in text.split(separator: "\n") {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
          let step = object["step"] as? Int, step <= steps
        else { break }
        kept += line + "\n"
      }
    }
    try write(kept, to: metrics)
    return try LineFile(appendingTo: metrics)
  }
}
