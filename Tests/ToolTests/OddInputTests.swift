import Foundation
import Schemas
import TensorStream
import Testing

/// What somebody gives the tools that nobody thought of: names, lists, sets and numbers that once crashed them or changed a label.
@Suite struct OddInputTests {
  /// Folders a and b of cat, dog and emu, two of cat and dog, fox of cat, dog and fox, each packed and as features of pixels.
  private func prepared(_ body: (String) throws -> Void) throws {
    try ExampleFiles.withCopy { folder in
      let made = try ToolRunner.shell(
        """
        set -e
        picture=$(find "$PWD/photos" -name '*.jpg' | sort | head -n 1)
        for set in a:cat,dog,emu b:cat,dog,emu two:cat,dog fox:cat,dog,fox; do
          name=${set%%:*}
          for class in $(echo "${set#*:}" | tr , ' '); do
            mkdir -p "$name/$class"
            cp "$picture" "$name/$class/0.jpg"; cp "$picture" "$name/$class/1.jpg"
          done
          pmae-pack --quiet --short-side 16 --output $name.stz $name
          pmae-augment --quiet --views center --size 16 --output $name.center.stz $name.stz
          pmae-evaluate embed --quiet --pixels --output $name.features.stz $name.center.stz
        done
        pmae-finetune --quiet --image 16 --patch 8 --width 16 --depth 1 --heads 1 --batch 2 --output m.stz a.center.stz
        """, in: folder)
      try #require(made.status == 0, "\(made.errors)")
      try body(folder)
    }
  }

  private func expect(
    _ command: String, _ status: Int32, _ message: String = "", in folder: String,
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try ToolRunner.shell(command, in: folder)
    #expect(result.status == status, "\(command): \(result.errors)", sourceLocation: location)
    #expect(
      message.isEmpty || result.errors.contains(message), "\(command): \(result.errors)", sourceLocation: location)
  }

  @Test func anOutputMayHaveANameOfOneLetter() throws {
    try prepared { folder in
      try expect("pmae-pack --quiet --output p a && test -s p", 0, in: folder)
      try expect("pmae-export --quiet --output é m.stz && test -s é", 0, in: folder)
      try expect("pmae-finetune --quiet --init m.stz --batch 2 --output q a.center.stz && test -s q", 0, in: folder)
      try expect("pmae-inspect --contact-sheet c a.stz && test -s c", 0, in: folder)
      try expect("pmae-pack --quiet --output nowhere/p a", 73, "there is no folder nowhere", in: folder)
    }
  }

  /// A list beside another operand is no sidecar of itself.
  @Test func aListBesideAFolderIsPacked() throws {
    try prepared { folder in
      try expect(
        #"printf '{"path":"b/cat/0.jpg","label":"cat"}\n' > extra.json && pmae-pack --output l.stz a extra.json"#, 0,
        "7 pictures in", in: folder)
    }
  }

  /// Of three sets the second and the third disagree, where the first says nothing.
  @Test func setsAgreeWithAllBeforeThem() throws {
    try prepared { folder in
      try expect(
        "pmae-evaluate join --output j.stz two.features.stz a.features.stz fox.features.stz", 65,
        "fox.features.stz: class 2 is \"fox\", but that of the features before it is \"emu\"", in: folder)
      try expect("pmae-evaluate join --quiet --output j.stz two.features.stz a.features.stz", 0, in: folder)
      let joined = try StreamReader(path: folder + "/j.stz").header
      #expect(joined.metadata["classes"] == #"["cat","dog","emu"]"#)
      // And so do masks.
      let masks = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/masks/pair"
      try expect(
        """
        printf 'tree\nground\ncar\n' > turned.txt
        n=0
        for classes in 3 '\(masks)/names.txt' turned.txt; do
          n=$((n + 1))
          pmae-pack --quiet --masks '\(masks)/masks' --mask-classes "$classes" --output m$n.stz '\(masks)/images'
        done
        pmae-augment --quiet --views segment-test --size 16 --output both.stz m1.stz m2.stz
        """, 0, in: folder)
      let both = try StreamReader(path: folder + "/both.stz").header
      #expect(both.metadata["mask_classes"] == #"["ground","tree","car"]"#)
      try expect(
        "pmae-augment --views segment-test --size 16 --output all.stz m1.stz m2.stz m3.stz", 65,
        "m3.stz: class 0 is \"tree\", but that of the masks of the streams before it is \"ground\"", in: folder)
    }
  }

  /// Features keep what their labels are.
  @Test func featuresOfSetsAreNotClasses() throws {
    try prepared { folder in
      try expect(
        """
        find a -name '*.jpg' | sort | awk 'BEGIN { print "path,label" } { print $0 "," (NR % 2 ? "x|y" : "y|z") }' > l.csv
        pmae-pack --quiet --short-side 16 --label-separator '|' --output s.stz l.csv
        pmae-augment --quiet --views center --size 16 --output s.center.stz s.stz
        pmae-evaluate embed --quiet --pixels --output s.features.stz s.center.stz
        """, 0, in: folder)
      try expect(
        "pmae-evaluate knn s.features.stz s.features.stz", 65,
        "s.features.stz: its labels are sets of classes", in: folder)
      try expect(
        "pmae-evaluate join --output j.stz a.features.stz s.features.stz", 65,
        "s.features.stz: sets of classes for labels, with \"|\" between, but those of a.features.stz have one class",
        in: folder)
      // Held-out views may lack a class, and go by its name.
      try expect(
        """
        sed 's/x|y/y/' l.csv > yz.csv
        pmae-pack --quiet --short-side 16 --label-separator '|' --output yz.stz yz.csv
        pmae-augment --quiet --views center --size 16 --output yz.center.stz yz.stz
        pmae-finetune --quiet --init m.stz --batch 2 --validate yz.center.stz --metrics v.jsonl --output v.stz s.center.stz
        """, 0, in: folder)
      let metrics = try String(contentsOfFile: folder + "/v.jsonl", encoding: .utf8)
      #expect(metrics.contains("\"validation_loss\":"))
      try expect(
        "pmae-finetune --init m.stz --batch 2 --validate s.center.stz --output w.stz yz.center.stz", 65,
        "s.center.stz: class \"x\" is none of those of yz.center.stz", in: folder)
      try expect(
        "pmae-finetune --init m.stz --batch 2 --validate a.center.stz --output w.stz s.center.stz", 65,
        "a.center.stz: its labels are a class each, unlike those of s.center.stz", in: folder)
      // Without names there is no saying which output is which class.
      let record = try readTensors(path: folder + "/v.stz")
      try StreamWriter.writeOneRecord(
        path: folder + "/nameless.stz", kind: "weights",
        metadata: record.metadata.filter { $0.key == "config" || $0.key == "mean" || $0.key == "std" },
        tensors: record.tensors)
      try expect(
        "pmae-evaluate classify nameless.stz yz.center.stz", 65, "nameless.stz: names no classes", in: folder)
    }
  }

  /// Names of masks' classes are counted by their lines.
  @Test(arguments: [
    (#"a\n\nb\n"#, "line 2: is empty, and names come after it"), (#"\na\n"#, "line 1: is empty"),
    (#"a\na\n"#, "two classes are called \"a\""),
  ])
  func namesOfMasksAreLines(text: String, message: String) throws {
    try ToolRunner.withTemporaryFolder { folder in
      let masks = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/masks/pair"
      try expect(
        "printf '\(text)' > n.txt; pmae-pack --masks '\(masks)/masks' --mask-classes n.txt --output o.stz '\(masks)/images'",
        65,
        message, in: folder)
    }
  }

  @Test func tablesCountEachResultOnce() throws {
    try ToolRunner.withTemporaryFolder { folder in
      func table(_ options: String, _ lines: String) throws -> String {
        let result = try ToolRunner.shell(
          "printf '\(lines)' > r.tsv; pmae-evaluate table \(options) r.tsv", in: folder)
        #expect(result.status == 0, "\(result.errors)")
        return result.text
      }
      let spelled = try table("--rows name --columns lr", #"name\tlr\ttop1\na\t1e-3\t0.5\na\t0.001\t0.9\n"#)
      #expect(spelled.contains("0.50") && spelled.contains("0.90"), "\(spelled)")
      let twice = try table("--rows k --value top1 --value top1=accuracy", #"k\ttop1\n5\t0.5\n"#)
      #expect(!twice.contains("±"), "\(twice)")
    }
  }

  /// Numbers that no machine has room for.
  @Test(arguments: [
    ("pmae-augment --views center --size 8 --crop-ratio 1e-300 --output x.stz a.stz", "expected 0.01 to 1"),
    ("pmae-augment --rows-per-record 9223372036854775807 --size 8 --output x.stz a.stz", "expected at most 1073741824"),
    (
      "pmae-augment --epochs 9223372036854775807 --size 8 --output x.stz a.stz",
      "--epochs is 9223372036854775807: expected at"
    ),
    (
      "pmae-finetune --init m.stz --epochs 9223372036854775807 --output x.stz a.center.stz",
      "epochs must be from 1 to 1,073"
    ),
    (
      "pmae-pretrain --objective mae --image 16 --patch 8 --epochs 9223372036854775807 --output x a.center.stz",
      "epochs must be from 1 to 1,073"
    ),
    ("pmae-finetune --init - --output x.stz < m.stz", "only one of --init and the views can be standard input"),
    (
      "pmae-finetune --init m.stz --batch 2 --validate - --output x.stz a.center.stz < b.center.stz",
      "are read many times"
    ),
    (
      "mkfifo f; pmae-finetune --init m.stz --batch 2 --validate f --output x.stz a.center.stz",
      "f: held-out views are read"
    ),
    ("pmae-evaluate segment --predictions d --overlays d m.stz a.center.stz", "--predictions name one file"),
    ("pmae-export --pool mean --layout mae --without-head --output x.stz m.stz", "--pool: weights without a head"),
  ])
  func whatCannotBeIsAUsageError(command: String, message: String) throws {
    try prepared { try expect(command, 64, message, in: $0) }
  }

  /// Weights are held against their configuration before they are written.
  @Test func whatIsExportedIsWhole() throws {
    try prepared { folder in
      let record = try readTensors(path: folder + "/m.stz")
      let metadata = record.metadata.filter { ["config", "mean", "std", "classes"].contains($0.key) }
      let extra: [NamedTensor] = [(name: "extra", tensor: record.tensors[0].tensor)]
      for (name, tensors, message) in [
        ("less", record.tensors.filter { $0.name != "head.bias" }, "missing: head.bias"),
        ("more", record.tensors + extra, "not expected: extra"),
      ] {
        try StreamWriter.writeOneRecord(
          path: "\(folder)/\(name).stz", kind: "weights", metadata: metadata, tensors: tensors)
        for output in ["x.stz", "x.onnx"] {
          try expect("pmae-export --overwrite --output \(output) \(name).stz", 65, message, in: folder)
        }
      }
    }
  }
}
