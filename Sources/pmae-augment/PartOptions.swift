import ArgumentParser
import Schemas

/// `--part` and `--batch`: the rows of one rank of a run.
struct PartOptions: ParsableArguments {
  @Option(
    name: .customLong("part"),
    help: ArgumentHelp(
      "Make one of equal parts of every batch alone, as 3/8, counted from 0: what rank 3 of 8 trains on.",
      valueName: "number/parts"))
  var text: String?

  @Option(help: ArgumentHelp("For --part: pictures in a step of the run.", valueName: "n"))
  var batch: Int?

  mutating func validate() throws {
    if (text == nil) != (batch == nil) { throw ValidationError("--part and --batch need each other") }
    if let text, let batch, part == nil {
      throw ValidationError(
        "--part is \(text) of a --batch of \(batch): expected NUMBER/PARTS, as 0/2 and 1/2, whose parts divide the batch"
      )
    }
  }

  var part: ViewPart? {
    guard let text, let batch else { return nil }
    return ViewPart(text, batch: batch)
  }
}
