import Foundation
import Testing

/// pipelines/endurance.mk with few kills; by hand it takes fifty and more.
@Suite struct EnduranceTests {
  @Test(arguments: ["pretrained", "finetuned"]) func killsAtRandomMomentsCostNoBit(target: String) throws {
    try ExampleFiles.withCopy { folder in
      let kills = ProcessInfo.processInfo.environment["PMAE_KILLS"] ?? "8"
      let result = try ToolRunner.run(
        ToolRunner.checkout + "/pipelines/endurance.mk",
        [
          target, "OUT=\(folder)/endurance", "IMAGES=\(folder)/images.stz", "KILLS=\(kills)",
          "BIN=\(ToolRunner.folder)",
        ],
        environment: ["MAKEFLAGS": ""], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("\(kills) kills"), "\(result.text)")
      #expect(result.text.contains("the same files"), "\(result.text)")
    }
  }
}
