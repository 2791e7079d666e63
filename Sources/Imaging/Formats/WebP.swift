// WebP in, by libwebp: lossy and lossless, with alpha and without, as 8-bit RGB; of an animation its first frame.

import TensorStream

#if WebP
  import CWebP
#endif

/// Decodes WebP files held in memory, as they are stored: `ImageFile` turns them upright. A file that is cut short is an error.
///
/// Alpha is dropped, as by Pillow's `convert("RGB")`. Of an animation the first frame is taken, on black where it does not fill the canvas:
/// what Pillow opens and what a thumbnail shows. `ImageFile.pictures` tells that there are more. Colour profiles are not applied.
public enum WebP {
  public struct Header: Sendable, Equatable {
    public let height: Int
    public let width: Int
    public let isAnimated: Bool
  }

  /// Whether `bytes` begin as every WebP file does: RIFF, a size, WEBP.
  public static func isWebP(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 12 && bytes[0..<4].elementsEqual("RIFF".utf8) && bytes[8..<12].elementsEqual("WEBP".utf8)
  }

  #if WebP
    /// Reads the header. `name` says in an error which picture it was.
    /// Throws `Failure(.data)` where the header is damaged, or claims more than so many bytes can plausibly hold.
    public static func header(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Header {
      var features = WebPBitstreamFeatures()
      let status = WebPGetFeatures(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &features)
      guard status == VP8_STATUS_OK else { throw damaged(name, reason(status)) }
      let header = Header(
        height: Int(features.height), width: Int(features.width), isAnimated: features.has_animation != 0)
      try ImageFile.checkSize(height: header.height, width: header.width, name: name)
      // One colour takes no bit a pixel, so there is no limit in the format. What a few bytes claim must not become memory.
      guard header.height * header.width <= max(1 << 24, bytes.count << 16) else {
        throw damaged(name, "its \(bytes.count) bytes cannot hold \(header.height) x \(header.width) pixels")
      }
      return header
    }

    /// Decodes to RGB at `out`, which has room for height × width × 3 bytes.
    static func decode(
      _ bytes: UnsafeRawBufferPointer, header: Header, into out: UnsafeMutablePointer<UInt8>, name: String
    ) throws {
      let picture = Pixels(base: out, height: header.height, width: header.width, channels: 3)
      guard header.isAnimated else { return try decodeFrame(bytes, into: picture, name: name) }
      var data = WebPData(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count)
      guard let animation = WebPDemux(&data) else { throw damaged(name, "cut short, or its frames are damaged") }
      defer { WebPDemuxDelete(animation) }
      var frame = WebPIterator()
      guard WebPDemuxGetFrame(animation, 1, &frame) != 0 else { throw damaged(name, "an animation without a frame") }
      defer { WebPDemuxReleaseIterator(&frame) }
      let box = CropBox(
        top: Int(frame.y_offset), left: Int(frame.x_offset), height: Int(frame.height), width: Int(frame.width))
      guard box.top >= 0, box.left >= 0, box.height > 0, box.width > 0, box.top + box.height <= header.height,
        box.left + box.width <= header.width
      else { throw damaged(name, "its first frame lies outside of the picture") }
      if box.height < header.height || box.width < header.width { out.update(repeating: 0, count: picture.count) }
      let fragment = UnsafeRawBufferPointer(start: frame.fragment.bytes, count: frame.fragment.size)
      try decodeFrame(fragment, into: picture.cropped(box), name: name)
    }

    private static func decodeFrame(_ bytes: UnsafeRawBufferPointer, into out: Pixels, name: String) throws {
      var config = WebPDecoderConfig()
      guard WebPInitDecoderConfig(&config) != 0 else {
        throw Failure(.software, "\(name): libwebp has another version than this was built with")
      }
      let data = bytes.bindMemory(to: UInt8.self).baseAddress
      // A frame of another size would be written past the end of its rows.
      let known = WebPGetFeatures(data, bytes.count, &config.input)
      guard known == VP8_STATUS_OK else { throw damaged(name, reason(known)) }
      guard Int(config.input.height) == out.height, Int(config.input.width) == out.width else {
        throw damaged(name, "a frame of another size than it says")
      }
      config.output.colorspace = MODE_RGB
      config.output.is_external_memory = 1
      config.output.u.RGBA.rgba = out.base
      config.output.u.RGBA.stride = Int32(out.stride)
      config.output.u.RGBA.size = out.stride * (out.height - 1) + out.rowBytes
      let status = WebPDecode(data, bytes.count, &config)
      guard status != VP8_STATUS_OK else { return }
      if status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED {
        let rows = rowsThatAreThere(bytes, &config, of: out.height)
        throw damaged(name, "cut short: the last \(out.height - rows) of \(out.height) rows are missing")
      }
      throw damaged(name, reason(status))
    }

    /// How many rows can be decoded of what there is, from the top.
    private static func rowsThatAreThere(
      _ bytes: UnsafeRawBufferPointer, _ config: inout WebPDecoderConfig, of height: Int
    ) -> Int {
      guard let decoder = WebPIDecode(nil, 0, &config) else { return 0 }
      defer { WebPIDelete(decoder) }
      WebPIUpdate(decoder, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
      var last: Int32 = 0
      guard WebPIDecGetRGB(decoder, &last, nil, nil, nil) != nil else { return 0 }
      return min(max(0, Int(last)), height)
    }

    /// How many frames a file has; 1 where there is no telling.
    static func frames(_ bytes: UnsafeRawBufferPointer) -> Int {
      var data = WebPData(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count)
      guard let animation = WebPDemux(&data) else { return 1 }
      defer { WebPDemuxDelete(animation) }
      return max(1, Int(WebPDemuxGetI(animation, WEBP_FF_FRAME_COUNT)))
    }

    private static func reason(_ status: VP8StatusCode) -> String {
      switch status {
      case VP8_STATUS_NOT_ENOUGH_DATA, VP8_STATUS_SUSPENDED: "cut short in its header"
      case VP8_STATUS_UNSUPPORTED_FEATURE: "has a feature that libwebp does not know"
      case VP8_STATUS_OUT_OF_MEMORY: "no memory for it"
      default: "its data is damaged"
      }
    }

    private static func damaged(_ name: String, _ why: String) -> Failure {
      Failure(.data, "\(name): a damaged WebP: \(why)")
    }
  #else
    public static func header(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Header {
      throw notBuilt(name)
    }

    static func decode(
      _ bytes: UnsafeRawBufferPointer, header: Header, into out: UnsafeMutablePointer<UInt8>, name: String
    ) throws { throw notBuilt(name) }

    static func frames(_ bytes: UnsafeRawBufferPointer) -> Int { 1 }

    private static func notBuilt(_ name: String) -> Failure {
      Failure(
        .data,
        "\(name): a WebP picture, which this build does not read: build it with the package trait WebP (libwebp-dev)")
    }
  #endif
}
