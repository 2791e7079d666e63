import ArgumentParser
import CommandLineKit
import Imaging

/// Which pictures are taken.
struct ChoiceOptions: ParsableArguments {
  @Flag(help: "Shuffle the pictures first.")
  var shuffle = false

  @Option(help: ArgumentHelp("The seed of the shuffle.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Leave out the first n pictures (after shuffling).", valueName: "n"))
  var skip: Int?

  @Option(help: ArgumentHelp("Take the first n pictures of each class.", valueName: "n"))
  var perClass: Int?

  @Option(
    help: ArgumentHelp(
      "Take this share of each class, as 0.01 for a hundredth: the first pictures.", valueName: "share"))
  var share: Double?

  @Option(help: ArgumentHelp("Take at most n pictures.", valueName: "n"))
  var limit: Int?

  @OptionGroup var part: SetPartOption

  func validate() throws {
    for (name, value) in [("--per-class", perClass), ("--limit", limit)] {
      if let value, value < 1 { throw ValidationError("\(name) is \(value): expected at least 1") }
    }
    if let share, !(share > 0 && share <= 1) {
      throw ValidationError("--share is \(share): expected more than 0 and at most 1")
    }
    if share != nil && perClass != nil { throw ValidationError("--share and --per-class exclude each other") }
    if let skip, skip < 0 { throw ValidationError("--skip is \(skip): expected at least 0") }
  }

  var selection: PictureSelection {
    var selection = PictureSelection()
    selection.shuffle = shuffle ? seed : nil
    selection.skip = skip ?? 0
    selection.perClass = perClass
    selection.share = share
    selection.limit = limit
    selection.part = part.part
    return selection
  }
}
