// gnuplot makes the drawings. It is a program of its own, and may be missing. It is run by Foundation's Process: swift-subprocess answers
// to asynchronous code alone, and brings swift-system along.

import Foundation
import TensorStream

public enum Gnuplot {
  /// Runs a script, and returns what gnuplot wrote to its standard output.
  /// - Throws: `Failure(.noInput)` where there is no gnuplot in PATH, with how to get it; `.software` where it does not take the script.
  public static func run(_ script: String) throws -> [UInt8] {
    guard let program = find() else {
      throw Failure(
        .noInput,
        "gnuplot is not in PATH, and curves are drawn by it: on Debian, apt-get install gnuplot-nox")
    }
    // From files, so that neither side waits for the other over a full pipe.
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-gnuplot-\(UUID().uuidString)"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/script"))
      for name in ["output", "errors"] { try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = ["\(folder)/script"]
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/output"))
      process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/errors"))
      try process.run()
      process.waitUntilExit()
      let output = try Data(contentsOf: URL(fileURLWithPath: folder + "/output"))
      if process.terminationStatus != 0 || output.isEmpty {
        let errors = try Data(contentsOf: URL(fileURLWithPath: folder + "/errors"))
        let said = String(decoding: errors, as: UTF8.self).split(separator: "\n").last ?? "nothing"
        throw Failure(.software, "gnuplot failed (\(process.terminationStatus)): \(said)")
      }
      return Array(output)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.io, "gnuplot could not be run: \(error.localizedDescription)")
    }
  }

  private static func find() -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/gnuplot" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}
