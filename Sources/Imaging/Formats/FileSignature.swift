// Marks at the beginning of files: those of formats' own specifications, and of the list of `file`(1).

/// A mark and the kind that it tells.
enum FileSignature {
  /// The kind whose mark these bytes have.
  static func kind(of head: UnsafeRawBufferPointer) -> FileKind? {
    table.first { entry in head.count >= entry.offset && head[entry.offset...].starts(with: entry.mark) }?.kind
  }

  private typealias Entry = (offset: Int, mark: [UInt8], kind: FileKind)

  private static let magick = "convert it to PNG, for example by convert of ImageMagick"
  private static let unpack = "unpack it and give the folder"

  private static let table: [Entry] = pictures + archives + data + rest

  private static func at(_ offset: Int, _ mark: String, _ kind: FileKind) -> Entry { (offset, Array(mark.utf8), kind) }

  private static let pictures: [Entry] = [
    at(0, "GIF87a", gif), at(0, "GIF89a", gif),
    at(0, "\0\0\0\u{0C}jP  ", jpeg2000), (0, [0xFF, 0x4F, 0xFF, 0x51], jpeg2000),
    (0, [0xFF, 0x0A], .jpegXL), at(0, "\0\0\0\u{0C}JXL ", .jpegXL),
    (0, [0x49, 0x49, 0xBC], FileKind(.picture, "a JPEG XR picture", "convert it to PNG")),
    at(0, "8BPS", FileKind(.picture, "a Photoshop picture", "save it as PNG or TIFF")),
    at(0, "gimp xcf", FileKind(.picture, "a GIMP picture", "export it as PNG")),
    (0, [0, 0, 1, 0], FileKind(.picture, "a Windows icon", magick)),
    at(0, "qoif", FileKind(.picture, "a QOI picture", magick)),
    at(0, "DDS ", FileKind(.picture, "a DDS texture", magick)),
    (0, [0x76, 0x2F, 0x31, 0x01], FileKind(.picture, "an OpenEXR picture", brightness)),
    at(0, "#?RADIANCE", FileKind(.picture, "a Radiance picture", brightness)),
    at(0, "SIMPLE  =", FileKind(.picture, "a FITS picture", brightness)),
    at(128, "DICM", FileKind(.picture, "a DICOM picture", "convert it to PNG, for example by dcm2pnm of dcmtk")),
    at(0, "P1\n", netpbm), at(0, "P2\n", netpbm), at(0, "P3\n", netpbm), at(0, "P4\n", netpbm), at(0, "P5\n", netpbm),
    at(0, "P6\n", netpbm), at(0, "P7\n", netpbm), at(0, "P5 ", netpbm), at(0, "P6 ", netpbm),
    at(0, "FUJIFILMCCD-RAW", .raw), at(0, "IIRO", .raw), at(0, "IIRS", .raw), at(0, "MMOR", .raw),
    at(0, "IIU\0", .raw), at(0, "II*\0\u{10}\0\0\0CR", .raw), at(0, "FOVb", .raw),
  ]

  private static let gif = FileKind(
    .picture, "a GIF picture", "convert its frames to PNG, for example by convert of ImageMagick")
  private static let jpeg2000 = FileKind(
    .picture, "a JPEG 2000 picture", "convert it to PNG, for example by opj_decompress of libopenjp2-tools")
  private static let netpbm = FileKind(.picture, "a Netpbm picture", "convert it to PNG, for example by pnmtopng")
  private static let brightness = "its numbers have no fixed white: choose one, and convert it to PNG"

  private static let archives: [Entry] = [
    at(0, "PK\u{3}\u{4}", zip), at(0, "PK\u{5}\u{6}", zip), at(0, "PK\u{7}\u{8}", zip),
    (0, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], FileKind(.archive, "a 7z archive", unpack)),
    at(0, "Rar!\u{1A}\u{7}", FileKind(.archive, "a RAR archive", unpack)),
    at(0, "MSCF", FileKind(.archive, "a cabinet archive", unpack)),
    at(257, "ustar", FileKind(.archive, "a tar file", "it is a source of its own")),
    at(0, "!<arch>\n", FileKind(.archive, "an ar archive or a Debian package", unpack)),
    (0, [0x1F, 0x8B], compressed("gzip")), at(0, "BZh", compressed("bzip2")),
    (0, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], compressed("xz")), at(0, "LZIP", compressed("lzip")),
    (0, [0x28, 0xB5, 0x2F, 0xFD], compressed("zstd", "a tar file, or a stream of pmae-pack, is a source of its own")),
    (0, [0x04, 0x22, 0x4D, 0x18], compressed("lz4")), (0, [0x1F, 0x9D], compressed("compress")),
  ]

  private static let zip = FileKind(.archive, "a zip archive", "it is a source of its own")

  private static func compressed(
    _ program: String, _ advice: String = "a tar file is a source of its own; unpack anything else"
  ) -> FileKind { FileKind(.compressed, "a file compressed by \(program)", advice) }

  private static let data: [Entry] = [
    (0, [0x93] + Array("NUMPY".utf8), FileKind(.data, "a NumPy array", "save its pictures as PNG files")),
    (0, [0x89] + Array("HDF\r\n".utf8), FileKind(.data, "an HDF5 file", "save its pictures as PNG files")),
    at(0, "MATLAB 5.0", FileKind(.data, "a MATLAB file", "write its labels to a list (see pmae-pack(1))")),
    at(0, "PAR1", FileKind(.data, "a Parquet table", "write its pictures to files or to a tar file")),
    at(0, "ARROW1", FileKind(.data, "an Arrow table", "write its pictures to files or to a tar file")),
    at(0, "SQLite format 3\0", FileKind(.data, "an SQLite database")),
  ]

  private static let rest: [Entry] = [
    (0, [0x1A, 0x45, 0xDF, 0xA3], .video), at(0, "FLV\u{1}", .video), (0, [0, 0, 1, 0xBA], .video),
    (0, [0, 0, 1, 0xB3], .video), (0, [0x30, 0x26, 0xB2, 0x75], .video),
    at(0, "OggS", .sound), at(0, "ID3", .sound), at(0, "fLaC", .sound),
    at(0, "%PDF-", FileKind(.other, "a PDF document", "pdftoppm -png of poppler-utils makes pictures of its pages")),
    at(0, "%!PS", FileKind(.other, "a PostScript document")), at(0, "{\\rtf", FileKind(.other, "a text document")),
    (0, [0xD0, 0xCF, 0x11, 0xE0], FileKind(.other, "a Windows document (as Thumbs.db is)")),
    (0, [0, 5, 0x16, 7], FileKind(.other, "Apple's notes about another file (AppleDouble)", "delete it")),
    (0, [0x7F, 0x45, 0x4C, 0x46], FileKind(.other, "a program")),
  ]
}
