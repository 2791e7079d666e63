/// What this build and this machine can do in bfloat16. Where `unavailable` says something, no product of bfloat16
/// matrices may be asked for: whoever offers the choice checks it with the other options.
public enum BFloat16 {
  /// Why there is no bfloat16 matrix multiplication here, for an error message; nil where there is.
  public static let unavailable: String? = BFloat16Backend.unavailable

  /// The processor has no bfloat16 instructions and oneDNN puts float32's in their place: right, but several times
  /// slower than float32 itself.
  public static let isEmulated: Bool = unavailable == nil && BFloat16Backend.isEmulated
}
