#if MPI
  import Foundation
  import TensorStream
  import Testing

  /// The built trainer on several ranks, by MPI: `pipelines/test.mk cluster`. What ranks compute is tested without MPI too
  /// (RankTests); here it is that MPI brings it to the right places, and what happens where it does not.
  @Suite(.serialized) struct ClusterTests {
    @Test(arguments: [["--objective", "pseudo-mae"], ["--objective", "mae"]], [2, 4])
    func lossesAreThoseOfOneProcess(options: [String], ranks: Int) throws {
      var command = Cluster.command
      if options[1] == "mae" {
        command = without(["--head-hidden", "--head-bottleneck", "--prototypes"], Cluster.command)
      }
      try Cluster.with { cluster in
        let one = try cluster.alone(in: "one", options, command: command)
        #expect(one.status == 0, "\(one.errors)")
        let several = try cluster.mpirun(ranks, in: "several", options, command: command)
        #expect(several.status == 0, "\(several.errors)")
        #expect(several.errors.isEmpty)
        let (mine, theirs) = (try cluster.steps("several"), try cluster.steps("one"))
        #expect(mine.count == 6 && theirs.count == 6)
        for (a, b) in zip(mine, theirs) {
          for (name, value) in b where name.hasPrefix("loss") {
            let (x, y) = (try #require(a[name] as? Double), try #require(value as? Double))
            #expect(abs(x - y) <= 1e-6 * abs(y), "\(name): \(x), expected \(y)")
          }
        }
      }
    }

    private func without(_ options: [String], _ words: [String]) -> [String] {
      var result = words[...]
      var kept: [String] = []
      while let word = result.popFirst() {
        if options.contains(word) { _ = result.popFirst() } else { kept.append(word) }
      }
      return kept
    }

    @Test func threadsDoNotChangeABit() throws {
      try Cluster.with { cluster in
        let command = without(["--threads"], Cluster.command)
        for threads in ["1", "3"] {
          // The checkpoint says which options it was made with.
          let result = try cluster.shell(
            "PMAE_THREADS=\(threads) exec mpirun -n 3 \(ToolRunner.checkout)/pipelines/rank.sh "
              + "'\(command.joined(separator: " ")) --batch 12 --threads $PMAE_THREADS ../views.stz'", in: threads)
          #expect(result.status == 0, "\(result.errors)")
        }
        let read = try ["1", "3"].map { try tensors("\(cluster.folder)/\($0)/out/checkpoint.stz") }
        #expect(read[0] == read[1])
      }
    }

    private func tensors(_ path: String) throws -> [String: [UInt8]] {
      let reader = try StreamReader(path: path)
      return Dictionary(
        uniqueKeysWithValues: reader.header.tensors.map { ($0.name, $0.tensor.withUnsafeBytes { Array($0) }) })
    }

    /// One process, and two and four, leave the same bytes.
    @Test func shardsGiveTheSameBytes() throws {
      try Cluster.with { cluster in
        let options = ["--deterministic-ranks", "4"]
        let one = try cluster.alone(in: "1", options)
        #expect(one.status == 0, "\(one.errors)")
        for ranks in [2, 4] {
          let result = try cluster.mpirun(ranks, in: "\(ranks)", options)
          #expect(result.status == 0, "\(result.errors)")
          #expect(try cluster.outcome("\(ranks)") == cluster.outcome("1"), "\(ranks) ranks")
        }
      }
    }

    /// A checkpoint of four ranks goes on in one process, and the other way round.
    @Test func otherRanksGoOn() throws {
      try Cluster.with { cluster in
        let options = ["--deterministic-ranks", "4"]
        let paused = try cluster.mpirun(4, in: "moved", options + ["--steps", "3"])
        #expect(paused.status == 0, "\(paused.errors)")
        let alone = try cluster.alone(in: "moved", options + ["--steps", "5"])
        #expect(alone.status == 0, "\(alone.errors)")
        let rest = try cluster.mpirun(2, in: "moved", options)
        let whole = try cluster.mpirun(2, in: "whole", options)
        #expect(rest.status == 0 && whole.status == 0, "\(rest.errors) \(whole.errors)")
        let read = try ["moved", "whole"].map { try tensors("\(cluster.folder)/\($0)/out/checkpoint.stz") }
        #expect(read[0] == read[1])
      }
    }

    @Test func otherShardsAreSaid() throws {
      try Cluster.with { cluster in
        let command = Cluster.command.filter { $0 != "--quiet" }
        let paused = try cluster.mpirun(4, in: "run", ["--steps", "3"])
        #expect(paused.status == 0, "\(paused.errors)")
        let rest = try cluster.mpirun(2, in: "run", command: command)
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(
          rest.errors.contains("its batches were computed in 4 shards, and are from here on in 2: sums are rounded"),
          "\(rest.errors)")
      }
    }

    /// An augmenter for each rank gives what one file gives.
    @Test func eachRankHasItsOwnViews() throws {
      try Cluster.with { cluster in
        let file = try cluster.mpirun(2, in: "file")
        #expect(file.status == 0, "\(file.errors)")
        let parts = try cluster.start(
          [
            "mpirun", "-n", "2", ToolRunner.checkout + "/pipelines/rank.sh",
            """
            pmae-augment --quiet --views simple,complex --size 28 --epochs 2 --part "$PART" --batch 16 ../images.stz |
              \(Cluster.command.joined(separator: " ")) -
            """,
          ], in: "parts")
        #expect(parts.status == 0, "\(parts.errors)")
        let read = try ["file", "parts"].map { try tensors("\(cluster.folder)/\($0)/out/checkpoint.stz") }
        #expect(read[0] == read[1])
      }
    }

    @Test(arguments: ["float32", "bfloat16"]) func gradientsGoOnTheWire(type: String) throws {
      try Cluster.with { cluster in
        let plain = try cluster.mpirun(4, in: "plain")
        let other = try cluster.mpirun(4, in: "other", ["--wire", type])
        #expect(plain.status == 0 && other.status == 0, "\(other.errors)")
        let pairs = zip(try cluster.steps("other"), try cluster.steps("plain")).map {
          (mine: $0["loss"] as? Double ?? .nan, theirs: $1["loss"] as? Double ?? .nan)
        }
        #expect(pairs.count == 6)
        if type == "float32" {
          for pair in pairs { #expect(pair.mine == pair.theirs) }
        } else {
          #expect(pairs[0].mine == pairs[0].theirs, "the first loss is before any gradient")
          #expect(pairs[5].mine != pairs[5].theirs)
          for pair in pairs { #expect(abs(pair.mine - pair.theirs) <= 1e-3 * pair.theirs, "\(pair)") }
        }
      }
    }
  }
#endif
