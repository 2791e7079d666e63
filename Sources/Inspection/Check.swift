// --check: reads everything, and says what was found right or where it is not.

import TensorStream

extension Contents {
  /// Reads all of the operand, and says in `finding` what was checked.
  ///
  /// Errors: `Failure(.data)` that names the record and the byte at which it starts.
  public init(checking operand: InspectedFile) throws {
    let input = try AnyInput(path: operand.path)
    guard case .stream(let reader) = input else {
      self = try Contents(operand, reading: input)
      finding = "\(counted(tensors.count, "tensor")) (a safetensors file, which has no checksums)"
      return
    }
    do {
      self = try Contents(operand, reading: input)
    } catch let failure as Failure where failure.kind == .data {
      throw Failure(.data, "\(failure.message) (from byte \(grouped(reader.offset)) on)")
    }
    let what = hasRows ? rowsInRecords : "one record of \(counted(tensors.count, "tensor"))"
    let table = reader.hasSeekTable ? "the seek table agrees" : "no seek table"
    finding = "\(what), every checksum right, \(table)"
  }

  /// "60,000 rows in 59 records"
  var rowsInRecords: String { "\(counted(rows, "row")) in \(counted(records, "record"))" }
}
