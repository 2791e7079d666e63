// --check: reads everything twice over, by different means: once as a reader does, once as frames on disk.

import CommandLineKit
import TensorStream

extension Contents {
  /// Reads all of the operand and says in `finding` what was checked.
  ///
  /// Errors: `Failure(.data)` that names the record, and in a file the byte at which it starts.
  init(checking operand: Operand) throws {
    self = try readAll(operand)
    guard isStream else {
      finding = "\(counted(tensors.count, "tensor")) (a safetensors file, which has no checksums)"
      return
    }
    var findings = [hasRows ? rowsInRecords : "one record of \(counted(tensors.count, "tensor"))"]
    findings.append("every checksum right")
    if operand.byteCount != nil {
      let layout = try FrameLayout(of: operand)
      try compare(with: layout)
      findings.append(layout.seekTable != nil ? "the seek table agrees" : "no seek table")
    }
    finding = findings.joined(separator: ", ")
  }

  /// "60,000 rows in 59 records"
  var rowsInRecords: String { "\(counted(rows, "row")) in \(counted(records, "record"))" }

  private func compare(with layout: FrameLayout) throws {
    let expected = hasRows ? records + 2 : 1
    guard layout.frames.count == expected else {
      throw Failure(.data, "\(name): \(counted(layout.frames.count, "frame")), expected \(grouped(expected))")
    }
    for (i, frame) in layout.frames.enumerated() where !frame.hasChecksum {
      throw Failure(.data, "\(name): record \(i), at byte \(grouped(frame.offset)), has no checksum")
    }
    guard let table = layout.seekTable else { return }
    guard table.count == expected else {
      throw Failure(
        .data, "\(name): the seek table lists \(counted(table.count, "record")), found \(grouped(expected))")
    }
    for (i, (entry, frame)) in zip(table, layout.frames).enumerated() {
      if entry.size != frame.size || frame.contentSize.map({ $0 != entry.contentSize }) ?? false {
        let found = "\(grouped(frame.size)) bytes that hold \(frame.contentSize.map { grouped($0) } ?? "?")"
        throw Failure(
          .data,
          "\(name): the seek table gives record \(i) \(grouped(entry.size)) bytes that hold "
            + "\(grouped(entry.contentSize)); found at byte \(grouped(frame.offset)): \(found)")
      }
    }
  }
}

/// Reads all, and adds to an error the byte at which the record starts that could not be read.
private func readAll(_ operand: Operand) throws -> Contents {
  var failing = 0
  do {
    let input = try AnyInput(path: operand.path)
    failing = 1
    return try Contents(operand, reading: input) { failing = $0 + 1 }
  } catch let failure as Failure where failure.kind == .data && operand.byteCount != nil {
    let frames = FrameLayout.starts(in: operand)
    guard failing < frames.count else { throw failure }
    throw Failure(.data, "\(failure.message) (record \(failing) starts at byte \(grouped(frames[failing])))")
  }
}
