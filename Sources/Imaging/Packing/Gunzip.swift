// gzip input by way of the gzip program, which every system has, so that no library is needed for one rarely used format.

import Foundation
import TensorStream

/// The bytes that `gzip -dc` makes of a file, read as they come.
final class Gunzip {
  private let process = Process()
  private let output = Pipe()
  private let complaints = Pipe()
  private let source: ByteFile
  private let bytes: ByteFile

  /// Starts gzip on a file that is open at its beginning.
  init(_ source: ByteFile) throws {
    self.source = source
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc"]
    process.standardInput = FileHandle(fileDescriptor: source.descriptor, closeOnDealloc: false)
    process.standardOutput = output
    process.standardError = complaints
    bytes = try ByteFile(descriptor: output.fileHandleForReading.fileDescriptor, name: source.name, owned: false)
    do {
      try process.run()
    } catch {
      throw Failure(.software, "\(source.name): cannot run gzip to unpack it: \(error)")
    }
  }

  deinit {
    if process.isRunning { process.terminate() }
  }

  /// Reads up to `count` bytes, fewer only at the end. Throws `Failure(.data)` where gzip then says that the file is damaged.
  func read(into memory: UnsafeMutableRawPointer, count: Int) throws -> Int {
    let n = try bytes.read(into: memory, count: count)
    if n < count { try finish() }
    return n
  }

  private func finish() throws {
    // A few lines at most: they fit the pipe, so gzip never waits for this.
    let text = complaints.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    if process.terminationReason == .exit && process.terminationStatus == 0 { return }
    let said = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
    throw Failure(
      .data, "\(source.name): gzip failed (status \(process.terminationStatus))\(said.isEmpty ? "" : ": \(said)")")
  }
}
