import Foundation
import TensorStream
import Testing

/// No label is changed or lost without a word: what pmae-pack says where labels, classes or columns are not what they seem.
@Suite struct PackLabelTests {
  /// A folder with the pictures k/0.jpg to k/3.jpg.
  private func withPictures<R>(_ body: (String) throws -> R) throws -> R {
    try ToolRunner.withTemporaryFolder { folder in
      let made = try ToolRunner.shell(
        "mkdir k; for i in 0 1 2 3; do cp \"$FROM/one.jpg\" k/$i.jpg; done",
        environment: ["FROM": ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/pictures"], in: folder)
      #expect(made.status == 0)
      return try body(folder)
    }
  }

  /// What is done, the status, and what is said (of several texts each).
  private typealias Case = (command: String, status: Int32, says: [String])

  private func check(_ cases: [Case], sourceLocation: SourceLocation = #_sourceLocation) throws {
    for (command, status, says) in cases {
      try withPictures { folder in
        let result = try ToolRunner.shell(command, in: folder)
        #expect(result.status == status, "\(command): \(result.errors)", sourceLocation: sourceLocation)
        for text in says {
          #expect(result.errors.contains(text), "\(command): \(result.errors)", sourceLocation: sourceLocation)
        }
        // An error leaves nothing that could be taken for a result.
        let there = FileManager.default.fileExists(atPath: folder + "/o.stz")
        #expect(there == (status == 0), "\(command)", sourceLocation: sourceLocation)
      }
    }
  }

  private let pack = "pmae-pack --output o.stz"

  @Test func aHeaderThatIsNotKnownIsAnErrorThatListsIt() throws {
    let rows = "k/0.jpg,2\\nk/1.jpg,10\\n"
    try check([
      (
        "printf 'image_id,label\\n\(rows)' > a.csv; \(pack) a.csv", 65,
        ["a.csv: line 1: \"image_id\" is no picture", "image_id, label", "--path-column", "--label-column"]
      ),
      ("printf 'id what\\nk/0.jpg 2\\n' > a.txt; \(pack) a.txt", 65, ["id, what", "--path-column"]),
      ("printf '0,k/0.jpg,cat\\n' > a.csv; \(pack) a.csv", 65, ["0, k/0.jpg, cat", "column 2 looks like it"]),
      ("printf '{\"id\":1,\"where\":\"k/0.jpg\"}\\n' > a.jsonl; \(pack) a.jsonl", 65, ["id, where", "--path-column"]),
      ("printf '{\"images\":[],\"annotations\":[]}' > a.json; \(pack) a.json", 65, ["COCO's form"]),
      ("printf 'path,label\\n\(rows)' > a.csv; \(pack) --label-column 3 a.csv", 64, ["its columns are path, label"]),
      (
        "printf '{\"path\":\"k/0.jpg\",\"label\":true}\\n' > a.jsonl; \(pack) a.jsonl", 65,
        ["line 1: its label is true"]
      ),
    ])
  }

  /// Columns by name and by number, with a header and without.
  @Test(arguments: [
    "printf 'image_id,what,label\\nk/0.jpg,x,2\\nk/1.jpg,y,10\\n' > a.csv; pmae-pack --path-column image_id --output o.stz a.csv",
    "printf 'image_id,what,label\\nk/0.jpg,x,2\\nk/1.jpg,y,10\\n' > a.csv; pmae-pack --path-column 1 --label-column 3 --output o.stz a.csv",
    "printf '7,k/0.jpg,2\\n8,k/1.jpg,10\\n' > a.csv; pmae-pack --path-column 2 --label-column 3 --output o.stz a.csv",
    "printf 'File Name;CLASS\\nk/0.jpg;2\\nk/1.jpg;10\\n' > a.csv; pmae-pack --output o.stz a.csv",
    "printf 'k/0.jpg 2\\nk/1.jpg 10\\nk/gone.jpg n/a\\n' > a.txt; pmae-pack --output o.stz a.txt",
    "printf 'image,label\\nk/0.jpg,2\\nk/1.jpg,10\\n' > a.csv; cp k/0.jpg image.jpg; pmae-pack --output o.stz a.csv",
    "printf 'image label\\nk/0.jpg 2\\nk/1.jpg 10\\n' > a.txt; cp k/0.jpg image.jpg; pmae-pack --output o.stz a.txt",
    "printf 'k/0,2\\nk/1,10\\n' > a.csv; pmae-pack --output o.stz a.csv",
    "printf 'k\\\\\\\\0.jpg\\t2\\nk\\\\\\\\1.jpg\\t10\\n' > a.txt; pmae-pack --output o.stz a.txt",
  ])
  func numbersStayNumbers(command: String) throws {
    try withPictures { folder in
      let result = try ToolRunner.shell(command, in: folder)
      #expect(result.status == 0, "\(command): \(result.errors)")
      let packed = try PackedImages(folder + "/o.stz")
      #expect(packed.labels == [2, 10], "\(command)")
      #expect(try packed.classes == (0...10).map(String.init), "\(command)")
    }
  }

  @Test func labelsThatArePartlyNumbersAreAnError() throws {
    func list(_ labels: [String]) -> String {
      "printf 'path,label\\n\(labels.enumerated().map { "k/\($0).jpg,\($1)\\n" }.joined())' > a.csv; \(pack)"
    }
    let how = "--label-type text"
    try check([
      ("\(list(["2", "n/a", "10"])) a.csv", 65, ["k/1.jpg: label \"n/a\" is no class number", "\"2\" of a.csv", how]),
      ("\(list(["2", "-1"])) a.csv", 65, ["k/1.jpg: label \"-1\"", how]),
      ("\(list(["0.5", "1.5"])) a.csv", 65, ["k/0.jpg: label \"0.5\" is no class number", how]),
      ("\(list(["1", "02"])) a.csv", 65, ["k/1.jpg: label \"02\"", how, "--label-type number"]),
      ("\(list(["nan", "1"])) a.csv", 65, ["k/0.jpg: label \"nan\"", how]),
      ("\(list(["1", "1000000"])) a.csv", 65, ["label \"1000000\"", how]),
      (
        "\(list(["1", "x"])) --label-type number a.csv", 65,
        ["k/1.jpg: label \"x\" is no class number: expected 0 to 999999"]
      ),
      ("\(list(["2", "n/a", "10"])) --label-type text a.csv", 0, ["3 pictures of 3 classes"]),
      ("\(list(["2", "n/a", "10"])) --class-names 2,n/a,10 a.csv", 0, ["3 pictures of 3 classes"]),
      ("\(list(["2", "cat"])) --class-names cat,dog a.csv", 65, ["has the class 2, which is not among --class-names"]),
      ("\(list(["cat", ""])) a.csv", 65, ["k/1.jpg: has no label, but others of a.csv have", "--no-labels"]),
      ("\(list(["cat", "dog"])) --label-type number --no-labels a.csv", 64, ["--label-type and --no-labels exclude"]),
    ])
    // By name, whatever the order: a class number is never another class's name.
    try withPictures { folder in
      let result = try ToolRunner.shell("\(list(["0", "1", "1"])) --class-names 1,0 a.csv", in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try PackedImages(folder + "/o.stz").labels == [1, 0, 0])
    }
  }

  /// The last line of every run.
  @Test func everyRunSaysWhereLabelsCameFrom() throws {
    try check([
      ("\(pack) k", 0, ["4 pictures; no labels: k has no sub-folders, which would be classes"]),
      ("mkdir p; mv k p/cat; \(pack) p", 0, ["4 pictures of 1 class; labels from the folders of p"]),
      (
        "printf 'path,species\\nk/0.jpg,cat\\n' > a.csv; \(pack) a.csv", 0,
        ["1 picture; no labels: a.csv has no column that is known to hold labels", "path, species", "--label-column"]
      ),
      (
        "printf 'path, label\\nk/0.jpg, cat\\n' > a.csv; \(pack) a.csv", 0,
        ["1 picture of 1 class; labels from column \"label\""]
      ),
      (
        "printf '{\"path\":\"k/0.jpg\",\"species\":1}\\n' > a.jsonl; \(pack) a.jsonl", 0,
        ["no labels: a.jsonl has no key", "path, species", "--label-column"]
      ),
      (
        "printf 'path,label\\nk/0.jpg,\\n' > a.csv; \(pack) a.csv", 0, ["no labels: column \"label\" of a.csv is empty"]
      ),
      ("ls k/* > a.txt; \(pack) a.txt", 0, ["no labels: a.txt has a path in each line and nothing behind it"]),
      ("echo 'x,label' > k/labels.csv; \(pack) k", 0, ["k/labels.csv lies in it"]),
      (
        "mkdir p; cp -r k p/cat; cp -r k p/dog; \(pack) p/*", 0,
        ["8 pictures; no labels: p/cat and the others have no sub-folders", "name p, the folder that they are in"]
      ),
      ("\(pack) k/*", 0, ["4 pictures; no labels: picture files have none by themselves"]),
      (
        "cd k; tar cf ../a.tar *; cd ..; \(pack) a.tar", 0,
        ["no labels: a.tar has no .cls or .json member beside a picture"]
      ),
      (
        "cd k; echo '{\"species\":1}' > 0.json; tar cf ../a.tar *; cd ..; \(pack) a.tar", 0,
        ["no labels: the .json members of a.tar have the keys species: --label-column"]
      ),
      ("\(pack) --no-labels k", 0, ["4 pictures; no labels: --no-labels leaves them out"]),
      ("\(pack) --require-labels k", 65, ["k: no labels: k has no sub-folders"]),
      ("\(pack) --require-labels --no-labels k", 64, ["exclude each other"]),
      ("printf 'k/0.jpg,2\\n' > a.csv; \(pack) a.csv", 0, ["1 picture of 3 classes, 2 of them without a picture"]),
      (
        "printf 'k/0.jpg,a\\nx.jpg,b\\n' > a.csv; \(pack) a.csv", 0, ["\"b\" is no class: no picture of it can be read"]
      ),
    ])
    try withPictures { folder in
      let quiet = try ToolRunner.shell("\(pack) --quiet k", in: folder)
      #expect(quiet.status == 0 && quiet.errors == "")
    }
  }

  @Test func linesThatCanBeReadInTwoWaysAreErrors() throws {
    try check([
      (
        "printf 'k/0.jpg golden retriever\\n' > a.txt; \(pack) a.txt", 65,
        ["line 1: several words after the path k/0.jpg: golden retriever"]
      ),
      (
        "printf 'path,label\\nk/0.jpg,a,b\\n' > a.csv; \(pack) a.csv", 65,
        ["line 2: 3 fields, but 2 in the first row: \"b\""]
      ),
      ("printf 'path label\\nk/0.jpg a b\\n' > a.txt; \(pack) a.txt", 65, ["line 2: 3 words, but 2 in the first row"]),
      ("printf 'path,label\\nk/0.jpg,cat,\\n' > a.csv; \(pack) a.csv", 0, ["1 picture of 1 class"]),
    ])
  }

  // MARK: Folders

  /// One rule for a class without a picture, whatever else is in its folder; the same in a tar file.
  @Test func aClassWithoutAPictureIsAnErrorUnlessItIsAllowed() throws {
    let classes = "mkdir -p p; cp -r k p/cat;"
    let cases = [
      "mkdir p/dog", "mkdir p/dog; echo > p/dog/Thumbs.db", "mkdir -p p/dog/sub/.x", "mkdir p/dog; echo > p/dog/1.MOV",
      "mkdir p/dog; echo no picture > p/dog/1.jpg",
    ]
    for made in cases {
      try check([
        (
          "\(classes) \(made); \(pack) p", 65,
          ["p: class dog: there is no picture of it that can be read", "--allow-empty-classes"]
        ),
        (
          "\(classes) \(made); \(pack) --allow-empty-classes p", 0,
          ["4 pictures of 2 classes, 1 of them without a picture"]
        ),
        ("\(classes) \(made); \(pack) --no-labels p", 0, ["4 pictures; no labels"]),
        (
          "\(classes) \(made); tar cf a.tar p; \(pack) a.tar", 65,
          ["a.tar: class dog: there is no picture", "--allow-empty-classes"]
        ),
        (
          "\(classes) \(made); tar cf a.tar p; \(pack) --allow-empty-classes a.tar", 0,
          ["4 pictures of 2 classes, 1 of them"]
        ),
      ])
    }
    // What zip and cameras leave is no class.
    try check([
      (
        "\(classes) mkdir -p p/__MACOSX/cat p/@eaDir; echo > p/__MACOSX/cat/._0.jpg; \(pack) p", 0,
        ["4 pictures of 1 class;"]
      ),
      ("\(classes) cp -r p/cat p/__MACOSX; tar cf a.tar p; \(pack) a.tar", 0, ["4 pictures of 1 class;"]),
    ])
  }

  /// Without labels a tree of any shape is its pictures.
  @Test func withoutLabelsATreeIsItsPictures() throws {
    try withPictures { folder in
      let result = try ToolRunner.shell(
        """
        mkdir -p p/2023/01 p/2024 p/2022 p/@eaDir; cp k/0.jpg p; cp k/1.jpg p/2023/01; cp k/2.jpg p/2024
        echo > p/Thumbs.db; echo > p/2024/x.MOV; cp k/3.jpg p/@eaDir
        pmae-pack --no-labels --output o.stz p
        """, in: folder)
      #expect(result.status == 0 && !result.errors.contains("left out"), "\(result.errors)")
      #expect(try PackedImages(folder + "/o.stz").names == ["0.jpg", "2023/01/1.jpg", "2024/2.jpg"])
    }
    try check([
      (
        "mkdir p; cp -r k p/cat; cp k/0.jpg p; \(pack) p", 65,
        ["p/0.jpg: a picture beside the class folders of p", "--no-labels"]
      ),
      ("mkdir p; cp -r k p/cat; ln -s nowhere p/dog; \(pack) --no-labels p", 0, ["4 pictures; no labels"]),
      ("mkdir p; cp -r k p/cat; echo words > p/README; \(pack) p", 0, ["p/README: not a", "4 pictures of 1 class"]),
    ])
  }

  @Test func foldersThatAreNoClassesAreNamedForWhatTheyAre() throws {
    let parts = "mkdir -p p/train p/val; cp -r k p/train/cat; cp -r k p/val/cat;"
    try check([
      (
        "\(parts) \(pack) p", 65,
        ["p: its folders train and val are parts of a set, not classes: --split train", "--no-labels"]
      ),
      (
        "\(parts) tar cf a.tar p; \(pack) a.tar", 65,
        ["a.tar: its folders train and val are parts of a set", "--split train"]
      ),
      ("\(parts) \(pack) --split val p", 0, ["4 pictures of 1 class; labels from the folders of p/val"]),
      ("\(parts) \(pack) --split test p", 64, ["p: --split test: there is no such folder in it: it has train, val"]),
      (
        "\(parts) tar cf a.tar p; \(pack) --split test a.tar", 64,
        ["--split test: no picture is in a folder of that name; there are train, val"]
      ),
      ("\(parts) \(pack) --class-names train,val p", 0, ["8 pictures of 2 classes"]),
      ("\(parts) \(pack) --no-labels p", 0, ["8 pictures; no labels"]),
      (
        "mkdir p; cp -r k p/images; cp -r k p/masks; \(pack) p", 65,
        ["p: its folders images and masks are pictures and what was drawn on them"]
      ),
      (
        "mv k train; tar cf a.tar train; \(pack) a.tar", 0,
        ["4 pictures; no labels: the one folder in a.tar is train, a part of a set"]
      ),
      ("mkdir p; cp -r k p/train; cp -r k p/bus; \(pack) p", 0, ["8 pictures of 2 classes"]),
      (
        "mkdir c; for f in batches.meta data_batch_1; do echo > c/$f; done; \(pack) c", 65,
        ["c: CIFAR-10 as Python objects (pickles)", "cifar-10-binary.tar.gz"]
      ),
      ("mkdir c; for f in meta train test; do echo > c/$f; done; \(pack) c", 65, ["c: CIFAR-100 as Python objects"]),
      (
        "mkdir c; for f in batches.meta data_batch_1; do echo > c/$f; done; tar cf a.tar c; \(pack) a.tar", 65,
        ["CIFAR-10 as Python objects"]
      ),
    ])
  }

  /// What is left out beside a picture is said.
  @Test func masksThatAreLeftOutAreSaid() throws {
    try check([
      (
        "cp k/0.jpg k/0.edited.jpg; \(pack) k", 0,
        ["1 picture left out, as k/0.edited.jpg", "--with-masks", "4 pictures;"]
      ),
      (
        "cp k/0.jpg k/0_mask.jpg; tar cf a.tar k; \(pack) a.tar", 0,
        ["1 picture left out, as a.tar: k/0_mask.jpg", "4 pictures of"]
      ),
      ("cp k/0.jpg k/0.edited.jpg; \(pack) --with-masks k", 0, ["5 pictures;"]),
      ("cp k/0.jpg k/0.seg.jpg; \(pack) k/*", 0, ["1 picture left out, as k/0.seg.jpg", "4 pictures;"]),
      (
        "for f in Thumbs.db 0.MOV 0.json 1.jpg.json; do echo > k/$f; done; mkdir k/@eaDir; \(pack) k/*", 0,
        ["5 operands passed over", "4 pictures;"]
      ),
      ("cp k/0.jpg k/0.1.jpg; cp k/0.jpg k/a_mask.jpg; \(pack) k", 0, ["6 pictures;"]),
    ])
  }
}
