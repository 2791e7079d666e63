import Foundation
import TensorStream

/// What a training run leaves on disk: `checkpoint.stz`, some older ones, `metrics.jsonl` and `config.json`.
///
///     let folder = RunFolder("run/mine")
///     try folder.create()
///     let log = try folder.metricsLog(keepingSteps: 0)
///     try log.write("{\"step\":1}")
public struct RunFolder: Sendable {
  public let path: String
  /// The newest checkpoint.
  public var checkpoint: String { path + "/checkpoint.stz" }
  public var metrics: String { path + "/metrics.jsonl" }
  public var configuration: String { path + "/config.json" }
  /// Held by the process that writes the run; hidden, since it says nothing of the run.
  var lock: String { path + "/.lock" }

  public init(_ path: String) { self.path = path }

  public var exists: Bool { FileManager.default.fileExists(atPath: path) }

  /// Throws `Failure` where no folder can have this name: it is empty, or a file's.
  func requireFolderName() throws {
    if path.isEmpty { throw Failure(.usage, "the run folder has an empty name") }
    if exists && !isFolder(path) {
      throw Failure(.cannotCreate, "\(path): is a file: expected a run folder, or a name that nothing has")
    }
  }

  /// Makes the folder where it is not there.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace
      throw Failure(
        isFull ? .io : .cannotCreate, "\(path): cannot create the run folder: \(error.localizedDescription)")
    }
  }

  /// Writes a small file whole: beside, brought to disk, then renamed.
  public func write(_ text: String, to file: String) throws {
    try writeWholeFile(Array(text.utf8), path: file, overwrite: true)
  }

  /// The log of steps, with the lines of those up to `steps` kept, so that a resumed run's is an unbroken run's.
  public func metricsLog(keepingSteps steps: Int) throws -> LineFile {
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

  /// Removes half-written files that a killed process left. Only the holder of the lock may do so.
  func removeUnfinished() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasSuffix(".partial") {
      if [checkpoint, metrics, configuration].contains(where: {
        name.hasPrefix(".\(($0 as NSString).lastPathComponent).")
      }) {
        unlink("\(path)/\(name)")
      }
    }
  }
}
