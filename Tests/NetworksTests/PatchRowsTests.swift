import Autodiff
import Compute
import Networks
import Schemas
import TestSupport
import Testing
import Training

/// Patches as rows of a matrix.
struct PatchRowsTests {
  @Test(arguments: [1, 3], [PatchOrder.channelsFirst, .channelsLast])
  func eachValueIsItsPixel(_ channels: Int, _ order: PatchOrder) {
    let (side, patch) = (12, 3)
    let grid = side / patch
    let images = testImages([0, 1], side: side, channels: channels)
    // Of each image its own three patches, in an order of their own.
    let ids: [Int32] = [5, 0, 15, 3, 12, 6]
    let rows = patchRows(images, ids: ids, patch: patch, order: order, engine: Engine(threads: 2, poisoning: true))
    #expect(rows.rows == 6 && rows.columns == channels * patch * patch && !rows.tracksGradient)
    for (r, id) in ids.enumerated() {
      for c in 0..<channels {
        for y in 0..<patch {
          for x in 0..<patch {
            let (row, column) = (Int(id) / grid * patch + y, Int(id) % grid * patch + x)
            let pixel = images.pixels[((r / 3 * side + row) * side + column) * channels + c]
            let mean = 0.4 + 0.05 * Double(c)
            let std = 0.2 + 0.03 * Double(c)
            let place = order == .channelsFirst ? (c * patch + y) * patch + x : (y * patch + x) * channels + c
            let value = (Double(pixel) / 255 - mean) / std
            #expect(
              abs(Double(rows.row(r)[place]) - value) <= 1e-6 * max(1, abs(value)), "row \(r), (\(c), \(y), \(x))")
          }
        }
      }
    }
  }

  @Test func onePatchIsTheWholeImage() {
    let images = testImages([3], side: 5, channels: 3)
    let rows = patchRows(images, ids: [0], patch: 5, order: .channelsLast, engine: Engine(threads: 1, poisoning: true))
    #expect(rows.rows == 1 && rows.columns == 75)
    // In the order of the pixels themselves: brighter is greater, channel by channel.
    for c in 0..<3 {
      let pairs = (0..<25).map { (images.pixels[$0 * 3 + c], rows.pointer[$0 * 3 + c]) }.sorted { $0.0 < $1.0 }
      #expect(zip(pairs, pairs.dropFirst()).allSatisfy { $0.0 == $1.0 ? $0.1 == $1.1 : $0.1 < $1.1 })
    }
  }
}
