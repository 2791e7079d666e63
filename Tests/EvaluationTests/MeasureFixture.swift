import Foundation
import TensorStream

/// Inputs and what scikit-learn and SciPy say of them, from Tests/Fixtures/measures (see the README there).
struct MeasureFixture {
  private let record: Record

  init(_ name: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    record = try readTensors(path: "\(folder)/Fixtures/measures/\(name).safetensors")
  }

  private func tensor(_ name: String) throws -> StoredTensor {
    guard let tensor = record[name] else { throw Failure(.noInput, "the fixture has no \(name)") }
    return tensor
  }

  func floats(_ name: String) throws -> [Float] { try tensor(name).values(of: Float.self) }
  func doubles(_ name: String) throws -> [Double] { try tensor(name).values(of: Double.self) }
  func labels(_ name: String) throws -> [Int32] { try tensor(name).values(of: Int32.self) }
  func bytes(_ name: String) throws -> [UInt8] { try tensor(name).values(of: UInt8.self) }
  func integers(_ name: String) throws -> [Int64] { try tensor(name).values(of: Int64.self) }
  func shape(_ name: String) throws -> [Int] { try tensor(name).shape }
}

/// Whether values are those expected, within a share of the greatest of them.
func near(_ values: [Double], _ expected: [Double], _ tolerance: Double) -> Bool {
  let scale = max(1, expected.map(abs).max() ?? 1)
  return values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance * scale }
}
