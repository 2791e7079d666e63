import Ranks
import TensorStream
import TestSupport
import Testing

struct RanksTests {
  @Test func aProcessAloneGivesBackWhatItGot() throws {
    let ranks = Ranks()
    #expect(ranks.isFirst && ranks.count == 1 && ranks.shardsHere == 1)
    #expect(ranks.gather([1, 2]) == [1, 2])
    #expect(ranks.sum([[1.5, 2]]) == [1.5, 2])
    #expect(ranks.total(3) == 3)
    #expect(ranks.greatest([-1, 2]) == [-1, 2])
    #expect(ranks.any([true, false]) == [true, false])
    #expect(ranks.first("a") == "a")
    #expect(try ranks.agree { 4 } == 4)
  }

  @Test(arguments: 1...4) func ranksTellEachOther(count: Int) throws {
    let all = try ThreadLine.run(count) { ranks in
      (
        ranks.gather([ranks.rank, 10 * ranks.rank]), ranks.gather(String(repeating: "é", count: ranks.rank)),
        ranks.first("rank \(ranks.rank)"), ranks.total(ranks.rank), ranks.greatest([Float(ranks.rank), -1]),
        ranks.any([ranks.rank == 1, false])
      )
    }
    for found in all {
      #expect(found.0 == (0..<count).flatMap { [$0, 10 * $0] })
      #expect(found.1 == (0..<count).map { String(repeating: "é", count: $0) })
      #expect(found.2 == "rank 0")
      #expect(found.3 == count * (count - 1) / 2)
      #expect(found.4 == [Float(count - 1), -1])
      #expect(found.5 == [count > 1, false])
    }
  }

  /// The first with the last, and so on; the one in the middle with itself.
  @Test(arguments: 1...5) func ranksSwap(count: Int) throws {
    let all = try ThreadLine.run(count) { ranks in
      ranks.swap([UInt8(ranks.rank), 100], with: count - 1 - ranks.rank)
    }
    for (rank, found) in all.enumerated() { #expect(found == [UInt8(count - 1 - rank), 100]) }
  }

  @Test(arguments: 1...4) func workIsSharedOut(count: Int) throws {
    for pieces in [0, 1, 3, 8] {
      let all = try ThreadLine.run(count) { ranks in
        var done: [Int] = []
        let found = try ranks.shareOut(pieces, values: 2) { piece in
          done.append(piece)
          return [Double(piece), -1]
        }
        return (done, found)
      }
      for (_, found) in all { #expect(found == (0..<pieces).map { [Double($0), -1] }) }
      #expect(all.flatMap { $0.0 }.sorted() == Array(0..<pieces))
    }
  }

  private struct Own: Error {}

  /// What all find is thrown as it is; what one finds, as that one's.
  @Test func failuresKeepTheirType() throws {
    let all = try ThreadLine.run(3) { ranks in
      var (shared, own) = (false, "")
      do { try ranks.agree { () throws -> Void in throw Own() } } catch { shared = error is Own }
      do {
        try ranks.agree { if ranks.rank == 1 { throw Own() } }
      } catch { own = (error as? Failure)?.message ?? "" }
      return (shared, own)
    }
    for (shared, own) in all { #expect(shared && own == "rank 1 on host1: Own()") }
  }

  /// Twelve shards on any number of ranks add up to the same bits.
  @Test func sumsHaveTheSameBits() throws {
    @Sendable func shard(_ number: Int) -> [Float] { (0..<5).map { 1 / Float(1 + 3 * number + $0) } }
    let sums = try [1, 2, 3, 4, 6, 12].map { count in
      try ThreadLine.run(count, shards: 12) { ranks in ranks.sum(ranks.shards(of: ranks.rank).map(shard)) }
    }
    for sum in sums.flatMap({ $0 }) { #expect(sum == sums[0][0]) }
  }

  @Test(arguments: 1...4) func blocksGoToTheirRanks(count: Int) throws {
    let all = try ThreadLine.run(count) { ranks in
      let mine = (0..<2 * count).map { Float(100 * ranks.rank + $0) }
      // Blocks of two, whose second values alone go. Two exchanges are underway at once.
      var received = [Float](repeating: -1, count: 2 * count)
      (mine + [0]).withUnsafeBufferPointer { mine in
        received.withUnsafeMutableBufferPointer { received in
          let (from, to) = (mine.baseAddress! + 1, received.baseAddress!)
          ranks.beginExchange(from, stride: 2, block: 1, into: to)
          ranks.beginExchange(from, stride: 2, block: 1, into: to + count)
          for _ in 0..<2 { #expect(ranks.endExchange(waits: true)) }
        }
      }
      var gathered = mine
      ranks.gatherInPlace(&gathered, block: 2)
      return (received, gathered)
    }
    for (rank, found) in all.enumerated() {
      let exchanged: [Float] = (0..<count).map { Float(100 * $0 + 2 * rank + 1) }
      let gathered: [Float] = (0..<2 * count).map { Float(100 * ($0 / 2) + $0) }
      #expect(found.0 == exchanged + exchanged)
      #expect(found.1 == gathered)
    }
  }

  @Test func whatFailsOnOneFailsOnAll() throws {
    let messages = try ThreadLine.run(3) { ranks in
      do {
        try ranks.agree { if ranks.rank == 1 { throw Failure(.io, "a full disk") } }
        return "no failure"
      } catch let failure as Failure {
        return "\(failure.kind): \(failure.message)"
      }
    }
    #expect(messages == Array(repeating: "io: rank 1 on host1: a full disk", count: 3))
  }

  @Test func whatFailsOnAllIsNoMatterOfOne() throws {
    let messages = try ThreadLine.run(2) { ranks in
      do {
        try ranks.agree { throw Failure(.noInput, "no file") }
        return "no failure"
      } catch let failure as Failure {
        return failure.message
      }
    }
    #expect(messages == ["no file", "no file"])
  }

  @Test func ranksMustHaveTheSameFacts() throws {
    let messages = try ThreadLine.run(3) { ranks in
      do {
        try ranks.requireSame(["version": ranks.rank == 2 ? "0.2" : "0.1", "batch": "4"])
        return "no failure"
      } catch let failure as Failure {
        return failure.message
      }
    }
    #expect(
      messages == Array(repeating: "rank 2 on host2: has, unlike rank 0 on host0, version 0.2, not 0.1", count: 3))
    #expect(try ThreadLine.run(2) { try $0.requireSame(["version": "0.1"]) }.count == 2)
  }

  @Test func shardsAreSharedEqually() throws {
    let failure = #expect(throws: Failure.self) { _ = try ThreadLine.run(4, shards: 6) { $0.shardsHere } }
    #expect(failure?.kind == .usage)
    #expect(try ThreadLine.run(3, shards: 6) { $0.shards(of: $0.rank) } == [0..<2, 2..<4, 4..<6])
  }

  @Test func launchersAreFound() {
    func found(_ environment: [String: String]) -> Launcher? { Launcher(environment: environment) }
    #expect(found([:]) == nil)
    #expect(found(["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"])?.name == "mpirun (Open MPI)")
    #expect(found(["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"]) == nil)
    #expect(found(["PMI_RANK": "1", "PMI_SIZE": "2"])?.rank == 1)
    #expect(found(["SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4"])?.count == 4)
    // A batch script, which has the job's number of tasks and is one process.
    #expect(found(["SLURM_PROCID": "0", "SLURM_NTASKS": "4"]) == nil)
  }
}
