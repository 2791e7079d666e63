#if MPI
  import Foundation
  import Testing

  /// What goes wrong on one rank ends all, with one message, within a time; and the same command goes on to the same bits.
  @Suite(.serialized) struct ClusterFaultTests {
    /// Starts two ranks that would take a while, does something once they train, and says how they ended.
    private func disturb(
      _ cluster: Cluster, in name: String = "run", options: String = "", _ script: String
    ) throws -> (ToolResult, seconds: Double) {
      let command =
        Cluster.command.joined(separator: " ").replacingOccurrences(of: "--epochs 2", with: "--epochs 300")
        + " --width 96 --depth 6 --heads 6"
      let views = try cluster.shell(
        "test -e ../long.stz || pmae-augment --quiet --size 28 --epochs 300 --output ../long.stz ../images.stz",
        in: name)
      #expect(views.status == 0, "\(views.errors)")
      let start = ContinuousClock.now
      let result = try cluster.shell(
        """
        mpirun -n 2 \(command) \(options) ../long.stz & launcher=$!
        for i in $(seq 600); do
          if test -s out/metrics.jsonl || ! kill -0 $launcher 2>/dev/null; then break; fi
          sleep 0.05
        done
        \(Cluster.rank)
        ranks=$(rank 1)
        \(script)
        status=0
        wait $launcher || status=$?
        echo $status
        """, in: name)
      return (result, (ContinuousClock.now - start) / .seconds(1))
    }

    @Test func aRankThatDiesEndsAll() throws {
      try Cluster.with { cluster in
        let (result, seconds) = try disturb(cluster, "kill -KILL $ranks")
        #expect(result.text != "0\n" && seconds < 30, "\(result.text) \(result.errors)")
        let said = Cluster.isMPICH ? result.text.contains("EXIT CODE: 9") : result.errors.contains("exited on signal 9")
        #expect(said, "\(result.text) \(result.errors)")
        #expect(Cluster.messages(result).isEmpty)
      }
    }

    @Test func aRankThatHangsIsNamed() throws {
      try Cluster.with { cluster in
        let (result, seconds) = try disturb(cluster, options: "--timeout 2", "kill -STOP $ranks")
        #expect(result.text == "74\n", "\(result.text) \(result.errors)")
        #expect(seconds < 40)
        let messages = Cluster.messages(result)
        #expect(messages.count == 1, "\(result.errors)")
        #expect(
          messages.first?.contains("rank 1 on ") == true
            && messages.first?.contains("not heard of for 2 seconds") == true)
      }
    }

    @Test(
      arguments: [("TERM", "$ranks"), ("INT", "$ranks"), ("USR2", "$ranks")]
        + (Cluster.isMPICH ? [] : [("TERM", "$launcher"), ("USR2", "$launcher")]))
    func aSignalEndsAllAfterOneStep(signal: String, target: String) throws {
      try Cluster.with { cluster in
        let options = "--checkpoint-every 1000000"
        let (result, _) = try disturb(cluster, options: options, "kill -\(signal) \(target)")
        #expect(result.text != "0\n", "\(result.errors)")
        #expect(Cluster.messages(result).isEmpty, "\(result.errors)")
        let steps = try cluster.steps("run")
        let check = try cluster.shell(
          "pmae-inspect --check out/checkpoint.stz && pmae-inspect out/checkpoint.stz", in: "run")
        #expect(check.status == 0, "\(check.errors)")
        #expect(check.text.contains("\(steps.count)"), "\(check.text)")
      }
    }

    @Test func aWarningSignalWritesACheckpoint() throws {
      try Cluster.with { cluster in
        let (result, _) = try disturb(
          cluster, options: "--checkpoint-every 1000000",
          """
          rm -f out/checkpoint.stz
          kill -USR1 $ranks
          for i in $(seq 200); do if test -e out/checkpoint.stz; then break; fi; sleep 0.05; done
          test -e out/checkpoint.stz && echo written
          kill -0 $launcher && echo trains
          kill -KILL $ranks
          """)
        #expect(result.text.hasPrefix("written\ntrains\n"), "\(result.text) \(result.errors)")
      }
    }

    /// Killed at random moments, the launcher or a rank, and started again.
    @Test func aKillAtAnyMomentCostsNoBit() throws {
      let kills = Int(ProcessInfo.processInfo.environment["PMAE_KILLS"] ?? "") ?? 8
      try Cluster.with { cluster in
        let whole = try cluster.mpirun(2, in: "whole")
        #expect(whole.status == 0, "\(whole.errors)")
        let rest = try cluster.kill(kills, in: "killed")
        #expect(rest.status == 0, "\(rest.errors)")
        var (mine, theirs) = (try cluster.outcome("killed"), try cluster.outcome("whole"))
        // Older checkpoints are at the steps at which it was stopped.
        mine = mine.filter { !$0.key.hasPrefix("checkpoint-") }
        theirs = theirs.filter { !$0.key.hasPrefix("checkpoint-") }
        #expect(mine == theirs)
      }
    }

    /// One rank's stream is cut: all stop after the same step, with a checkpoint.
    @Test func viewsThatEndOnOneRankEndAll() throws {
      try Cluster.with { cluster in
        let result = try cluster.start(
          [
            "mpirun", "-n", "2", ToolRunner.checkout + "/pipelines/rank.sh",
            """
            pmae-augment --quiet --views simple,complex --size 28 --epochs 2 --rows-per-record 8 --part "$PART" --batch 16 \
              ../images.stz >part$RANK.stz
            size=$(wc -c <part$RANK.stz)
            if [ $RANK = 1 ]; then size=$((size / 2)); fi
            head -c $size part$RANK.stz | \(Cluster.command.joined(separator: " ")) -
            """,
          ], in: "run")
        #expect(result.status == 65, "\(result.errors)")
        let messages = Cluster.messages(result)
        #expect(messages.count == 1, "\(result.errors)")
        #expect(messages.first?.contains("rank 1 on ") == true, "\(messages)")
        let steps = try cluster.steps("run").count
        #expect((1..<6).contains(steps))
        let rest = try cluster.mpirun(2, in: "run")
        #expect(rest.status == 0, "\(rest.errors)")
        let whole = try cluster.mpirun(2, in: "whole")
        #expect(whole.status == 0)
        #expect(
          try cluster.steps("run").map { "\($0["loss"] ?? 0)" } == cluster.steps("whole").map { "\($0["loss"] ?? 0)" })
      }
    }

    @Test func aFullDiskEndsAll() throws {
      try Cluster.with { cluster in
        let result = try cluster.shell(
          """
          mkdir disk
          unshare -rm sh -ec '
            mount -t tmpfs -o size=64k none disk
            status=0
            cd disk
            mpirun -n 2 \(Cluster.command.joined(separator: " ")) ../../views.stz || status=$?
            echo "$status"
          '
          """, in: "run")
        #expect(["73\n", "74\n"].contains(result.text), "\(result.text) \(result.errors)")
        let messages = Cluster.messages(result)
        #expect(messages.count == 1 && messages[0].contains("No space left on device"), "\(result.errors)")
        #expect(messages.first?.contains("rank 0 on ") == true, "\(messages)")
      }
    }

    @Test func ranksWithOtherOptionsAreNamed() throws {
      try Cluster.with { cluster in
        let words = Cluster.command
        let result = try cluster.start(
          ["mpirun", "-n", "1"] + words + ["../views.stz", ":", "-n", "1"] + words + ["--seed", "7", "../views.stz"],
          in: "run")
        #expect(result.status == 65, "\(result.errors)")
        let messages = Cluster.messages(result)
        #expect(messages.count == 1, "\(result.errors)")
        #expect(messages.first?.contains("rank 1 on ") == true && messages.first?.contains("seed 7, not 0") == true)
      }
    }

    @Test(arguments: [
      (["--batch", "15"], 64, "batch 15 cannot be divided among 2 shards: expected a multiple of 2"),
      (["--deterministic-ranks", "3"], 64, "3 shards of a batch cannot be shared by 2 ranks: make it a multiple"),
      (["--no-such-option"], 64, "Unknown option '--no-such-option'"),
    ])
    func whatCannotBeIsSaidOnce(options: [String], status: Int32, message: String) throws {
      try Cluster.with { cluster in
        let result = try cluster.mpirun(2, in: "run", options)
        #expect(result.status == status, "\(result.errors)")
        let messages = Cluster.messages(result)
        #expect(messages.count == 1 && messages[0].contains(message), "\(result.errors)")
      }
    }

    @Test func helpIsPrintedOnce() throws {
      try Cluster.with { cluster in
        let result = try cluster.start(["mpirun", "-n", "3", "pmae-pretrain", "--version"], in: "run")
        #expect(result.status == 0 && result.text.split(separator: "\n").count == 1, "\(result.text) \(result.errors)")
      }
    }
  }
#endif
