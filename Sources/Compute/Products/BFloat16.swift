/// What this build and this machine can do in bfloat16. Where `unavailable` is a text, no product of bfloat16 matrices
/// may be computed: the code that offers the choice checks this with the other options.
public enum BFloat16 {
  /// Why there is no bfloat16 matrix multiplication here, for an error message; nil where there is.
  public static let unavailable: String? = BFloat16Backend.unavailable

  /// The processor has no bfloat16 instructions, and oneDNN uses float32's in their place. The result is right, but it
  /// takes several times as long as float32 itself.
  public static let isEmulated: Bool = unavailable == nil && BFloat16Backend.isEmulated
}
