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
}

/// metrics.jsonl: a JSON line a step, appended as it comes.
final class MetricsLog {
  private let path: String
  private let descriptor: Int32

  /// Keeps the lines of steps up to `steps`, so that a resumed run's log is an unbroken run's.
  init(_ folder: RunFolder, keepingSteps steps: Int) throws {
    path = folder.metrics
    var kept = ""
    if steps > 0, let text = try? String(contentsOfFile: path, encoding: .utf8) {
      for line in text.split(separator: "\n") {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
          let step = object["step"] as? Int, step <= steps
        else { break }
        kept += line + "\n"
      }
    }
    try folder.write(kept, to: path)
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    if descriptor < 0 { throw Failure(.cannotCreate, "\(path): \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  func append(_ line: String) throws {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      if written <= 0 { throw Failure(.io, "\(path): cannot write: \(String(cString: strerror(errno)))") }
      bytes = bytes.dropFirst(written)
    }
  }
}
