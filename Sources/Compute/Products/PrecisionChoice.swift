/// What `--precision` takes: a precision, or the quicker of the two on this processor.
public enum PrecisionChoice: String, CaseIterable, Sendable {
  case float32, bfloat16, auto

  /// `auto` is bfloat16 where the processor has its instructions. Emulated it is the slower of the two.
  public var precision: Precision {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .auto: Self.hasBFloat16 ? .bfloat16 : .float32
    }
  }

  /// Why `--precision` can't be it here, and how to get it, for an error message; nil where it can.
  public var unavailable: String? { precision.unavailable }

  /// What was chosen, and why; empty where nothing was left to choose.
  public var notes: [String] {
    guard self == .auto else { return [] }
    if Self.hasBFloat16 { return ["--precision auto is bfloat16: this processor has instructions for it"] }
    let reason = BFloat16.unavailable ?? "this processor has no instructions for it"
    return ["--precision auto is float32, not bfloat16: \(reason)"]
  }

  private static var hasBFloat16: Bool { BFloat16.unavailable == nil && !BFloat16.isEmulated }
}
