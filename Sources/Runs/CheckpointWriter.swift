import Foundation
import Schemas
import Synchronization
import TensorStream

/// Writes a run's checkpoints, and keeps as many as the policy says.
///
/// A checkpoint is compressed and handed to the system at once, since the weights change with the next step. Bringing
/// it to disk and naming it goes on behind, while the run trains. Once the folder has had a checkpoint, it holds a
/// whole one at every moment:
///
/// 1. The new checkpoint is written beside the last one.
/// 2. The last one also gets the name of an older one (a hard link).
/// 3. The new one takes its place.
/// 4. Checkpoints that are not kept are removed.
///
/// Where the file system has no links, the last one is renamed, and `newestCheckpoint` finds it by that name if nothing
/// follows.
///
/// Not for use by several threads at once.
public final class CheckpointWriter {
  private let folder: RunFolder
  private let policy: CheckpointPolicy
  private let stepsPerEpoch: Int
  private let isFresh: Bool
  /// The step of the whole checkpoint that has the newest one's name.
  public private(set) var lastStep: Int?
  private var lastTime = ContinuousClock.now
  private let queue = DispatchQueue(label: "checkpoint")
  private let failure = FailureBox()
  /// How many were written, and the seconds that the run stood still for it.
  public private(set) var count = 0
  public private(set) var seconds = 0.0

  /// - Parameters:
  ///   - start: the checkpoint that the run goes on from; nil for a fresh run, whose first checkpoint replaces all that are there.
  public init(_ folder: RunFolder, policy: CheckpointPolicy, stepsPerEpoch: Int, from start: CheckpointFile.Place?) {
    self.folder = folder
    self.policy = policy
    self.stepsPerEpoch = stepsPerEpoch
    isFresh = start == nil
    // A damaged one gets no second name.
    guard let start, start.path == folder.checkpoint else { return }
    lastStep = start.steps
    // Removes what a process left that was killed right after its checkpoint.
    Self.prune(folder, policy, stepsPerEpoch, newest: start.steps)
  }

  deinit { queue.sync {} }

  /// Whether one is due after a step that is not the last of an epoch.
  public func isDue(after step: Int) -> Bool {
    switch policy.interval {
    case .steps(let steps): step % steps == 0
    // A clock that nobody can set.
    case .seconds(let seconds): ContinuousClock.now - lastTime >= .seconds(seconds)
    }
  }

  /// Writes one. It has its name when `wait()` returns.
  /// - Parameter log: brought to disk before, so that it never holds less than the checkpoint.
  /// - Throws: `Failure(.io)` where the disk does not take it, or did not take the one before; that one's predecessor is intact.
  public func write(step: Int, metadata: [String: String], tensors: [NamedTensor], log: LineFile) throws {
    let start = ContinuousClock.now
    try wait()
    try log.sync()
    let file = try StreamWriter.prepareOneRecord(
      path: folder.checkpoint, kind: StreamKind.checkpoint.rawValue, metadata: metadata, tensors: tensors,
      overwrite: true,
      level: Self.level)
    let previous = lastStep == step ? nil : lastStep
    let removesAll = isFresh && count == 0
    queue.async { [folder, policy, stepsPerEpoch, failure] in
      let result = Result {
        try file.commit {
          if removesAll {
            for old in folder.olderCheckpoints { unlink(old.path) }
          } else if let previous, Self.keeps(previous, place: 1, policy, stepsPerEpoch) {
            try folder.giveOlderName(step: previous)
          }
        }
        Self.prune(folder, policy, stepsPerEpoch, newest: step)
      }
      if case .failure(let error) = result { failure.set(error) }
    }
    lastStep = step
    count += 1
    lastTime = ContinuousClock.now
    seconds += (lastTime - start) / .seconds(1)
  }

  /// Waits until the last one is on disk under its name.
  /// - Throws: `Failure` where it could not be brought there.
  public func wait() throws {
    queue.sync {}
    if let error = failure.error { throw error }
  }

  /// Throws what has gone wrong behind, without waiting for what has not.
  public func check() throws {
    if let error = failure.error { throw error }
  }

  /// Random mantissas hardly compress, so this is a fast level. Only zstd's checksum is wanted.
  private static let level = -5

  /// - Parameter place: how many are newer.
  private static func keeps(_ step: Int, place: Int, _ policy: CheckpointPolicy, _ stepsPerEpoch: Int) -> Bool {
    if place < policy.keep { return true }
    guard let every = policy.keepEvery else { return false }
    return step > 0 && step.isMultiple(of: every * stepsPerEpoch)
  }

  private static func prune(_ folder: RunFolder, _ policy: CheckpointPolicy, _ stepsPerEpoch: Int, newest: Int) {
    var place = 1
    for old in folder.olderCheckpoints {
      // A checkpoint of a later step is from before the run went back, since a checkpoint was damaged.
      if old.step < newest && keeps(old.step, place: place, policy, stepsPerEpoch) {
        place += 1
      } else {
        unlink(old.path)
      }
    }
  }
}

/// What went wrong on another thread.
private final class FailureBox: Sendable {
  private let value = Mutex<(any Error)?>(nil)
  var error: (any Error)? { value.withLock { $0 } }
  func set(_ error: any Error) { value.withLock { $0 = error } }
}

extension RunFolder {
  /// Gives the newest checkpoint the name of an older one too.
  fileprivate func giveOlderName(step: Int) throws {
    let older = olderCheckpoint(step: step)
    var status = stat()
    // One that is a symbolic link points to a file that is about to be replaced.
    guard lstat(checkpoint, &status) == 0, status.isRegularFile else { return }
    for _ in 0..<2 {
      if link(checkpoint, older) == 0 { return }
      guard errno == EEXIST else { break }
      var other = stat()
      if lstat(older, &other) == 0, other.st_ino == status.st_ino, other.st_dev == status.st_dev { return }
      unlink(older)
    }
    let code = errno
    guard [EPERM, EOPNOTSUPP, EMLINK, ENOSYS].contains(code), rename(checkpoint, older) == 0 else {
      throw Failure(.io, "\(older): cannot link: \(errorText(code))")
    }
  }
}
