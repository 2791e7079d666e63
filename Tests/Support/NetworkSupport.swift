import Autodiff
import Compute
import Foundation
import Networks
import Parallel

/// A file beside the tests.
public func fixture(_ path: String, beside file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures/" + path).path
}

/// An encoder with weights that are neither zero nor one anywhere, so that each of them shows.
public func testEncoder(_ configuration: EncoderConfiguration, dropPath: Double = 0, engine: Engine) -> Encoder {
  let encoder = Encoder(configuration, dropPath: dropPath, engine: engine, trained: true)
  for (place, parameter) in encoder.parameters.enumerated() {
    var random = CounterRandom(seed: 1, epoch: 0, sample: place, purpose: 0x7E57)
    let scale = parameter.decays ? 1 / Double(parameter.tensor.columns).squareRoot() : 0.2
    for i in 0..<parameter.tensor.count { parameter.values.pointer[i] += Float(scale * random.normal()) }
  }
  return encoder
}

/// Pixels that differ everywhere, by the numbers of the images.
public func testImages(_ numbers: [Int], side: Int, channels: Int) -> ImageBatch {
  let pixels = numbers.flatMap { number in
    var random = CounterRandom(seed: 2, epoch: 0, sample: number, purpose: 0x7E57)
    return (0..<side * side * channels).map { _ in UInt8(random.below(256)) }
  }
  return ImageBatch(
    pixels: pixels, count: numbers.count, side: side, channels: channels,
    mean: (0..<channels).map { 0.4 + 0.05 * Float($0) }, std: (0..<channels).map { 0.2 + 0.03 * Float($0) })
}

extension Tensor {
  public var array: [Float] { Array(values.values.prefix(count)) }

  public func rows(_ range: Range<Int>) -> [Float] {
    Array(values.values[range.lowerBound * columns..<range.upperBound * columns])
  }
}
