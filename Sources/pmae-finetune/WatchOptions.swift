import ArgumentParser

/// Held-out views that a run is watched by.
struct WatchOptions: ParsableArguments {
  @Option(
    name: .customLong("validate"),
    help: ArgumentHelp("Held-out views, whose figures the metrics have.", valueName: "file"))
  var heldOut: String?

  @Option(help: "Steps from one look at the held-out views to the next (default: an epoch).")
  var validateEvery: Int?

  mutating func validate() throws {
    if let validateEvery, validateEvery < 1 {
      throw ValidationError("--validate-every is \(validateEvery): expected 1 or more")
    }
    if validateEvery != nil && heldOut == nil { throw ValidationError("--validate-every needs --validate") }
  }
}
