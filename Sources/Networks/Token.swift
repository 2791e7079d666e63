import Autodiff
import Compute

/// A single learned token, such as the one that stands for what an encoder does not see.
public struct Token: Network {
  public let parameter: Parameter
  public var tensor: Tensor { parameter.tensor }
  public var parameters: [Parameter] { [parameter] }

  /// - Parameter name: ends in `_token`. Its values are zero.
  public init(_ name: String, width: Int, engine: Engine, trained: Bool) {
    parameter = Parameter(name, shape: [1, 1, width], engine: engine, trained: trained)
  }
}
