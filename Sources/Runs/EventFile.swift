// TensorBoard's event files: TFRecord's framing around protocol buffers. Scalars need few of their fields.
//
// A record is the length (8 bytes, little-endian), the masked CRC-32C of these, the data, and the masked CRC-32C of the data.
// The data is an Event (tensorflow/core/util/event.proto): wall_time = 1 double, step = 2 int64, file_version = 3 string,
// summary = 5 { value = 1 { tag = 1 string, simple_value = 2 float } }, session_log = 7 { status = 1 enum, START = 1 }.

import Foundation
import TensorStream

/// An event file of scalars that is being written.
public final class EventFile {
  public let path: String
  private let file: LineFile

  /// Starts a file in a folder, which is made where it does not exist. TensorBoard reads a folder's files one after the
  /// other. From the earlier files it drops the steps after `step`, since those are taken again.
  /// - Throws: `Failure(.cannotCreate)`.
  public convenience init(folder: String, after step: Int) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(.cannotCreate, "\(folder): cannot create the folder: \(error.localizedDescription)")
    }
    // The name begins with the time, and sorts after all files that exist, whatever the clock says.
    let prefix = "events.out.tfevents."
    let times = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(prefix) }
      .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
    let now = Date().timeIntervalSince1970
    let time = max(Int(now), (times.max() ?? 0) + 1)
    let host = ProcessInfo.processInfo.hostName.replacingOccurrences(of: "/", with: "-")
    let padded = String(repeating: "0", count: max(0, 10 - String(time).count)) + String(time)
    try self.init(
      path: "\(folder)/\(prefix)\(padded).\(host).\(ProcessInfo.processInfo.processIdentifier)", after: step,
      time: now)
  }

  /// The same under a name and at a time, in seconds since 1970, that are given.
  public init(path: String, after step: Int, time: Double) throws {
    self.path = path
    file = try LineFile(path: path, overwrite: false)
    try write(Message(time: time).adding(3, "brain.Event:2"))
    try write(Message(time: time).adding(2, step + 1).adding(7, Message().adding(1, 1)))
  }

  /// The scalars of a step, on disk for a reader when this returns.
  /// - Throws: `Failure(.io)`.
  public func write(
    _ scalars: [(name: String, value: Double)], step: Int, time: Double = Date().timeIntervalSince1970
  ) throws {
    let summary = scalars.reduce(Message()) { summary, scalar in
      summary.adding(1, Message().adding(1, scalar.name).adding(2, Float(scalar.value)))
    }
    try write(Message(time: time).adding(2, step).adding(5, summary))
  }

  private func write(_ event: Message) throws {
    let length = littleEndian(UInt64(event.bytes.count))
    try file.write(bytes: length + masked(length) + event.bytes + masked(event.bytes))
  }

  /// Rotated and shifted: the checksum of data that holds checksums would mean little.
  private func masked(_ bytes: [UInt8]) -> [UInt8] {
    let crc = crc32c(bytes)
    return littleEndian((crc >> 15 | crc << 17) &+ 0xA282_EAD8)
  }
}

/// A message of protocol buffers, field after field.
private struct Message {
  private(set) var bytes: [UInt8] = []

  init() {}

  init(time: Double) { bytes = [1 << 3 | 1] + littleEndian(time.bitPattern) }

  func adding(_ field: UInt8, _ value: Int) -> Message { appending([field << 3] + Self.variable(UInt64(value))) }
  func adding(_ field: UInt8, _ value: Float) -> Message {
    appending([field << 3 | 5] + littleEndian(value.bitPattern))
  }
  func adding(_ field: UInt8, _ value: String) -> Message { adding(field, Array(value.utf8)) }
  func adding(_ field: UInt8, _ value: Message) -> Message { adding(field, value.bytes) }

  private func adding(_ field: UInt8, _ value: [UInt8]) -> Message {
    appending([field << 3 | 2] + Self.variable(UInt64(value.count)) + value)
  }

  private func appending(_ more: [UInt8]) -> Message {
    var message = self
    message.bytes += more
    return message
  }

  /// Seven bits a byte, the lowest first; the highest bit says that more follow.
  private static func variable(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + variable(value >> 7)
  }
}

private func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian, Array.init)
}
