// The views of methods, by the recipes that their authors published.

/// Names after `--views`, and the recipes that each stands for.
public enum ViewSet: String, CaseIterable, Sendable {
  /// One view of that name.
  case simple, complex
  case threeAugment = "three-augment"
  case finetune, center
  /// Views of a method.
  case dino, ibot, moco, beit, simmim
  /// For masks: mmsegmentation's view for training on ADE20K, and its whole picture for evaluation.
  case segment
  case segmentTest = "segment-test"

  /// Whether some of its views are small ones.
  public var hasLocal: Bool { self == .dino || self == .ibot }

  /// - Parameters:
  ///   - centerShare: for center, the view's side over the resized picture's short side.
  ///   - localSide: of small views.
  ///   - side: of the square of segment; of segment-test a picture's short side, whose long side is four times that at most.
  public func recipes(centerShare: Double, localSide: Int, side: Int = 512) -> [Recipe] {
    switch self {
    case .simple: [.simple]
    case .complex: [.complex]
    case .threeAugment: [.threeAugment]
    case .finetune: [.finetune]
    case .center: [.center(share: centerShare)]
    case .dino: Self.crops(global: "0.4-1", local: "0.05-0.4", count: 8, localSide: localSide)
    case .ibot: Self.crops(global: "0.25-1", local: "0.05-0.25", count: 10, localSide: localSide)
    case .moco:
      Self.lines([
        "name=view_1: crop 0.08-1 bilinear, \(Self.colour), blur, flip",
        "name=view_2: crop 0.08-1 bilinear, \(Self.colour), blur p 0.1, solarise p 0.2, flip",
      ])
    case .segment: Self.lines(["name=segment: scale 0.5-2, crop \(side) category 0.75, flip, photometric"])
    case .segmentTest: Self.lines(["name=whole: whole short \(side) long \(4 * side)"])
    case .beit: Self.lines(["name=simple: crop 0.08-1, flip"])
    case .simmim: Self.lines(["name=simple: crop 0.67-1 bilinear, flip"])
    }
  }

  /// The side of small views where nobody says it: three sevenths of the large ones' (96 of 224), a multiple of 16 where the
  /// large ones' is one.
  public static func localSide(of side: Int) -> Int {
    var step = 16
    while !side.isMultiple(of: step) { step /= 2 }
    return max(step, side * 3 / 7 / step * step)
  }

  private static let colour = "jitter 0.4 0.4 0.2 0.1 p 0.8, grey p 0.2"

  /// Two large views, the second with less blur and some solarised, and small ones.
  private static func crops(global: String, local: String, count: Int, localSide: Int) -> [Recipe] {
    lines([
      "name=global_1: crop \(global), flip, \(colour), blur",
      "name=global_2: crop \(global), flip, \(colour), blur p 0.1, solarise p 0.2",
      "name=local: crop \(local), flip, \(colour), blur p 0.5 size \(localSide) count \(count)",
    ])
  }

  private static func lines(_ lines: [String]) -> [Recipe] {
    do { return try lines.flatMap { try Recipe.all(line: $0) } } catch { preconditionFailure("\(error)") }
  }
}
