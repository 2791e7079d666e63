import CZstd

/// Makes compressed frames.
final class ZstdEncoder: FrameEncoder {
  private let context: OpaquePointer
  private let buffer: UnsafeMutableRawBufferPointer
  private let sink: (UnsafeRawBufferPointer) throws -> Void
  private var written = 0

  /// - Parameter sink: takes the compressed bytes as they come.
  init(level: Int, sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    guard let context = ZSTD_createCCtx() else { throw Failure(.io, "no memory for a compressor") }
    self.context = context
    self.sink = sink
    buffer = .allocate(byteCount: ZSTD_CStreamOutSize(), alignment: 64)
    let range = ZSTD_cParam_getBounds(ZSTD_c_compressionLevel)
    guard (Int(range.lowerBound)...Int(range.upperBound)).contains(level) else {
      throw Failure(.usage, "compression level \(level); expected \(range.lowerBound) to \(range.upperBound)")
    }
    try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)))
    try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
    try check(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1))
  }

  deinit {
    ZSTD_freeCCtx(context)
    buffer.deallocate()
  }

  func begin(contentSize: Int) throws {
    written = 0
    try check(ZSTD_CCtx_reset(context, ZSTD_reset_session_only))
    try check(ZSTD_CCtx_setPledgedSrcSize(context, UInt64(contentSize)))
  }

  func add(_ bytes: UnsafeRawBufferPointer) throws {
    try feed(bytes, ZSTD_e_continue)
  }

  func end() throws -> Int {
    try feed(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end)
    return written
  }

  private func feed(_ bytes: UnsafeRawBufferPointer, _ directive: ZSTD_EndDirective) throws {
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
      let left = ZSTD_compressStream2(context, &output, &input, directive)
      try check(left)
      if output.pos > 0 { try sink(UnsafeRawBufferPointer(rebasing: buffer[..<output.pos])) }
      written += output.pos
      if directive == ZSTD_e_end ? left == 0 : input.pos == input.size { return }
    }
  }

  private func check(_ result: Int) throws {
    if ZSTD_isError(result) != 0 {
      throw Failure(.software, "zstd: \(String(cString: ZSTD_getErrorName(result)))")
    }
  }
}
