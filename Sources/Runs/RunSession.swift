import Foundation
import TensorStream

/// A run folder in the hands of one process. A trainer does this before its first step, in an order that loses nothing.
///
/// 1. `init`: a folder that is there is locked, and one that holds a run is refused unless the run goes on or starts again.
/// 2. `checkpoint`: what the run goes on from.
/// 3. `begin`: the folder is made, locked if it was not, and looked at a second time.
///
///     let session = try RunSession("run/mine", resumes: true, overwrites: false, note: { print($0) })
///     let checkpoint = try session.checkpoint()
///     try session.begin()
///     print(checkpoint == nil ? "begins" : "goes on", session.folder.checkpoint)
public final class RunSession {
  public let folder: RunFolder
  private let resumes: Bool
  private let overwrites: Bool
  private let writes: Bool
  private let note: (String) -> Void
  private var lock: RunLock?

  /// - Parameters:
  ///   - resumes: whether a run that is there goes on.
  ///   - overwrites: whether it starts again.
  ///   - writes: whether this process writes the run; false for one that only computes a part of it, and locks nothing.
  ///   - note: told of what a person should know, a line each.
  /// - Throws: `Failure(.cannotCreate)` where the folder is in use, or holds a run that may not be touched.
  public init(_ path: String, resumes: Bool, overwrites: Bool, writes: Bool = true, note: @escaping (String) -> Void)
    throws
  {
    folder = RunFolder(path)
    (self.resumes, self.overwrites, self.writes, self.note) = (resumes, overwrites, writes, note)
    try folder.requireFolderName()
    if !writes { return }
    if folder.exists { try acquire() }
    if folder.hasCheckpoint && !resumes && !overwrites {
      throw Failure(
        .cannotCreate, "\(folder.path): holds a run: --resume continues it, --overwrite starts it again")
    }
  }

  /// The newest checkpoint that is whole, where the run goes on; nil for a run that begins. It is as large as the run
  /// itself: release it once it is read.
  public func checkpoint() throws -> CheckpointFile? {
    resumes ? try folder.newestCheckpoint(onDamage: note) : nil
  }

  /// Makes the folder and holds it.
  /// - Throws: `Failure(.cannotCreate)` where it cannot be made, or another process has begun a run there meanwhile.
  public func begin() throws {
    if !writes { return }
    try folder.create()
    if lock != nil { return }
    try acquire()
    if folder.hasCheckpoint && !overwrites {
      throw Failure(.cannotCreate, "\(folder.path): another process has begun a run there meanwhile")
    }
  }

  private func acquire() throws {
    let lock = try RunLock(folder)
    if let text = lock.unavailable { note(text) }
    self.lock = lock
  }
}
