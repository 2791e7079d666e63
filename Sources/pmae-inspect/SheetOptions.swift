import ArgumentParser
import CommandLineKit
import Imaging
import TensorStream

/// What pictures of streams and runs share: how large, how many, and whether a file may be replaced.
struct SheetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Images, or samples of views, in a row of a sheet (default: what makes a page).", valueName: "n")
  )
  var columns: Int?

  @Option(
    help: ArgumentHelp("The side of a picture on a sheet, in pixels (default: 192).", valueName: "n"))
  var size: Int?

  @Flag(help: "Replace the output if it exists.")
  var overwrite = false

  mutating func validate() throws {
    if let columns, !(1...1000).contains(columns) {
      throw ValidationError("--columns is \(columns): expected 1 to 1000")
    }
    if let size, !(16...4096).contains(size) { throw ValidationError("--size is \(size): expected 16 to 4096") }
  }

  /// Throws, before any work is done, what writing would throw at its end.
  func check(_ output: String) throws {
    var options = OutputOptions()
    (options.output, options.overwrite) = (output, overwrite)
    try options.checkEarly()
  }

  func write(_ picture: Picture, to output: String) throws {
    try writeWholeFile(try picture.jpeg(name: inputName(output)), path: output, overwrite: overwrite)
  }
}
