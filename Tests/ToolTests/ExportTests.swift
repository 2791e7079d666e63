import Foundation
import TensorStream
import Testing

@Suite struct ExportTests {
  private let checkpoint = TaskFiles.checkpoint

  @Test func aTeacherIsAskedFor() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let teacher = try ToolRunner.run(
        "pmae-export", ["--part", "labelling-teacher", "--output", "teacher.stz", checkpoint], in: folder)
      #expect(teacher.status == 0, "\(teacher.errors)")
      #expect(teacher.errors.contains("labelling-teacher after step 2"))
      let plain = try ToolRunner.run(
        "pmae-export", ["--part", "labelling-teacher", "--output", "t.safetensors", "--quiet", checkpoint], in: folder)
      #expect(plain.status == 0 && plain.errors.isEmpty)
      let expected = try readTensors(path: TaskFiles.fixtures + "features.safetensors")
      for name in ["teacher.stz", "t.safetensors"] {
        let record = try readTensors(path: folder + "/" + name, kinds: ["weights"])
        #expect(record.tensors.count == expected.tensors.filter { $0.name.hasPrefix("weights.") }.count)
        for (name, tensor) in record.tensors {
          let theirs = try #require(expected["weights." + name], "\(name)")
          #expect(tensor.shape == theirs.shape)
          #expect(try tensor.values(of: Float.self) == theirs.values(of: Float.self), "\(name)")
        }
        #expect(record.metadata["part"] == "labelling-teacher")
        #expect(record.metadata["made_from"]?.contains("pmae-pretrain") == true)
        #expect(record.metadata["mean"] == "[0.48,0.46,0.41]")
      }
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/t.safetensors"))
      #expect(bytes[8] == UInt8(ascii: "{"))
    }
  }

  @Test func aRunFolderWillDoAndAPipeToo() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let result = try ToolRunner.shell(
        """
        mkdir run && cp "\(checkpoint)" run/checkpoint.stz
        pmae-export --quiet run | pmae-inspect
        pmae-export --quiet --part student --format safetensors run/ >student
        """, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let student = try readTensors(path: folder + "/student")
      let run = try readTensors(path: checkpoint)
      let (mine, theirs) = (student["norm.weight"], run["student.norm.weight"])
      #expect(try #require(mine).values(of: Float.self) == #require(theirs).values(of: Float.self))
    }
  }

  @Test func whatIsNotThereIsSaid() throws {
    try ToolRunner.withTemporaryFolder { folder in
      let run = try PretrainTests.pretrain("mae", folder + "/run")
      #expect(run.status == 0, "\(run.errors)")
      let teacher = try ToolRunner.run(
        "pmae-export", ["--part", "labelling-teacher", "--output", "a.stz", "run"], in: folder)
      #expect(teacher.status == 65)
      #expect(teacher.errors.contains("run/checkpoint.stz: has no labelling-teacher, only student"))
      #expect(
        try ToolRunner.run("pmae-export", ["--output", "a.stz", "run"], in: folder).status == 0)
      // An output that is there stays as it is.
      let again = try ToolRunner.run("pmae-export", ["--part", "student", "--output", "a.stz", "run"], in: folder)
      #expect(again.status == 73)
      let weights = try ToolRunner.run("pmae-export", ["--part", "student", "a.stz"], in: folder)
      #expect(weights.status == 64 && weights.errors.contains("a.stz: weights, not a run: --part student"))
      let folderAsWeights = try ToolRunner.run("pmae-evaluate", ["embed", "run", "views.stz"], in: folder)
      #expect(
        folderAsWeights.errors.contains("run: a folder, expected weights: of a run, pmae-export run --output FILE"))
      #expect(try ToolRunner.run("pmae-export", ["nothing"], in: folder).status == 66)
      #expect(try ToolRunner.run("pmae-export", ["--part", "teacher", "run"], in: folder).status == 65)
    }
  }
}
