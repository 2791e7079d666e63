/// Makes zstd frames piece by piece, content size and checksum set, so that a document never has to be in memory as a whole.
protocol FrameEncoder: AnyObject {
  /// Starts a frame of `contentSize` bytes, which `add` gets piece by piece.
  func begin(contentSize: Int) throws
  func add(_ bytes: UnsafeRawBufferPointer) throws
  /// Ends the frame, and returns its size.
  func end() throws -> Int
}
