// pmae-fuzz TARGET [libFuzzer's options and corpus folders]: runs a target under libFuzzer. pipelines/fuzz.mk builds and runs it.

import CFuzzer
import Foundation

/// The target that was chosen. A function of C cannot carry it.
enum Chosen {
  nonisolated(unsafe) static var target: (UnsafeRawBufferPointer) -> Void = { _ in }
}

guard CommandLine.arguments.count > 1, let target = FuzzTargets.target(CommandLine.arguments[1]) else {
  let usage = "usage: pmae-fuzz TARGET [options and folders of libFuzzer]; TARGET: \(FuzzTargets.names)\n"
  FileHandle.standardError.write(Data(usage.utf8))
  exit(64)
}
Chosen.target = target
// libFuzzer takes the target's name for its own.
var count = CommandLine.argc - 1
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    Chosen.target(UnsafeRawBufferPointer(start: data, count: size))
    return 0
  })
