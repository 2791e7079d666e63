import Foundation

/// A pseudo-terminal of this process. It needs /dev/pts, which not every container has.
final class Terminal {
  /// Why tests are skipped where `isAvailable` is false.
  static let reason = "no pseudo-terminal can be opened here: /dev/pts is not mounted"

  static let isAvailable = Terminal() != nil

  /// The end that a program would write to.
  let path: String
  private let master: CInt

  init?() {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    guard master >= 0 else { return nil }
    // Glibc's unlockpt and ptsname are not imported; these are the system calls (TIOCSPTLCK, TIOCGPTN) that they make.
    var value: CInt = 0
    guard ioctl(master, 0x4004_5431, &value) == 0, ioctl(master, 0x8004_5430, &value) == 0,
      access("/dev/pts/\(value)", F_OK) == 0
    else {
      close(master)
      return nil
    }
    self.master = master
    path = "/dev/pts/\(value)"
  }

  deinit { close(master) }
}
