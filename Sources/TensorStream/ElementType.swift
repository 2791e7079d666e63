/// The element types that a safetensors document may hold here; the raw value is the document's `dtype`.
public enum ElementType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  case u16 = "U16"
  case i16 = "I16"
  case f16 = "F16"
  case bf16 = "BF16"
  case u32 = "U32"
  case i32 = "I32"
  case f32 = "F32"
  case u64 = "U64"
  case i64 = "I64"
  case f64 = "F64"

  /// Bytes per element.
  public var size: Int {
    switch self {
    case .bool, .u8, .i8: 1
    case .u16, .i16, .f16, .bf16: 2
    case .u32, .i32, .f32: 4
    case .u64, .i64, .f64: 8
    }
  }
}

/// A Swift type that has the memory layout of one `ElementType`.
public protocol Element: BitwiseCopyable, Sendable {
  static var elementType: ElementType { get }
}

extension UInt8: Element { public static var elementType: ElementType { .u8 } }
extension Int8: Element { public static var elementType: ElementType { .i8 } }
extension UInt16: Element { public static var elementType: ElementType { .u16 } }
extension Int16: Element { public static var elementType: ElementType { .i16 } }
extension UInt32: Element { public static var elementType: ElementType { .u32 } }
extension Int32: Element { public static var elementType: ElementType { .i32 } }
extension UInt64: Element { public static var elementType: ElementType { .u64 } }
extension Int64: Element { public static var elementType: ElementType { .i64 } }
extension Float: Element { public static var elementType: ElementType { .f32 } }
extension Double: Element { public static var elementType: ElementType { .f64 } }
