import ArgumentParser
import Training

/// `--plan` and what it is of.
struct PlanOptions: ParsableArguments {
  @Flag(
    name: .customLong("plan"),
    help: "Say how fast this run would be on a cluster, by some steps of a rank's part here. Nothing is written.")
  var isWanted = false

  @Option(help: "Of --plan: the ranks of the cluster.")
  var ranks: Int?

  @Option(help: ArgumentHelp("Of --plan: what each rank sends and gets, such as 25Gbit.", valueName: "speed"))
  var network: String?

  @Option(help: ArgumentHelp("Of --plan: from rank to rank (default: 50).", valueName: "microseconds"))
  var latency: Double?

  @Option(help: "Of --plan: the pictures of an epoch (default: ImageNet-1K's 1281167).")
  var images: Int?

  @Option(help: "Of --plan: what a rank costs an hour.")
  var price: Double?

  /// Bits a second.
  private var speed: Double? { network.flatMap(Interconnect.bitsPerSecond) }

  mutating func validate() throws {
    if !isWanted {
      let given = [
        ("--ranks", ranks != nil), ("--network", network != nil), ("--latency", latency != nil),
        ("--images", images != nil), ("--price", price != nil),
      ]
      guard let (name, _) = given.first(where: \.1) else { return }
      throw ValidationError("\(name) is of --plan; on a cluster mpirun or srun says how many ranks there are")
    }
    guard let ranks, let network else { throw ValidationError("--plan needs --ranks and --network") }
    if !(1...65536).contains(ranks) { throw ValidationError("--ranks is \(ranks): expected 1 to 65536") }
    if speed == nil {
      throw ValidationError("--network is \(network): expected a number with Gbit or Mbit, such as 25Gbit")
    }
    if let latency, !(0...1e6).contains(latency) {
      throw ValidationError("--latency is \(latency): expected 0 to 1000000 microseconds")
    }
    if let images, images < 1 { throw ValidationError("--images is \(images): expected 1 or more") }
    if let price, !(price >= 0 && price.isFinite) {
      throw ValidationError("--price is \(price): expected 0 or more")
    }
  }

  /// What was asked for; nil without `--plan`.
  var plan: (ranks: Int, network: Interconnect, images: Int, price: Double?)? {
    guard isWanted, let ranks, let speed else { return nil }
    return (ranks, Interconnect(bitsPerSecond: speed, latency: (latency ?? 50) * 1e-6), images ?? 1_281_167, price)
  }
}
