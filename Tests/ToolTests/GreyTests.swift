import Foundation
import TensorStream
import Testing

/// pmae-pack --channels 1: pictures with colours are what Pillow's convert("L") makes of them. ImagingTests/Fixtures/grey.py wrote that down.
@Suite struct GreyTests {
  private static let fixtures = ToolRunner.checkout + "/Tests/ImagingTests/Fixtures/"

  @Test func coloursBecomeGreyAsByPillow() throws {
    guard case .safetensors(let greys) = try AnyInput(path: Self.fixtures + "grey.safetensors") else {
      Issue.record("grey.safetensors is a stream")
      return
    }
    #expect(greys.tensors.count == 9)
    try ToolRunner.withTemporaryFolder { folder in
      for (name, tensor) in greys.tensors {
        let (height, width) = (tensor.shape[0], tensor.shape[1])
        let side = min(height, width)
        let result = try ToolRunner.shell(
          """
          pmae-pack --quiet --channels 1 --overwrite --output one.stz "$FILE"
          pmae-augment --quiet --channels 1 --views center --crop-ratio 1 --size \(side) --overwrite --output view.stz one.stz
          """, environment: ["FILE": Self.fixtures + name], in: folder)
        #expect(result.status == 0, "\(name): \(result.errors)")
        let expected = try tensor.values(of: UInt8.self)
        // All pixels, by their mean and deviation, and those of the middle one by one.
        let metadata = try IndexedStream(path: folder + "/one.stz").header.metadata
        let mean = expected.reduce(0) { $0 + Double($1) } / Double(expected.count) / 255
        let square = expected.reduce(0) { $0 + Double($1) * Double($1) } / Double(expected.count) / 255 / 255
        let statistics = try ["mean", "std"].map { key in
          try JSONDecoder().decode([Double].self, from: Data((metadata[key] ?? "[]").utf8))
        }
        #expect(statistics[0].count == 1 && abs(statistics[0][0] - mean) < 1e-12, "\(name)")
        #expect(
          statistics[1].count == 1 && abs(statistics[1][0] - (square - mean * mean).squareRoot()) < 1e-9, "\(name)")
        let view = try #require(try StreamReader(path: folder + "/view.stz").next()?["center"])
        #expect(view.shape == [1, side, side, 1])
        let (top, left) = (
          Int((Double(height - side) / 2).rounded(.toNearestOrEven)),
          Int((Double(width - side) / 2).rounded(.toNearestOrEven))
        )
        let middle = (top..<top + side).flatMap { expected[$0 * width + left..<$0 * width + left + side] }
        #expect(try view.values(of: UInt8.self) == middle, "\(name)")
      }
    }
  }
}
