import CKernels

/// Where the places of an axis lie between those of another that is stretched over it, ends on ends: bilinear resizing along one axis, as
/// PyTorch's `interpolate(mode="bilinear", align_corners=False)` has it. Place i is at max((i + 1/2) from / to − 1/2, 0), in float32.
public struct Interpolation: Sendable {
  /// For each place the two neighbours, and the second's share.
  let places: [pmae_between]
  /// Places of the axis that is stretched.
  public let from: Int
  public var to: Int { places.count }

  public init(from: Int, to: Int) {
    precondition(from > 0 && to > 0)
    self.from = from
    let scale = Float(from) / Float(to)
    places = (0..<to).map { place in
      let at = from == to ? Float(place) : max(scale * (Float(place) + 0.5) - 0.5, 0)
      let lower = min(Int(at), from - 1)
      let upper = min(lower + 1, from - 1)
      let share = upper == lower ? 0 : at - Float(lower)
      return pmae_between(lower: UInt32(lower), upper: UInt32(upper), share: share)
    }
  }

  /// The two neighbours of a place, and the second's share.
  public subscript(place: Int) -> (lower: Int, upper: Int, share: Float) {
    (Int(places[place].lower), Int(places[place].upper), places[place].share)
  }

  /// Adds what lies between the pixels of a row x [from, C], to pixels of a row y [to, C], both without gaps.
  public func add(
    _ x: UnsafePointer<Float>, pixels: Range<Int>, to y: UnsafeMutablePointer<Float>, channels: Int
  ) {
    pmae_resize_row(x, channels, places, 0, pixels.lowerBound, pixels.upperBound, y, channels, channels)
  }

  /// For each place of the axis that is stretched, the places that lie beside it, and its share of each.
  var uses: [[(place: Int, share: Float)]] {
    var uses = [[(place: Int, share: Float)]](repeating: [], count: from)
    for (place, at) in places.enumerated() {
      uses[Int(at.lower)].append((place, 1 - at.share))
      if at.share != 0 { uses[Int(at.upper)].append((place, at.share)) }
    }
    return uses
  }
}
