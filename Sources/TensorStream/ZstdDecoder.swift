import CZstd

/// Decompresses frames, one after another, from a source.
final class ZstdDecoder {
  private let context: OpaquePointer

  init() throws {
    guard let context = ZSTD_createDCtx() else { throw Failure(.io, "no memory for a decompressor") }
    self.context = context
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Decompresses the frame that comes next, and checks it: zstd its checksum, we its size.
  /// - Throws: `Damage.inputEnds` where the input ends before the frame does, or has ended.
  ///
  /// Memory grows as output arrives, to at most twice what has arrived (and 1 MiB), whatever size the frame claims. Beyond
  /// that zstd keeps one window, of at most `ZstdFrameHeader.maximumWindow`.
  func frame(_ source: ByteSource) throws -> DocumentBytes {
    let header = try ZstdFrameHeader(try source.peek(ZstdFrameHeader.maximumSize))
    let size = header.contentSize
    let document = try DocumentBytes(capacity: min(size, 1 << 20))
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
    var produced = 0
    var starved = source.available.isEmpty
    while true {
      if produced == document.capacity, produced < size {
        try document.grow(to: min(size, document.capacity > size / 2 ? size : document.capacity * 2))
      }
      if starved, try !source.fill() { throw Damage.inputEnds }
      let bytes = source.available
      var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
      var output = ZSTD_outBuffer(dst: document.start, size: document.capacity, pos: produced)
      let result = ZSTD_decompressStream(context, &output, &input)
      if ZSTD_isError(result) != 0 {
        throw Damage.malformed("damaged (zstd: \(String(cString: ZSTD_getErrorName(result))))")
      }
      source.consume(input.pos)
      let idle = input.pos == 0 && output.pos == produced
      produced = output.pos
      if result == 0 { break }
      if source.available.isEmpty {
        // Where the output is full there may be more to come out before more need go in.
        starved = produced < document.capacity || produced == size
      } else if idle {
        throw Damage.malformed("a frame that holds more than the \(grouped(size)) bytes that it claims")
      } else {
        starved = false
      }
    }
    guard produced == size else {
      throw Damage.malformed("a frame of \(grouped(produced)) bytes that claims \(grouped(size))")
    }
    return document
  }
}
