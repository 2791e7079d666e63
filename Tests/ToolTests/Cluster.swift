#if MPI
  import Foundation

  /// Runs of a small model on several ranks of this machine, by mpirun. Each has a folder of its own beside `views.stz`, so that
  /// equal runs leave equal files.
  struct Cluster {
    let folder: String

    /// A folder with the example files.
    static func with<R>(_ body: (Cluster) throws -> R) throws -> R {
      try ExampleFiles.withCopy { try body(Cluster(folder: $0)) }
    }

    static let model = ReadingTool.smallModel + Trainer.sizes + ["--prototypes", "6"]
    /// A run that goes on wherever it is.
    static let command =
      ["pmae-pretrain"] + model + [
        "--output", "out", "--resume", "--checkpoint-every", "2", "--threads", "1", "--quiet",
      ]

    /// More ranks than cores, by root too.
    static let environment = [
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
      "OMPI_MCA_hwloc_base_binding_policy": "none",
    ]

    func mpirun(
      _ ranks: Int, in name: String, _ more: [String] = [], views: String = "../views.stz",
      command: [String] = Cluster.command, timeout: Double = 120
    ) throws -> ToolResult {
      try start(["mpirun", "-n", "\(ranks)"] + command + more + [views], in: name, timeout: timeout)
    }

    /// One process without a launcher.
    func alone(in name: String, _ more: [String] = [], command: [String] = Cluster.command) throws -> ToolResult {
      try start(command + more + ["../views.stz"], in: name)
    }

    func start(_ words: [String], in name: String, timeout: Double = 120) throws -> ToolResult {
      try shell("exec " + words.map { "'\($0)'" }.joined(separator: " "), in: name, timeout: timeout)
    }

    func shell(_ script: String, in name: String, timeout: Double = 120) throws -> ToolResult {
      let path = "\(folder)/\(name)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      return try ToolRunner.shell(script, environment: Self.environment, in: path, timeout: timeout)
    }

    /// A shell's function: the processes that the launcher started here as that rank.
    static let rank = """
      rank() {
        for file in /proc/[0-9]*/environ; do
          if { tr '\\0' '\\n' <$file | grep -qxE "(OMPI_COMM_WORLD_RANK|PMI_RANK)=$1"; } 2>/dev/null; then
            if [ "$(readlink ${file%environ}cwd)" = "$PWD" ]; then basename ${file%/environ}; fi
          fi
        done
      }
      """
    /// Open MPI's launcher passes signals on to the ranks. MPICH's does not, and says otherwise that a rank was killed.
    static let isMPICH = (try? ToolRunner.shell("mpirun --version"))?.text.contains("HYDRA") == true

    /// Starts a command that goes on wherever it is on two ranks, kills one of these at a random moment, and so on; then lets it come to
    /// its end.
    func kill(_ times: Int, command: [String] = Cluster.command, in name: String) throws -> ToolResult {
      var random = SystemRandomNumberGenerator()
      for kill in 0..<times {
        let pause = Double.random(in: 0.1...1.2, using: &random)
        let result = try shell(
          """
          mpirun -n 2 \(command.joined(separator: " ")) ../views.stz 2>/dev/null & launcher=$!
          sleep \(pause)
          \(Self.rank)
          rank=$(rank \(kill % 2))
          if [ -n "$rank" ]; then kill -KILL $rank 2>/dev/null || true; fi
          wait $launcher || true
          """, in: name)
        if result.status != 0 { return result }
      }
      return try mpirun(2, in: name, command: command)
    }

    /// Every byte that a run leaves but its speed: by name.
    func outcome(_ name: String) throws -> [String: Data] {
      try Trainer.pretrainer.outcome(in: "\(folder)/\(name)")
    }

    /// The steps of a run's metrics.
    func steps(_ name: String) throws -> [[String: Any]] {
      try TaskFiles.lines(try String(contentsOfFile: "\(folder)/\(name)/out/metrics.jsonl", encoding: .utf8))
    }

    /// What the tool itself said: the launcher adds lines of its own.
    static func messages(_ result: ToolResult) -> [String] {
      result.errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("pmae-") }
    }
  }
#endif
