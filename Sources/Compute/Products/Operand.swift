/// A factor of a product, as it lies in memory.
public enum Operand {
  case float32(Matrix)
  case bfloat16(BFloat16Matrix)

  public var rows: Int {
    switch self {
    case .float32(let matrix): matrix.rows
    case .bfloat16(let matrix): matrix.rows
    }
  }

  public var columns: Int {
    switch self {
    case .float32(let matrix): matrix.columns
    case .bfloat16(let matrix): matrix.columns
    }
  }
}

extension Operand {
  /// What reading it once counts for in a profile, in float32 values.
  public var traffic: Int { if case .bfloat16 = self { (rows * columns + 1) / 2 } else { rows * columns } }
}

/// Where a product goes.
public enum Destination {
  /// Over what a matrix holds, or, adding, to it.
  case matrix(Matrix, adding: Bool = false)
  /// To a function that is given each tile once, in no order and on several threads: the product is never whole in memory.
  case tiles((Tile) -> Void)

  /// Where a tile is computed.
  func place(_ rows: Range<Int>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> Matrix {
    switch self {
    case .matrix(let c, _): c.rows(rows).columns(columns)
    case .tiles: Matrix(scratch, rows: rows.count, columns: columns.count)
    }
  }

  var isAdding: Bool { if case .matrix(_, adding: true) = self { true } else { false } }

  /// Scratch values that a tile needs.
  func scratch(_ tile: (height: Int, width: Int)) -> Int {
    if case .tiles = self { tile.height * tile.width } else { 0 }
  }

  func finish(_ rows: Range<Int>, _ columns: Range<Int>, _ values: Matrix) {
    if case .tiles(let body) = self { body(Tile(rows: rows, columns: columns, values: values)) }
  }
}

/// A part of a product, in cache.
public struct Tile {
  public let rows: Range<Int>
  public let columns: Range<Int>
  /// [rows, columns]; gone when the function that was given them returns, which may change them.
  public let values: Matrix
}
