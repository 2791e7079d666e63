import Foundation
import Ranks

/// What a step takes on several ranks, by what it takes on one process that has a rank's part of the batch.
///
/// A step computes for C seconds. Each rank sends the gradients of the weights that others move, P(R−1)/R values, while the last φC of these
/// are computed; what moves them takes some of the processor's time. Then it sends the weights that it moved, as many
/// (those that travel while others are moved are counted in full). The ranks also
/// agree on some small things, one after the other. So a step takes
/// `C + k V / T + max(0, w V / (e B) − φ C − k V / T) + 4 V / (e B) + a ⌈log₂ R⌉ L`, where V = P(R−1)/R; R: ranks of T threads; P: weights that are trained; B: bytes a second; L: latency; w: bytes of a gradient on the
/// wire. The other letters are `fitted`. pmae-cluster(7) says how far this was checked.
public struct ClusterPlan: Sendable {
  /// What was measured of a process with a rank's part of the batch.
  public struct Measured: Sendable {
    /// Pictures of a step.
    public var images: Int
    /// C.
    public var seconds: Double
    /// T.
    public var threads: Int
    /// P.
    public var weights: Int
    /// The most that the process has had.
    public var memory: Double

    public init(images: Int, seconds: Double, threads: Int, weights: Int, memory: Double) {
      (self.images, self.seconds, self.threads) = (images, seconds, threads)
      (self.weights, self.memory) = (weights, memory)
    }
  }

  /// Tests/Cluster/measure-network.sh measured what these were fitted to, Tests/Oracle/fit_network.py fitted them.
  struct Fitted: Sendable {
    /// e: what arrives of a network's bits a second.
    var share = 0.805
    /// k: seconds of one thread to send a gradient, to get one and to add it.
    var secondsAValue = 4.73e-9
    /// φ: the part of a step in which gradients travel.
    var window = 0.711
    /// a: small operations of a step, each of which waits for the one before.
    var operations = 290.0
  }
  static let fitted = Fitted()

  public let measured: Measured
  public let ranks: Int
  public let network: Interconnect
  /// Seconds of a step beside C: for gradients, for weights, and for small operations.
  public let gradients: Double
  public let exchangedWeights: Double
  public let agreement: Double

  /// - Parameter ranks: R, one or more.
  public init(_ measured: Measured, ranks: Int, network: Interconnect, wire: Ranks.Wire = .float32) {
    (self.measured, self.ranks, self.network) = (measured, ranks, network)
    let fitted = Self.fitted
    let values = Double(measured.weights) * Double(ranks - 1) / Double(ranks)
    let bytesPerSecond = fitted.share * network.bitsPerSecond / 8
    let moving = fitted.secondsAValue * values / Double(measured.threads)
    let travelling = (wire == .float32 ? 4 : 2) * values / bytesPerSecond
    gradients = moving + max(0, travelling - fitted.window * measured.seconds - moving)
    exchangedWeights = 4 * values / bytesPerSecond
    agreement = fitted.operations * log2(Double(ranks)).rounded(.up) * network.latency
  }

  /// Of a step of all ranks.
  public var seconds: Double { measured.seconds + gradients + exchangedWeights + agreement }
  public var imagesPerSecond: Double { Double(ranks * measured.images) / seconds }
  /// What is left of as many times one rank that speaks with nobody.
  public var efficiency: Double { measured.seconds / seconds }

  /// Bytes of a rank. It keeps a rank's share of the moments, and has room for the gradients that are on their way, and for MPI.
  public var memory: Double {
    let weights = 4 * Double(measured.weights)
    return measured.memory - 2 * weights * (1 - 1 / Double(ranks)) + (ranks > 1 ? weights + 0x1p25 : 0)
  }

  /// Hours of a run.
  public func hours(epochs: Int, images: Int) -> Double {
    Double(epochs) * Double(images / (ranks * measured.images)) * seconds / 3600
  }
}
