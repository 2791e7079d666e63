import ArgumentParser
import Imaging

extension LabelType: ExpressibleByArgument {}

/// How sources are read.
struct ReadingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "An IDX file of labels for an IDX file of pictures; once for each, in order.", valueName: "file"))
  var labels: [String] = []

  @Option(help: ArgumentHelp("The classes 0, 1, … by name, with commas between them.", valueName: "names"))
  var classNames: String?

  @Flag(help: "Leave labels out.")
  var noLabels = false

  @Flag(help: "End with an error where there are no labels.")
  var requireLabels = false

  @Option(
    help: ArgumentHelp(
      "Take all labels for numbers of classes, or for names: number or text (default: numbers where all are).",
      valueName: "type"))
  var labelType: LabelType?

  @Option(
    help: ArgumentHelp(
      "Pictures have several classes: a label is their names with this between, as a|b (default: one class).",
      valueName: "text"))
  var labelSeparator: String?

  @Flag(help: "Keep class folders without a picture as classes.")
  var allowEmptyClasses = false

  @Option(
    help: ArgumentHelp("The part of a set to pack: its folder, or what a list's column split says.", valueName: "name"))
  var split: String?

  @Flag(help: "Pack pictures that belong to another beside them too, as a.seg.png beside a.jpg.")
  var withMasks = false

  @OptionGroup var masks: MaskOptions

  @Flag(help: "Of CIFAR-100, the 20 coarse labels instead of the 100 fine ones.")
  var coarseLabels = false

  @Option(
    help: ArgumentHelp("The folder that a list's paths start from (default: the list's own).", valueName: "folder"))
  var root: String?

  @Option(
    help: ArgumentHelp("The column of a list that has paths: its name, or its number from 1.", valueName: "column"))
  var pathColumn: String?

  @Option(
    help: ArgumentHelp("The column of a list, or the key of JSON objects, that has labels.", valueName: "column"))
  var labelColumn: String?

  func validate() throws {
    if noLabels {
      for (name, isGiven) in [
        ("--labels", !labels.isEmpty), ("--class-names", classNames != nil), ("--coarse-labels", coarseLabels),
        ("--label-column", labelColumn != nil), ("--label-separator", labelSeparator != nil),
        ("--label-type", labelType != nil), ("--require-labels", requireLabels),
        ("--allow-empty-classes", allowEmptyClasses),
      ] where isGiven { throw ValidationError("\(name) and --no-labels exclude each other") }
    }
    try masks.check(withMasks: withMasks)
    for (name, value) in [
      ("--root", root), ("--path-column", pathColumn), ("--label-column", labelColumn), ("--split", split),
      ("--label-separator", labelSeparator),
    ] {
      if value == "" { throw ValidationError("\(name) is empty") }
    }
    if labelSeparator != nil {
      if labelType == .number { throw ValidationError("--label-separator and --label-type number exclude each other") }
      if classNames != nil { throw ValidationError("--label-separator and --class-names exclude each other") }
    }
    let names = names ?? []
    if Set(names).count < names.count || names.contains("") {
      throw ValidationError("--class-names: expected names that are not empty and all different")
    }
  }

  private var names: [String]? {
    classNames?.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
  }

  /// - Parameter spool: the folder for what can be read only once.
  func options(spool: String) -> SourceOptions {
    var options = SourceOptions()
    options.labels = labels
    options.classNames = names
    options.unlabelled = noLabels
    options.labelSeparator = labelSeparator
    options.labelType = labelSeparator == nil ? labelType : .text
    options.allowsEmptyClasses = allowEmptyClasses
    options.split = split
    options.takesMasks = withMasks
    masks.set(in: &options)
    options.coarseLabels = coarseLabels
    options.root = root
    options.pathColumn = pathColumn
    options.labelColumn = labelColumn
    options.temporaryFolder = spool
    return options
  }
}
