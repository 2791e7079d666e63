import ArgumentParser
import Imaging

/// Which masks are packed with pictures.
struct MaskOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder of masks of class ids, each named after its picture.", valueName: "folder"))
  var masks: String?

  @Option(
    help: ArgumentHelp(
      "The classes of masks: a file of names, or their number. Without --masks, masks lie beside pictures.",
      valueName: "file"))
  var maskClasses: String?

  @Option(
    help: ArgumentHelp("A number in masks that means no class, as 255 does. May be repeated.", valueName: "n"))
  var ignoreId: [Int] = []

  @Flag(help: "Leave masks out.")
  var noMasks = false

  /// - Parameter withMasks: whether masks are packed as pictures.
  func check(withMasks: Bool) throws {
    for (name, isGiven) in [
      ("--masks", masks != nil), ("--mask-classes", maskClasses != nil), ("--ignore-id", !ignoreId.isEmpty),
    ] where isGiven {
      if noMasks { throw ValidationError("\(name) and --no-masks exclude each other") }
      if withMasks {
        throw ValidationError("\(name) and --with-masks exclude each other: the latter packs masks as pictures")
      }
    }
    for (name, value) in [("--masks", masks), ("--mask-classes", maskClasses)] where value == "" {
      throw ValidationError("\(name) is empty")
    }
    if let bad = ignoreId.first(where: { !(0...255).contains($0) }) {
      throw ValidationError("--ignore-id is \(bad): expected 0 to 255")
    }
  }

  func set(in options: inout SourceOptions) {
    options.masks = masks
    options.maskClasses = maskClasses
    options.ignoredIds = ignoreId
    options.leavesMasksOut = noMasks
  }
}
