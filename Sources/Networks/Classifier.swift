import Autodiff
import Compute

/// An encoder, its tokens pooled, and a linear layer to the logits of classes. Names are timm's: the encoder's own, then
/// `head.weight` [C, D] (of a grid [C, 9 D]) and `head.bias` [C].
///
/// The encoder's norm comes before the pooling, whichever it is, so that its weights are those of the encoder that was
/// pretrained. For the class token that is timm's `global_pool="token"`; for the mean, `global_pool="avg", fc_norm=False`;
/// timm has nothing like the grid.
public struct Classifier: Network {
  public var encoder: Encoder
  public let head: LinearWeights
  public let pooling: Pooling

  /// - Parameter classes: C, at least 1. The head's weights are zero: `initialiseNormal`, `load` or a probe sets them.
  public init(_ encoder: Encoder, classes: Int, pooling: Pooling, engine: Engine, trained: Bool) {
    self.encoder = encoder
    self.pooling = pooling
    head = LinearWeights(
      "head", pooling.width(of: encoder.configuration.width), classes, engine: engine, trained: trained)
  }

  public var classes: Int { head.bias.tensor.count }

  public var parameters: [Parameter] { encoder.parameters + head.parameters }
  public var constants: [Constant] { encoder.constants }

  /// The head alone, for fresh weights.
  public var headNetwork: some Network { HeadNetwork(parameters: head.parameters) }

  /// Logits [B, C].
  /// - Parameter keeps: for drop path, a block each.
  public func callAsFunction(_ tape: Tape, _ images: ImageBatch, keeps: [BranchKeep]? = nil) -> Tensor {
    head(tape, encoder.pooled(tape, images, pooling, keeps: keeps))
  }

  private struct HeadNetwork: Network {
    let parameters: [Parameter]
  }
}
