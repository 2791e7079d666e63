import CommandLineKit
import Compute
import Pretraining
import TensorStream

// What --plan and --suggest have in common.
extension PretrainTool {
  /// Times some steps of a run here, which are kept nowhere, after those that warm up.
  /// - Parameter views: nil for noise.
  /// - Returns: besides, how many weights are trained.
  func timed<O: Objective>(
    _: O.Type, _ configuration: Configuration<O.Options>, on views: StreamReader? = nil, steps: Int
  ) throws -> (profile: StepProfile, weights: Int) {
    let engine = Engine(threads: threads.count, precision: configuration.precision, profiling: true)
    let run = try PretrainingRun<O>(configuration, engine: engine)
    let profiler = StepProfiler(engine)
    try run.time(StepProfiler.warmup + steps, on: views) { profiler.note($0.seconds, images: configuration.batch) }
    guard let profile = profiler.profile() else { throw Failure(.software, "no step was timed") }
    return (profile, run.trainedWeights)
  }

  /// A line of two columns, the first so wide.
  func printLine(_ what: String, _ text: String, width: Int) throws {
    try StandardOutput.write(
      what.padding(toLength: max(width, what.count + 2), withPad: " ", startingAt: 0) + text + "\n")
  }
}
