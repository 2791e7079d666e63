/// What an objective says of one of its figures, for those who draw and watch it.
public struct FigureDeclaration: Equatable, Sendable {
  /// In metrics.jsonl.
  public let name: String
  /// The title of the diagram that it is drawn in, with others of the same title.
  public let panel: String
  /// Whether it is a share of 1, to be seen beside the whole.
  public let isShare: Bool
  /// Whether it belongs to an option that most runs do not use. Nobody misses its diagram then.
  public let isOptional: Bool
  /// What of it shows a collapse.
  public let collapse: Collapse

  /// When a share is too little or too much.
  public enum Collapse: Equatable, Sendable {
    case never
    /// Below the floor.
    case low
    /// Below the floor, or within a tenth of the floor of 1.
    case lowOrFull
  }

  public init(
    _ name: String, panel: String, isShare: Bool = false, isOptional: Bool = false, collapse: Collapse = .never
  ) {
    (self.name, self.panel) = (name, panel)
    (self.isShare, self.isOptional, self.collapse) = (isShare, isOptional, collapse)
  }
}

/// What an objective shows of some images, n of them with N patches each.
public enum LookPanel: Sendable {
  /// Patches in groups, over the first view: a group's number for each patch, −1 for one that is in none, [n · N]; `rest` is the number
  /// of those that a division into groups left over.
  case groups(title: String, of: [Int], rest: Int?)
  /// Pairs of patches: for each image those of one view with the places in another that they are matched to.
  case matches(title: String, placesTitle: String, placesView: String, pairs: [[(patch: Int, place: Int)]])
}
