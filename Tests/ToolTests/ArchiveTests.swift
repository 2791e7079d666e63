import Foundation
import Testing

/// Archives of other kinds hold what the tar file of the same members holds. Fixtures/archives.py made them, by other programs.
@Suite struct ArchiveTests {
  private static let archives = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/archives/"

  /// Packs an archive in an empty folder; `then` is called with the folder while it is there.
  private func pack(
    _ command: String, then: (ToolResult, String) throws -> Void
  ) throws {
    let folder = NSTemporaryDirectory() + "pmae-archives-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try then(try ToolRunner.shell(command, environment: ["FROM": Self.archives], in: folder), folder)
  }

  private func packed(_ command: String) throws -> PackedImages {
    var images: PackedImages?
    try pack(command) { result, folder in
      #expect(result.status == 0, "\(command): \(result.errors)")
      images = try PackedImages(folder + "/o.stz")
    }
    return try #require(images)
  }

  #if Archives
    @Test func everyArchiveIsTheTarFile() throws {
      let plain = try packed("pmae-pack --quiet --output o.stz \"$FROM/set.tar\"")
      #expect(plain.pictures.count == 6)
      let classes = try #require(try plain.classes)
      #expect(Set(classes).isSuperset(of: ["cat", "dog", String(repeating: "w", count: 110), "кот", "犬"]))
      for name in ["zip", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "tar.lz4", "7z"].map({ "set." + $0 })
        + ["stored.zip", "python.zip", "large.zip"]
      {
        for command in ["\"$FROM/\(name)\"", "- < \"$FROM/\(name)\""] {
          let images = try packed("pmae-pack --quiet --output o.stz \(command)")
          #expect(images.pictures == plain.pictures, "\(command)")
          #expect(try images.labels == plain.labels && images.classes == plain.classes, "\(command)")
        }
      }
      // From a pipe that cannot be sought in, in a locale without such letters.
      let piped = try packed("cat \"$FROM/set.zip\" | LC_ALL=C pmae-pack --quiet --output o.stz -")
      #expect(try piped.pictures == plain.pictures && piped.classes == plain.classes)
    }

    @Test func samplesOfAZipArchiveHaveTheirLabels() throws {
      let images = try packed("pmae-pack --quiet --output o.stz \"$FROM/samples.zip\"")
      #expect(images.labels == [2, 1, 0])
      let windows = try packed("pmae-pack --quiet --output o.stz \"$FROM/windows.zip\"")
      #expect(try windows.classes == ["cat", "dog"] && windows.labels == [0, 1])
    }

    /// Nothing of a damaged archive passes for the whole, and no temporary file is left.
    @Test(arguments: [
      ("cut.zip", "cut.zip: "), ("damaged.zip", "damaged.zip: dog/2.png: cannot be unpacked: ZIP bad CRC"),
      ("encrypted.zip", "encrypted.zip: cat/0.png: is encrypted"),
      ("cut.tar.zst", "cut.tar.zst: cannot be unpacked: "), ("cut.tar.xz", "cut.tar.xz: cannot be unpacked: "),
      ("cut.tar.bz2", "cut.tar.bz2: cannot be unpacked: "),
      ("arrays.npz", "arrays.npz: NumPy arrays"), ("weights.pth", "weights.pth: a PyTorch file"),
      ("empty.zip", "empty.zip: "), ("text.txt.zst", "text.txt.zst: "),
    ])
    func whatIsNoArchiveOfPicturesSaysSo(name: String, message: String) throws {
      try pack("pmae-pack --output o.stz \"$FROM/\(name)\"") { result, folder in
        #expect(result.status == 65, "\(name): \(result.errors)")
        #expect(result.errors.contains(message), "\(name): \(result.errors)")
        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(left.isEmpty, "\(left)")
      }
    }
  #else
    @Test(arguments: ["set.zip", "set.7z", "set.tar.xz", "set.tar.zst"])
    func aBuildWithoutLibarchiveSaysHowToGetIt(name: String) throws {
      try pack("pmae-pack --output o.stz \"$FROM/\(name)\"") { result, _ in
        #expect(result.status == 65 && result.errors.contains("the package trait Archives (libarchive-dev)"))
      }
    }
  #endif

  #if TIFF && WebP
    /// Of pages and frames the first is packed, and one line says so.
    @Test func picturesBeyondTheFirstAreSaid() throws {
      try pack(
        "mkdir a; cp \"$FROM\"/../../../ImagingTests/Fixtures/formats/pages.tif \"$FROM\"/../../../ImagingTests/Fixtures/formats/animated.webp a; "
          + "pmae-pack --output o.stz a"
      ) { result, folder in
        #expect(
          result.status == 0 && result.errors.contains("a/animated.webp: holds 3 pictures, and the first was packed"))
        #expect(result.errors.contains("so it is with 1 other file"), "\(result.errors)")
        let images = try PackedImages(folder + "/o.stz")
        #expect(images.pictures.count == 2)
      }
    }
  #endif

  /// What has a kind of its own is named for it.
  @Test(arguments: [
    ("printf '%%PDF-1.7\\n' > x.pdf; pmae-pack x.pdf", "x.pdf: a PDF document, not a picture"),
    ("printf '\\223NUMPY\\001' > x.npy; pmae-pack x.npy", "x.npy: a NumPy array, not a picture"),
    ("printf 'Rar!\\032\\007' > x.rar; pmae-pack x.rar", "x.rar: a RAR archive, not a picture: unpack it"),
    ("mkdir a; printf 'GIF89a' > a/x.jpg; pmae-pack a", "a/x.jpg: a GIF picture, which is not read: convert"),
    (
      "mkdir a; printf '<!DOCTYPE html>' > a/x.jpg; pmae-pack a",
      "a/x.jpg: an HTML page, not a picture: a server's error"
    ),
  ])
  func whatIsGivenIsNamedForWhatItIs(command: String, message: String) throws {
    try pack(command) { result, _ in
      #expect(result.status == 65 && result.errors.contains(message), "\(result.errors)")
    }
  }
}
