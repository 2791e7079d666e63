// Pictures out: JPEG files for a person to look at.

extension Picture {
  /// The bytes of a JPEG file.
  /// - Parameter quality: libjpeg's, 1 to 100.
  /// - Throws: `Failure(.data)` where a side is longer than 65,500 pixels.
  public func jpeg(quality: Int = 92, name: String) throws -> [UInt8] {
    precondition(channels == 3)
    var copy = self
    let buffers = JPEGBuffers()
    // The encoder writes into their memory.
    return try withExtendedLifetime(buffers) {
      try copy.withPixels { try JPEG.encode($0, isGrey: false, quality: quality, buffers: buffers, name: name) }
    }
  }
}
