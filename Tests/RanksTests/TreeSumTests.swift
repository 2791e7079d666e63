import Ranks
import Testing

struct TreeSumTests {
  /// Numbers whose sum depends on the order of additions.
  private func values(_ count: Int) -> [Float] { (0..<count).map { 1 / Float(3 + 7 * $0) } }

  private func sum(_ values: [Float]) -> Float {
    var sum = TreeSum<Float>(from: 0) { $0 + $1 }
    for value in values { sum.append(value) }
    return sum.total!
  }

  @Test func fiveAreAddedAsATree() {
    // Each small one alone is lost beside the 1.
    let v: [Float] = [1, 0x1p-24, 0x1p-24, 0x1p-24, 0x1p-24]
    #expect(sum(v) == ((v[0] + v[1]) + (v[2] + v[3])) + v[4])
    #expect(sum(v) > 1 && v.dropFirst().reduce(v[0], +) == 1)
  }

  /// Every way to share shards among ranks, those that cut the tree anywhere too.
  @Test(arguments: 1...24) func anyRanksGiveTheSameBits(shards: Int) {
    let v = values(shards)
    for ranks in 1...shards where shards.isMultiple(of: ranks) {
      var all = TreeSum<Float>(from: 0) { $0 + $1 }
      let each = shards / ranks
      for rank in 0..<ranks {
        var own = TreeSum<Float>(from: rank * each) { $0 + $1 }
        for shard in rank * each..<(rank + 1) * each { own.append(v[shard]) }
        #expect(own.nodes.map(\.node) == TreeNode.nodes(of: rank * each..<(rank + 1) * each))
        for (node, part) in own.nodes { all.append(part, of: node) }
      }
      #expect(all.total == sum(v), "\(ranks) ranks")
    }
  }

  @Test func aPowerOfTwoIsOneNode() {
    #expect(TreeNode.nodes(of: 8..<12) == [TreeNode(first: 8, level: 2)])
    #expect(TreeNode.nodes(of: 3..<6) == [TreeNode(first: 3, level: 0), TreeNode(first: 4, level: 1)])
  }
}
