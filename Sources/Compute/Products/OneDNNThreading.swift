#if OneDNN
  import COneDNN
  import Foundation

  /// Keeps oneDNN on the thread that calls it.
  enum OneDNNThreading {
    /// The number of OpenMP threads of a call is a setting of each calling thread. It is unset until that thread sets
    /// it, and belongs to the OpenMP library that oneDNN itself is bound to.
    private static let limit: (@convention(c) (Int32) -> Void)? = dlsym(nil, "omp_set_num_threads").map {
      unsafeBitCast($0, to: (@convention(c) (Int32) -> Void).self)
    }
    private static let runtime = dnnl_version().pointee.cpu_runtime

    /// Why this oneDNN can't be kept on one thread; nil where it can.
    static let unavailable: String? = {
      switch runtime {
      case DNNL_RUNTIME_SEQ: nil
      case DNNL_RUNTIME_OMP: limit == nil ? "oneDNN uses an OpenMP without omp_set_num_threads" : nil
      default: "oneDNN was built for threads of another kind than OpenMP's (\(runtime)), which can't be kept out"
      }
    }()

    /// Before every call, since somebody else may have set it meanwhile: it takes 3 ns.
    static func stayHere() { limit?(1) }
  }
#endif
