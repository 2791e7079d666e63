import Foundation
import TensorStream
import Testing

/// Disks, names and files that are not as they should be.
@Suite struct PackHardTests {
  private static let pictures = ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/pictures"

  /// Names that are no UTF-8: of operands, folders, files, members and lists.
  @Test func namesNeedNotBeText() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(
        """
        odd=$(printf 'f\\377o'); mkdir -p "$odd/$odd"; cp "$FROM/one.jpg" "$odd/$odd/$odd.jpg"
        pmae-pack --output a.stz "$odd"; tar cf "$odd.tar" "$odd"; pmae-pack --quiet --output b.stz "$odd.tar"
        printf '%s,7\\n' "$odd/$odd/$odd.jpg" > "$odd.csv"; pmae-pack --quiet --output c.stz "$odd.csv"
        pmae-pack --quiet --output d.stz "$odd/$odd/$odd.jpg"; pmae-pack --quiet --root "$odd" --output e.stz "$odd.csv" || true
        """, environment: ["FROM": Self.pictures], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("labels from the folders of f\\xffo"), "\(result.errors)")
      let expected = [
        "a": "f\\xffo/f\\xffo.jpg", "b": "f\\xffo/f\\xffo/f\\xffo.jpg", "c": "f\\xffo/f\\xffo/f\\xffo.jpg",
        "d": "f\\xffo/f\\xffo/f\\xffo.jpg",
      ]
      for (name, path) in expected { #expect(try PackedImages("\(folder)/\(name).stz").names == [path]) }
    }
  }

  /// Behind two dashes, or by way of the folder.
  @Test func namesMayBeginWithADash() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(
        """
        cp "$FROM/one.jpg" ./-hund.jpg
        pmae-pack --quiet --output a.stz -- -hund.jpg; pmae-pack --quiet --output b.stz ./-hund.jpg
        """, environment: ["FROM": Self.pictures], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try PackedImages(folder + "/a.stz").names == ["-hund.jpg"])
      #expect(try PackedImages(folder + "/b.stz").names == ["./-hund.jpg"])
    }
  }

  /// A name that two systems write in different bytes is one name in Unicode: the message has both.
  @Test func oneNameInTwoSpellingsIsAnError() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(
        """
        for name in $(printf 'caf\\303\\251 cafe\\314\\201'); do mkdir -p "p/$name"; cp "$FROM/one.jpg" "p/$name"; done
        pmae-pack --output o.stz p
        """, environment: ["FROM": Self.pictures], in: folder)
      #expect(result.status == 65, "\(result.errors)")
      for text in ["p: two classes have the name", "caf\\xc3\\xa9", "cafe\\xcc\\x81", "rename one"] {
        #expect(result.errors.contains(text), "\(result.errors)")
      }
    }
  }

  /// Longer than one call of the system takes.
  @Test func pathsMayBeLongerThanTheSystemTakesAtOnce() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(
        """
        cp "$FROM/one.jpg" 1.jpg; mkdir deep; part=$(printf '%0200d' 0); i=0
        # From a folder to the next: no call sees the whole path.
        ( cd deep; mkdir cat; cd cat; while [ $i -lt 25 ]; do mkdir $part; cd -P $part 2>/dev/null || cd $part; i=$((i + 1)); done; cat "$OLD/1.jpg" > x.jpg )
        pmae-pack --quiet --strict --output o.stz deep
        """, environment: ["FROM": Self.pictures, "OLD": folder], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let packed = try PackedImages(folder + "/o.stz")
      #expect(packed.pictures.count == 1 && packed.labels == [0])
      #expect(packed.names?[0].utf8.count == 3 + 25 * 201 + 6)
      let cleaned = try ToolRunner.shell("rm -rf deep", in: folder)
      #expect(cleaned.status == 0)
    }
  }

  /// A folder that may be read and not written; an output that may not.
  @Test func readOnlyPlaces() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        "gzip -k shards/train-000000.tar; chmod a-w photos photos/* shards; pmae-pack --quiet --output o.stz photos; pmae-pack --quiet --output p.stz shards/train-000000.tar.gz; chmod -R u+w .",
        in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let proc = try ToolRunner.run("pmae-pack", ["photos", "--output", "/proc/o.stz"], in: folder)
      #expect(proc.status == 73 && proc.errors.contains("/proc/o.stz"), "\(proc.errors)")
    }
  }

  /// A picture that goes while the others are packed is left out and named; one that is not finished is no picture of half the size.
  @Test func filesThatGoAreLeftOut() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.shell(
        """
        ls photos/*/*.jpg | sed 's/$/ 1/' > l.txt; rm -f photos/waves/2.jpg
        pmae-pack --output o.stz l.txt
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains("photos/waves/2.jpg: No such file or directory: left out"), "\(result.errors)")
      #expect(result.errors.contains("11 pictures of 2 classes, 1 of them without a picture"), "\(result.errors)")
    }
  }

  /// A file that somebody writes to while it is read is no picture of a half.
  @Test func filesThatChangeAreLeftOut() throws {
    try ExampleFiles.withCopy { folder in
      let environment = try Faults.environment("touch").merging(["FAULT_FILE": "bars/1.jpg"]) { $1 }
      let changed = try ToolRunner.run(
        "pmae-pack", ["--no-labels", "--output", "o.stz", "photos"], environment: environment, in: folder)
      #expect(changed.status == 0, "\(changed.errors)")
      #expect(changed.errors.contains("photos/bars/1.jpg: changed while being read: left out"), "\(changed.errors)")
      #expect(try PackedImages(folder + "/o.stz").names?.contains("bars/1.jpg") == false)
    }
  }

  /// A disk that does not answer: a read, a listing, a look at what a link leads to, an opening, of a folder and of a list.
  @Test(arguments: [
    ("stall", "bars/1.jpg", "photos"), ("stall-list", "photos/bars", "photos"), ("stall-look", "photos/more", "photos"),
    ("stall-open", "photos/discs", "photos"), ("stall-open", "photos", "photos"),
    ("stall-look", "bars/0.jpg", "list.csv"),
    ("stall", "list.csv", "list.csv"), ("stall", "photos.tar.gz", "photos.tar.gz"),
  ])
  func whatWaitsForADiskSaysFor(fault: String, file: String, operand: String) throws {
    try ExampleFiles.withCopy { folder in
      let made = try ToolRunner.shell(
        "tar czf photos.tar.gz photos; mkdir extra; mv photos/waves extra; ln -s ../extra/waves photos/more; ls photos/*/*.jpg > list.csv",
        in: folder)
      #expect(made.status == 0, "\(made.errors)")
      let stalled = try ToolRunner.run(
        "pmae-pack", ["--output", "p.stz", operand],
        environment: Faults.environment(fault).merging(["FAULT_FILE": file]) { $1 }, in: folder)
      #expect(stalled.status == 0, "\(stalled.errors)")
      #expect(stalled.errors.contains("\(file): still being read, after 2"), "\(stalled.errors)")
      #expect(try PackedImages(folder + "/p.stz").pictures.count == 12)
    }
  }

  /// Lists of very many rows whose pictures are all gone are answered soon.
  @Test func aClassOfManyLostPicturesIsSettledSoon() throws {
    try ExampleFiles.withCopy { folder in
      let rows =
        (0..<20_000).map { "gone/\($0).jpg,lost\n" }.joined() + "photos/bars/0.jpg,bar\nphotos/discs/0.jpg,disc\n"
      try rows.write(toFile: folder + "/l.csv", atomically: true, encoding: .utf8)
      let start = Date()
      let result = try ToolRunner.shell("pmae-pack --output o.stz l.csv 2> errors; tail -n 2 errors", in: folder)
      #expect(result.status == 0 && result.text.contains("2 pictures of 2 classes; labels from"), "\(result.text)")
      #expect(try PackedImages(folder + "/o.stz").labels == [0, 1])
      #expect(Date().timeIntervalSince(start) < 20)
    }
  }
}
