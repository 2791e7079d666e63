import ArgumentParser
import Finetuning
import Training

/// A published recipe under its name. Its options come before those of the command line, which win.
struct PresetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Settings of a paper: \(finetuningPresets.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Print a preset's options and where they come from.", valueName: "name"))
  var printPreset: String?

  var chosen: Preset? { preset.flatMap { finetuningPresets.named($0) } }

  /// The command line as the parser reads it.
  /// - Throws: `ValidationError` for a name that no preset has; `CleanExit` for `--print-preset`.
  static func expand(_ arguments: [String]) throws -> [String] {
    if let name = Preset.values(of: "--print-preset", in: arguments).last {
      throw CleanExit.message(try named(name).text)
    }
    guard let name = Preset.values(of: "--preset", in: arguments).last else { return arguments }
    return try named(name).before(arguments)
  }

  private static func named(_ name: String) throws -> Preset {
    guard let preset = finetuningPresets.named(name) else { throw ValidationError(finetuningPresets.unknown(name)) }
    return preset
  }
}
