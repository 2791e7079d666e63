/// Adds up the shards of a batch in a fixed tree, whoever has computed them.
///
/// Shards 0 and 1 are added, then 2 and 3, then these two sums, and so on; what is left over at the end is added from
/// the left. A process that has some neighbouring shards adds up the nodes that lie within them, and sends these. So
/// the sum has the same bits for any number of processes.
///
///     var sum = TreeSum<Double>(from: 0) { $0 + $1 }
///     for value in [1.0, 2, 3] { sum.append(value) }
///     print(sum.total ?? 0)
public struct TreeSum<Part> {
  /// Nodes of the tree that follow each other, with their sums.
  public private(set) var nodes: [(node: TreeNode, part: Part)] = []
  private let start: Int
  private let add: (Part, Part) -> Part

  /// - Parameters:
  ///   - start: the first shard's number.
  ///   - add: the sum of two parts; it may use the first one's memory.
  public init(from start: Int, add: @escaping (Part, Part) -> Part) {
    self.start = start
    self.add = add
  }

  /// Adds the next shard.
  public mutating func append(_ part: Part) {
    append(part, of: TreeNode(first: nodes.last?.node.end ?? start, level: 0))
  }

  /// Adds the next shards, which were added up as this node of the tree.
  public mutating func append(_ part: Part, of node: TreeNode) {
    precondition(node.first == nodes.last?.node.end ?? start, "shards follow each other")
    nodes.append((node, part))
    while let last = nodes.last, nodes.count > 1 {
      let before = nodes[nodes.count - 2]
      guard before.node.level == last.node.level, before.node.first.isMultiple(of: 2 << last.node.level) else { return }
      nodes.removeLast(2)
      nodes.append((TreeNode(first: before.node.first, level: last.node.level + 1), add(before.part, last.part)))
    }
  }

  /// The sum of all of them; nil of none.
  public var total: Part? {
    guard let first = nodes.first else { return nil }
    return nodes.dropFirst().reduce(first.part) { add($0, $1.part) }
  }
}

/// The shards that a partial sum is of: 2^level of them from the first on.
public struct TreeNode: Equatable, Sendable {
  public let first: Int
  public let level: Int

  public init(first: Int, level: Int) { (self.first, self.level) = (first, level) }

  var end: Int { first + (1 << level) }

  /// The nodes that some shards are added up to.
  public static func nodes(of shards: Range<Int>) -> [TreeNode] {
    var sum = TreeSum<Int>(from: shards.lowerBound) { $0 + $1 }
    for _ in shards { sum.append(1) }
    return sum.nodes.map(\.node)
  }
}
