import Foundation
import TensorStream
import Testing

/// Tools that a launcher starts as several, without a launcher: what it would tell them is in the environment.
@Suite struct LauncherTests {
  private static let rank0 = ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"]

  @Test func anEvaluatorIsOneProcess() throws {
    try ExampleFiles.withCopy { folder in
      let arguments = ["knn", "encoder.stz", "views.stz", "center.stz"]
      let result = try ToolRunner.run("pmae-evaluate", arguments, environment: Self.rank0, in: folder)
      #expect(result.status == 64 && result.text.isEmpty)
      #expect(result.errors.contains("mpirun (Open MPI) started 2 processes of it"), "\(result.errors)")
    }
  }

  /// A part for each is work for several.
  @Test func anEvaluatorOfAPartIsOneOfSeveral() throws {
    try ExampleFiles.withCopy { folder in
      let arguments = ["embed", "--part", "0/1", "--output", "features.stz", "--quiet", "encoder.stz", "center.stz"]
      let result = try ToolRunner.run("pmae-evaluate", arguments, environment: Self.rank0, in: folder)
      #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    }
  }

  #if !MPI
    /// Two runs would write into one folder.
    @Test(arguments: [
      (rank0, "mpirun (Open MPI) started 2"), (["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "4"], "srun started 4"),
      (["PMI_RANK": "0", "PMI_SIZE": "3"], "mpiexec (PMI) started 3"),
    ])
    func aTrainerWithoutMPIIsOneProcess(environment: [String: String], message: String) throws {
      try ExampleFiles.withCopy { folder in
        let arguments = ReadingTool.smallModel + ["--output", "out", "views.stz"]
        let result = try ToolRunner.run("pmae-pretrain", arguments, environment: environment, in: folder)
        #expect(result.status == 64)
        #expect(result.errors.contains(message) && result.errors.contains("built without MPI"), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
      }
    }

    /// One message for all.
    @Test func theOthersAreSilent() throws {
      try ExampleFiles.withCopy { folder in
        let result = try ToolRunner.run(
          "pmae-pretrain", ["--output", "out", "views.stz"],
          environment: ["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"], in: folder)
        #expect(result.status == 64 && result.errors.isEmpty, "\(result.errors)")
      }
    }
  #endif

  /// One of one is one, and a batch script of Slurm too.
  @Test func oneProcessIsWelcome() throws {
    try ExampleFiles.withCopy { folder in
      let result = try ToolRunner.run(
        "pmae-pretrain", ReadingTool.smallModel + ["--steps", "1", "--quiet", "--output", "out", "views.stz"],
        environment: [
          "OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1", "SLURM_PROCID": "0", "SLURM_NTASKS": "4",
        ], in: folder)
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  /// Batches in shards in one process, and the same bits whatever the threads.
  @Test func aProcessAloneHasShards() throws {
    try ExampleFiles.withCopy { folder in
      for threads in ["1", "3"] {
        let result = try ToolRunner.shell(
          """
          mkdir \(threads)
          cd \(threads)
          pmae-pretrain \(ReadingTool.smallModel.joined(separator: " ")) --deterministic-ranks 4 --threads \(threads) \
            --quiet --output out ../views.stz
          """, in: folder)
        #expect(result.status == 0, "\(result.errors)")
      }
      let read = try ["1", "3"].map { threads in
        let reader = try StreamReader(path: "\(folder)/\(threads)/out/checkpoint.stz")
        return reader.header.tensors.map { $0.tensor.withUnsafeBytes { Array($0) } }
      }
      #expect(read[0] == read[1])
    }
  }
}
