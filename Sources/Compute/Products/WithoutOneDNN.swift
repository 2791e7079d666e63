#if !OneDNN
  /// In a build without oneDNN there is no bfloat16 multiplication, and nothing that would have to be installed for it.
  enum BFloat16Backend {
    static var unavailable: String? {
      "this program was built without oneDNN, by swift build --disable-default-traits: build it with the default traits, "
        + "where libdnnl-dev is installed"
    }
    static var isEmulated: Bool { false }

    static func multiply(
      _ product: Product, _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ c: UnsafeMutableRawPointer
    ) {
      absent()
    }

    private static func absent() -> Never { preconditionFailure("BFloat16.unavailable was not looked at") }
  }
#endif
