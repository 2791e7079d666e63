import Foundation
import TensorStream
import Testing

/// A folder of class folders is read as torchvision's ImageFolder reads it. Fixtures/image_folder.py wrote down what that says of the
/// trees of Fixtures/image-folder.sh.
@Suite struct ImageFolderTests {
  /// Names are hexadecimal.
  private struct Tree: Decodable {
    let classes: [String]
    let labels: [String: Int32]
  }

  private static let fixtures = ToolRunner.checkout + "/Tests/ToolTests/Fixtures/"

  private func printed(_ hexadecimal: String) throws -> String {
    let digits = Array(hexadecimal.utf8)
    let bytes = try stride(from: 0, to: digits.count, by: 2).map { at in
      try #require(UInt8(String(decoding: digits[at..<at + 2], as: UTF8.self), radix: 16))
    }
    return printable(bytes)
  }

  @Test func classesAndLabelsAreThoseOfTorchvision() throws {
    let json = try Data(contentsOf: URL(fileURLWithPath: Self.fixtures + "image-folder.json"))
    let trees = try JSONDecoder().decode([String: Tree].self, from: json)
    #expect(trees.count == 3)
    try ToolRunner.withTemporaryFolder { folder in
      let made = try ToolRunner.run(
        Self.fixtures + "image-folder.sh", [ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/pictures/one.jpg"],
        in: folder)
      #expect(made.status == 0, "\(made.errors)")
      for (name, tree) in trees {
        let result = try ToolRunner.run(
          "pmae-pack", ["--quiet", "--output", "\(folder)/\(name).stz", "\(folder)/trees/\(name)"])
        #expect(result.status == 0, "\(name): \(result.errors)")
        let packed = try PackedImages("\(folder)/\(name).stz")
        #expect(try packed.classes == tree.classes.map(printed), "\(name)")
        let labels = Dictionary(uniqueKeysWithValues: zip(try #require(packed.names), try #require(packed.labels)))
        let expected = Dictionary(uniqueKeysWithValues: try tree.labels.map { (try printed($0), $1) })
        #expect(labels == expected, "\(name)")
      }
    }
  }
}
