/// The program that started this process as one of several.
public struct Launcher: Equatable, Sendable {
  public let name: String
  /// Of this process.
  public let rank: Int
  public let count: Int

  /// What the environment says; nil where nobody started several.
  public init?(environment: [String: String]) {
    // A batch script of Slurm is no step, and has no number of tasks of a step.
    let known = [
      ("mpirun (Open MPI)", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
      ("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
      ("mpiexec (PMI)", "PMI_RANK", "PMI_SIZE"),
    ]
    for (name, rank, count) in known {
      guard let rank = environment[rank].flatMap({ Int($0) }), let count = environment[count].flatMap({ Int($0) }),
        count > 1, (0..<count).contains(rank)
      else { continue }
      (self.name, self.rank, self.count) = (name, rank, count)
      return
    }
    return nil
  }
}
