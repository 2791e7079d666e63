/// Which patches of some images an encoder does not see: a mask token stands in their places. B images of N patches each;
/// their numbers of hidden patches may differ.
public struct HiddenPatches: Sendable {
  /// [B·N], row-major over each image's grid.
  public let isHidden: [Bool]
  /// N.
  public let patches: Int
  /// The hidden ones in ascending order: image · N + patch.
  public let places: [Int32]

  public init(_ isHidden: [Bool], patches: Int) {
    precondition(patches > 0 && isHidden.count.isMultiple(of: patches))
    self.isHidden = isHidden
    self.patches = patches
    places = isHidden.indices.lazy.filter { isHidden[$0] }.map { Int32($0) }
  }

  /// The hidden ones of several batches, one after the other.
  public init(joining parts: [HiddenPatches]) {
    self.init(parts.flatMap(\.isHidden), patches: parts[0].patches)
  }

  /// Patches that are hidden, of all images.
  public var count: Int { places.count }
  /// B.
  public var images: Int { isHidden.count / patches }
  /// The ones that are seen, as `places`.
  public var seenPlaces: [Int32] { isHidden.indices.lazy.filter { !isHidden[$0] }.map { Int32($0) } }

  /// Of an encoder's tokens [B·(1 + N)], the rows of the hidden patches.
  public var rows: [Int32] { places.map { $0 + $0 / Int32(patches) + 1 } }

  /// Of each image, how many are hidden.
  public var counts: [Int] {
    (0..<images).map { image in isHidden[image * patches..<(image + 1) * patches].reduce(0) { $0 + ($1 ? 1 : 0) } }
  }

  /// For a look at them: −1 for a patch that is seen, 0 for one that is hidden.
  public var groups: [Int] { isHidden.map { $0 ? 0 : -1 } }
}
