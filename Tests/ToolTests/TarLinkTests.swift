import Foundation
import Testing

/// Names in a tar file that lead to another file, and labels that lie beside pictures.
@Suite struct TarLinkTests {
  private static let pictures = ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/pictures"

  private func run(_ command: String, in folder: String, _ more: [String: String] = [:]) throws -> ToolResult {
    try ToolRunner.shell(command, environment: ["FROM": Self.pictures].merging(more) { $1 }, in: folder)
  }

  /// A file with several names is that file under each, as in the folder that GNU tar stored; long names have headers of their own.
  @Test(arguments: ["gnu", "pax", "ustar", "v7"]) func hardLinksAreTheirFiles(format: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(
        """
        mkdir -p set/cat set/dog; long=$(printf "%0${LENGTH}d" 7)
        cp "$FROM/one.jpg" "set/cat/$long.jpg"; cp "$FROM/baseline.jpg" set/dog/e.jpg
        ln "set/cat/$long.jpg" set/cat/d.jpg; ln set/cat/d.jpg set/dog/b.jpg; ln set/dog/e.jpg set/cat/c.jpg
        tar --format=$FORMAT --sort=name -cf set.tar ./set
        [ "$(tar tvf set.tar | grep -c '^h')" = 3 ]
        pmae-pack --quiet --output tar.stz set.tar; pmae-pack --quiet --output folder.stz set
        """, in: folder, ["FORMAT": format, "LENGTH": ["gnu", "pax"].contains(format) ? "110" : "80"])
      #expect(result.status == 0, "\(result.errors)")
      let (tar, files) = (try PackedImages(folder + "/tar.stz"), try PackedImages(folder + "/folder.stz"))
      #expect(tar.pictures.count == 5 && tar.pictures == files.pictures)
      #expect(try tar.labels == files.labels && tar.classes == files.classes && tar.classes == ["cat", "dog"])
      #expect(tar.names == files.names?.map { "./set/" + $0 })
    }
  }

  /// Labels too may have one file for many pictures.
  @Test func hardLinksOfLabels() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(
        """
        for i in 0 1 2 3; do cp "$FROM/one.jpg" $i.jpg; done; echo 3 > 0.cls; echo 5 > 1.cls; ln 0.cls 2.cls; ln 1.cls 3.cls
        ls [0-9].* | tar -cf set.tar -T -; [ "$(tar tvf set.tar | grep -c '^h')" = 2 ]
        pmae-pack --quiet --output o.stz set.tar
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try PackedImages(folder + "/o.stz").labels == [3, 5, 3, 5])
    }
  }

  /// Links to what is not in the tar file are bad pictures, which are named.
  @Test func otherLinksAreSaid() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(
        """
        mkdir -p set/cat; cp "$FROM/one.jpg" set/cat/0.jpg; cp "$FROM/baseline.jpg" set/cat/1.jpg
        ln set/cat/0.jpg set/cat/2.jpg; ln -s 1.jpg set/cat/3.jpg
        tar --sort=name -cf set.tar set; tar --delete -f set.tar set/cat/0.jpg
        pmae-pack --output o.stz set.tar
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      for name in ["2", "3"] {
        #expect(result.errors.contains("set.tar: set/cat/\(name).jpg: a link to something else"), "\(result.errors)")
      }
      #expect(try PackedImages(folder + "/o.stz").names == ["set/cat/1.jpg"])
    }
  }

  /// WebDataset's labels in a folder are not read, and the line at the end says how they would be.
  @Test func labelsBesidePicturesInAFolder() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try run(
        """
        mkdir -p k tree/a tree/b; for i in 0 1 2; do cp "$FROM/one.jpg" k/$i.jpg; echo $((7 - i)) > k/$i.cls; done
        cp k/0.* tree/a; cp k/1.* tree/b
        pmae-pack --output k.stz k; pmae-pack --output tree.stz tree; pmae-pack --no-labels --output none.stz tree
        tar --sort=name -cf - k | pmae-pack --quiet --output tar.stz -
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let advice = "tar --sort=name -cf - k | pmae-pack - …"
      #expect(
        result.errors.contains(
          "which would be classes; k/0.cls and its like are read in a tar file alone: \(advice)"))
      #expect(result.errors.contains("tree/a/0.cls and its like are not read, since the folders are the classes"))
      #expect(result.errors.components(separatedBy: "and its like").count == 3, "\(result.errors)")
      #expect(try PackedImages(folder + "/k.stz").labels == nil)
      #expect(try PackedImages(folder + "/tree.stz").classes == ["a", "b"])
      #expect(try PackedImages(folder + "/tar.stz").labels == [7, 6, 5])
    }
  }
}
