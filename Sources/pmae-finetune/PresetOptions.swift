import ArgumentParser
import CommandLineKit
import Finetuning
import Settings

/// The options of tasks, and published recipes under their names.
struct PresetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Settings of a paper: \(all.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Print a preset's options and where they come from.", valueName: "name"))
  var printPreset: String?

  var chosen: Preset? { preset.flatMap { Self.all.named($0) } }

  private static var all: [Preset] { tasks.flatMap { $0.presets } }

  static var declared: DeclaredArguments {
    DeclaredArguments("--task", usual: Classification.name, among: tasks, presets: all)
  }
}
