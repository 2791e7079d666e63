import CommandLineKit
import Foundation
import Runs
import Schemas
import Testing

/// Against the bytes of TensorBoard's own writer: see Fixtures/events.py.
struct EventFileTests {
  private static let fixture =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/events"

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-events-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test func bytesAreTensorBoards() throws {
    try withFolder { folder in
      let start = 1_764_000_000.25
      let file = try EventFile(path: folder + "/events", after: 300, time: start)
      let scalars = [
        ("loss", 1.4604512345), ("lr", 2.6e-05), ("used_c", 1.0), ("entropy_p", 0.0), ("cosine_teacher", -0.125),
      ]
      try file.write(scalars, step: 301, time: start + 2)
      try file.write([scalars[0]], step: 70_000, time: start + 3.5)
      // Without closing it: what is written can be read.
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: file.path)) == Data(contentsOf: URL(fileURLWithPath: Self.fixture)))
    }
  }

  /// RFC 3720, appendix B.4, and the check value of the CRC catalogues.
  @Test func checksums() {
    #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(crc32c("123456789".utf8) == 0xE306_9283)
  }

  /// TensorBoard reads by name: files of one second, and after a clock that went back, come after those that are there.
  @Test func laterFilesComeLater() throws {
    try withFolder { folder in
      let future = folder + "/events.out.tfevents.9000000000.zebra.1"
      try Data().write(to: URL(fileURLWithPath: future))
      let paths = try (0..<3).map { try EventFile(folder: folder, after: 5 * $0).path }
      #expect(([future] + paths).sorted() == [future] + paths)
      #expect(Set(paths).count == 3)
    }
  }
}
