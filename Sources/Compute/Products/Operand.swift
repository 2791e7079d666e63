/// A factor of a product, as it lies in memory.
public enum Operand: ~Escapable {
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
  /// 32-bit words that reading it once moves, for a profile: two values of bfloat16 are one.
  public var wordsMoved: Int { if case .bfloat16 = self { (rows * columns + 1) / 2 } else { rows * columns } }
}

/// Where a product goes.
enum Destination: ~Escapable {
  /// Over what a matrix holds, or, adding, to it.
  case matrix(Matrix, adding: Bool)
  /// To a function that is given each tile once.
  case tiles((Tile) -> Void)

  /// Where a tile is computed.
  @_lifetime(copy self)
  func place(_ rows: Range<Int>, _ columns: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> Matrix {
    switch self {
    case .matrix(let c, _): return c.rows(rows).columns(columns)
    case .tiles:
      return _overrideLifetime(Matrix(scratch, rows: rows.count, columns: columns.count), copying: self)
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
public struct Tile: ~Escapable {
  public let rows: Range<Int>
  public let columns: Range<Int>
  /// [rows, columns]; the function that is given them may change them.
  public let values: Matrix

  @_lifetime(copy values)
  init(rows: Range<Int>, columns: Range<Int>, values: Matrix) {
    self.rows = rows
    self.columns = columns
    self.values = values
  }
}
