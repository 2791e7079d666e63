import Foundation
import Networks
import Schemas
import TensorStream
import Training

/// A folder for `timm.create_model("local-dir:FOLDER")`.
public enum TimmFolder {
  /// - Parameters:
  ///   - pooling: of a head that the file has; otherwise what timm's `forward` gives.
  ///   - metadata: of the weights: provenance.
  /// - Throws: `Failure(.usage)` for a pooling that timm does not have.
  public static func write(
    _ file: WeightsFile, hasHead: Bool, pooling: Pooling, metadata: [String: String], to path: String, overwrite: Bool
  ) throws {
    if pooling == .grid {
      throw Failure(
        .usage,
        "\(file.source): its features are means in parts of the picture, and timm has no such model: --without-head with "
          + "--pool class or mean exports the encoder alone, --format onnx all of it")
    }
    let c = file.encoder
    let classes = hasHead ? file.head?.classes ?? 0 : 0
    let names = ["vit_tiny": 192, "vit_small": 384, "vit_base": 768, "vit_large": 1024]
    let name = (names.first { $0.value == c.width }?.key ?? "vit_base") + "_patch16_224"
    let pool = pooling == .classToken ? "token" : "avg"
    var arguments: [String: Any] = [
      "img_size": c.image, "patch_size": c.patch, "in_chans": c.channels, "embed_dim": c.width, "depth": c.depth,
      "num_heads": c.heads, "mlp_ratio": c.mlpRatio, "num_classes": classes, "global_pool": pool, "fc_norm": false,
    ]
    // Any number will do: the factors themselves are among the weights.
    if c.layerScale { arguments["init_values"] = 1e-5 }
    var pretrained: [String: Any] = [
      "tag": "pmae", "custom_load": false, "input_size": [c.channels, c.image, c.image], "fixed_input_size": true,
      "interpolation": "bicubic", "crop_pct": 0.875, "crop_mode": "center", "num_classes": classes,
      "first_conv": "patch_embed.proj", "classifier": "head",
    ]
    if let normalisation = file.normalisation {
      (pretrained["mean"], pretrained["std"]) = (normalisation.mean, normalisation.std)
    }
    var config: [String: Any] = [
      "architecture": name, "num_classes": classes, "num_features": c.width, "global_pool": pool,
      "model_args": arguments, "pretrained_cfg": pretrained,
    ]
    if hasHead, let names = file.classNames { config["label_names"] = names }
    let use = """
      ```python
      import timm
      model = timm.create_model("local-dir:FOLDER", pretrained=True).eval()
      ```
      """
    let card = ModelCard(file, hasHead: hasHead, library: "timm", use: use, metadata: metadata)
    try ModelFolder(
      tensors: file.tensors(hasHead: hasHead),
      texts: [("config.json", try prettyJSON(config)), ("README.md", card.text)]
    ).write(to: path, metadata: metadata, overwrite: overwrite)
  }
}

extension WeightsFile {
  /// Its tensors, those of its head among them or not.
  public func tensors(hasHead: Bool) -> [NamedTensor] {
    record.tensors.filter { hasHead || !$0.name.hasPrefix("head.") }
  }
}
