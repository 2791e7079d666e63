import CommandLineKit
import Compute
import Foundation
import Networks
import Pretraining
import Ranks
import Schemas
import TensorStream
import Training

extension PretrainTool {
  /// Prints what a run would be on a cluster.
  /// - Parameter configuration: of the whole run.
  /// - Throws: `Failure(.usage)` where the ranks do not divide the batch.
  func printPlan<O: Objective>(_: O.Type, _ configuration: Configuration<O.Options>) throws {
    guard let (ranks, network, images, price) = planOptions.plan else { return }
    var here = configuration
    guard here.batch.isMultiple(of: ranks * here.accumulate) else {
      throw Failure(
        .usage,
        "--ranks is \(ranks): expected a divisor of the batch of \(here.batch)"
          + (here.accumulate > 1 ? " in \(here.accumulate) parts" : ""))
    }
    guard images >= here.batch else {
      throw Failure(.usage, "--images is \(images): expected as many as a batch, \(here.batch), or more")
    }
    here.batch /= ranks
    let measured = try measure(O.self, here)
    let plan = ClusterPlan(measured, ranks: ranks, network: network, wire: self.ranks.wire)
    func line(_ what: String, _ figure: String) throws { try printLine(what, figure, width: 34) }
    func seconds(_ value: Double) -> String { String(format: "%.3f s", value) }
    func memory(_ bytes: Double) -> String { String(format: "%.2f GiB", bytes / 0x1p30) }
    let threads = counted(measured.threads, "thread")
    try line(
      "measured here, one rank alone",
      "\(counted(measured.images, "picture")) in \(seconds(measured.seconds)), \(memory(measured.memory)), \(threads), "
        + "\(configuration.precision)")
    try line(
      "\(counted(ranks, "rank")), \(network.speed), \(Int((network.latency * 1e6).rounded())) µs",
      "a step of \(counted(configuration.batch, "picture")) in \(seconds(plan.seconds)): computing \(seconds(measured.seconds)), "
        + "gradients \(seconds(plan.gradients)), weights \(seconds(plan.exchangedWeights)), agreeing \(seconds(plan.agreement))"
    )
    try line("pictures a second", String(format: "%.1f", plan.imagesPerSecond))
    try line("efficiency", String(format: "%.1f %% of as many ranks that speak with nobody", 100 * plan.efficiency))
    try line("memory of a rank", memory(plan.memory))
    let epochs = self.epochs ?? 1
    let hours = plan.hours(epochs: epochs, images: images)
    let cost = price.map { String(format: ", which cost %.2f", $0 * hours * Double(ranks)) } ?? ""
    try line(
      "\(counted(epochs, "epoch")) of \(grouped(images))",
      String(format: "%.1f hours, %.1f of ranks", hours, hours * Double(ranks)) + cost)
  }

  /// Times some steps of a rank's part of the batch, on views of noise unless there are others.
  private func measure<O: Objective>(
    _: O.Type, _ configuration: Configuration<O.Options>
  ) throws -> ClusterPlan.Measured {
    let views = try views.map { try StreamReader(path: $0, kinds: [StreamKind.views.rawValue]) }
    let (profile, weights) = try timed(O.self, configuration, on: views, steps: 3)
    return ClusterPlan.Measured(
      images: configuration.batch, seconds: profile.secondsPerStep, threads: profile.threads,
      weights: weights, memory: profile.peakMemoryMib * 0x1p20)
  }
}
