// A folder's pictures are decoded once, to check them and to measure mean and deviation, and their bytes are stored as they came.

import Compute
import TensorStream

extension PictureFolder {
  /// What decoding one file told.
  private struct Look: Sendable {
    let stamp: FileStamp
    let height: Int
    let width: Int
    let statistics: PixelStatistics
  }

  /// One thread's memory.
  private final class Workspace {
    let file = Scratch<UInt8>()
    let decoder = PictureDecoder()
  }

  /// Decodes every chosen file completely, on all threads. Throws the failure of the first bad one.
  public func survey(_ chosen: [Int], pool: ThreadPool, progress: (Int) -> Void) throws -> [String: String] {
    var statistics = PixelStatistics(channels: 3)
    var smallest = [Int.max, Int.max]
    var largest = [0, 0]
    let workspaces = (0..<pool.threads).map { _ in Workspace() }
    let batch = 16 * pool.threads
    for start in stride(from: 0, to: chosen.count, by: batch) {
      let part = chosen[start..<min(start + batch, chosen.count)]
      for (index, look) in zip(part, try lookAt(part, pool: pool, workspaces: workspaces)) {
        stamps.known[index] = look.stamp
        statistics.add(look.statistics)
        smallest = [min(smallest[0], look.height), min(smallest[1], look.width)]
        largest = [max(largest[0], look.height), max(largest[1], look.width)]
      }
      progress(part.endIndex)
    }
    return [
      "mean": try JSONText.encode(statistics.mean), "std": try JSONText.encode(statistics.deviation),
      "sizes": try JSONText.encode(["min": smallest, "max": largest]),
    ]
  }

  private func lookAt(_ part: ArraySlice<Int>, pool: ThreadPool, workspaces: [Workspace]) throws -> [Look] {
    var results = [Result<Look, any Error>?](repeating: nil, count: part.count)
    results.withUnsafeMutableBufferPointer { results in
      pool.run(part.count) { task, worker in
        results[task] = Result { try look(at: files[part[part.startIndex + task]], workspaces[worker]) }
      }
    }
    return try results.map { try $0!.get() }
  }

  private func look(at path: FilePath, _ workspace: Workspace) throws -> Look {
    let file = try ByteFile(path)
    let bytes = try file.readAll(into: workspace.file, limit: Self.maximumFileSize)
    let pixels = try workspace.decoder.decode(bytes, name: file.name)
    var statistics = PixelStatistics(channels: 3)
    statistics.add(pixels.base, pixels: pixels.height * pixels.width)
    return Look(stamp: file.stamp, height: pixels.height, width: pixels.width, statistics: statistics)
  }

  /// Records of about a megabyte (so that a reader in random order reads little for each picture), or of `rowsPerRecord` pictures.
  /// Throws `Failure(.data)` where a file is not what the survey saw.
  public func write(_ chosen: [Int], rowsPerRecord: Int?, to writer: StreamWriter, progress: (Int) -> Void) throws {
    let memory = Scratch<UInt8>()
    var start = 0
    while start < chosen.count {
      var bytes: [UInt8] = []
      var offsets: [Int64] = [0]
      var end = start
      while end < chosen.count, rowsPerRecord.map({ end - start < $0 }) ?? (bytes.count < 1 << 20 && end - start < 1024)
      {
        let file = try ByteFile(files[chosen[end]])
        guard file.stamp == stamps.known[chosen[end]] else {
          throw Failure(.data, "\(file.name): changed since it was checked")
        }
        bytes += try file.readAll(into: memory, limit: Self.maximumFileSize)
        offsets.append(Int64(bytes.count))
        end += 1
      }
      try writer.write(
        [
          (name: "image.bytes", tensor: StoredTensor(bytes, shape: [bytes.count])),
          (name: "image.offsets", tensor: StoredTensor(offsets, shape: [offsets.count])),
        ] + labelTensor(chosen[start..<end]))
      start = end
      progress(end)
    }
  }
}
