/// A view that a run reads.
public struct ViewNeed: Equatable, Sendable {
  /// The recipe's name in the stream.
  public let name: String
  /// The side of the square that the network takes, in pixels; of a family 0 until the stream has said it.
  public var side: Int { height }
  /// Those of a view of any shape are 0 until the stream has said them, and those of its last record then.
  public internal(set) var height: Int
  public internal(set) var width: Int
  /// Whether the run can do without it where the stream has none.
  public let isOptional: Bool
  /// What the side must be a multiple of.
  let multiple: Int
  /// Of one of several views of a recipe, the name that they share.
  public private(set) var family: String?
  /// Whether it need not be a square.
  private(set) var isAnyShape = false

  public init(_ name: String, side: Int, isOptional: Bool = false) {
    (self.name, height, width, self.isOptional, multiple) = (name, side, side, isOptional, 1)
  }

  /// Views NAME_1, NAME_2, … of one recipe, as many as the stream has, of one size: a multiple of a patch's side.
  public static func family(_ name: String, patch: Int) -> ViewNeed {
    var need = ViewNeed(name: name, multiple: patch, isOptional: true)
    need.family = name
    return need
  }

  /// A view of any size that is a multiple of a number.
  public static func anySide(_ name: String, multiple: Int) -> ViewNeed {
    ViewNeed(name: name, multiple: multiple, isOptional: false)
  }

  /// A view of any height and width that are multiples of a number, which may change from record to record.
  public static func anyShape(_ name: String, multiple: Int) -> ViewNeed {
    var need = ViewNeed(name: name, multiple: multiple, isOptional: false)
    need.isAnyShape = true
    return need
  }

  private init(name: String, multiple: Int, isOptional: Bool) {
    (self.name, height, width, self.isOptional, self.multiple) = (name, 0, 0, isOptional, multiple)
  }

  /// The views that are meant by it, of those that a stream has.
  func members(of there: [String]) -> [ViewNeed] {
    guard let family else { return !isOptional || there.isEmpty || there.contains(name) ? [self] : [] }
    let named = there.filter { $0.hasPrefix(family + "_") && Int($0.dropFirst(family.count + 1)) != nil }
    return named.sorted { $0.count < $1.count || $0.count == $1.count && $0 < $1 }.map {
      var member = ViewNeed(name: $0, multiple: multiple, isOptional: false)
      member.family = family
      return member
    }
  }
}
