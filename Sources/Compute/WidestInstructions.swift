import CKernels
import COpenBLAS
import Foundation

/// Starts the program again with OpenBLAS's AVX-512 kernels where the processor has AVX-512 and OpenBLAS did not notice.
///
/// OpenBLAS chooses its kernels by the processor's model when it is loaded, and one that is older than the processor
/// falls back to AVX2 (0.3.21 on Zen 4 and 5: half the speed). Its own variable OPENBLAS_CORETYPE overrules that, but it is
/// read before `main`, hence the new start. Does nothing where the user has set the variable, or where starting again
/// fails. Call first thing in `main`.
public func useWidestInstructions() {
  #if os(Linux) && arch(x86_64)
    guard getenv("OPENBLAS_CORETYPE") == nil, pmae_has_avx512() == 1 else { return }
    let core = String(cString: openblas_get_corename())
    if ["SkylakeX", "Cooperlake", "SapphireRapids"].contains(core) { return }
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1)
    var arguments = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    execv("/proc/self/exe", arguments)
  #endif
}
