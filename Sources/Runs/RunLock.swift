import Foundation
import TensorStream

/// Keeps a run folder to one process. The kernel holds the lock, and releases it when the process ends in any way. The
/// file with the lock stays, and says which process had it last.
public final class RunLock: Sendable {
  private let descriptor: Descriptor
  /// Why the folder is not locked, on a file system that has no locks; nil where it is.
  public let unavailable: String?

  /// Locks a folder that is there, and clears away what a killed process left half written.
  /// - Parameter patience: seconds to wait for another process, which may just have been killed.
  /// - Throws: `Failure(.cannotCreate)` where another process holds it, with its number.
  public init(_ folder: RunFolder, patience: Double = 2) throws {
    let number = open(folder.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard number >= 0 else { throw creationFailure(folder.lock, errno) }
    descriptor = Descriptor(number, closes: true)
    let deadline = ContinuousClock.now + .seconds(patience)
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK:
        if ContinuousClock.now > deadline {
          throw Failure(
            .cannotCreate,
            "\(folder.path): is in use by \(Self.owner(number)): a run folder is for one process at a time")
        }
        usleep(20_000)
      case ENOLCK, ENOSYS, EOPNOTSUPP:
        unavailable = "\(folder.path): cannot be locked (\(errorText(errno))): see that no other process uses it"
        return
      default: throw Failure(.io, "\(folder.lock): cannot lock: \(errorText(errno))")
      }
    }
    unavailable = nil
    // For people alone, so that a full disk does not matter here.
    let text = "\(getpid()) on \(ProcessInfo.processInfo.hostName)\n"
    if ftruncate(number, 0) == 0 { _ = pwrite(number, text, text.utf8.count, 0) }
    folder.removeUnfinished()
  }

  private static func owner(_ number: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 300)
    let count = pread(number, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    return text.isEmpty ? "another process" : "process \(text)"
  }
}
