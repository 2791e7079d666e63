// Files of other formats than ours, written with the same care: a picture, a drawing.

/// Writes a file whole, beside and then renamed; or to standard output for "-".
/// - Throws: `Failure(.cannotCreate)` where it exists and may not be replaced, or cannot be made; `.io` where it cannot be written.
public func writeWholeFile(_ bytes: [UInt8], path: String, overwrite: Bool) throws {
  let output = try OutputFile(path: path, overwrite: overwrite)
  do {
    try bytes.withUnsafeBytes(output.write)
    try output.finish()
  } catch {
    output.cancel()
    throw error
  }
}
