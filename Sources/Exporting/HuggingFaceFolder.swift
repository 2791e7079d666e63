import Foundation
import Networks
import Schemas
import TensorStream
import Training

/// A folder that Hugging Face's `ViTModel.from_pretrained` opens, or with a head `ViTForImageClassification`.
public enum HuggingFaceFolder {
  /// - Throws: `Failure(.usage)` for a head on the mean of the patches, since theirs is on the class token.
  public static func write(
    _ file: WeightsFile, hasHead: Bool, pooling: Pooling, metadata: [String: String], to path: String, overwrite: Bool
  ) throws {
    if hasHead, pooling != .classToken {
      throw Failure(
        .usage,
        "\(file.source): its head is on means of the patches, and ViTForImageClassification's is on the class token: --without-head exports the encoder alone, --layout timm both"
      )
    }
    let c = file.encoder
    var config: [String: Any] = [
      "architectures": [hasHead ? "ViTForImageClassification" : "ViTModel"], "model_type": "vit",
      "image_size": c.image, "patch_size": c.patch, "num_channels": c.channels, "hidden_size": c.width,
      "num_hidden_layers": c.depth, "num_attention_heads": c.heads, "intermediate_size": c.mlpRatio * c.width,
      "hidden_act": "gelu", "layer_norm_eps": c.normEpsilon, "qkv_bias": true, "hidden_dropout_prob": 0,
      "attention_probs_dropout_prob": 0, "dtype": "float32",
    ]
    if hasHead, let head = file.head {
      let names = file.classNames ?? (0..<head.classes).map { "LABEL_\($0)" }
      config["id2label"] = Dictionary(uniqueKeysWithValues: names.enumerated().map { (String($0), $1) })
      // Of two classes of one name the first has it.
      config["label2id"] = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    }
    var texts = [("config.json", try prettyJSON(config))]
    if let preprocessor = try preprocessor(file) { texts.append(("preprocessor_config.json", preprocessor)) }
    let use = """
      ```python
      from transformers import AutoImageProcessor, \(hasHead ? "ViTForImageClassification" : "ViTModel")
      processor = AutoImageProcessor.from_pretrained("FOLDER")
      model = \(hasHead ? "ViTForImageClassification.from_pretrained(\"FOLDER\")"
        : "ViTModel.from_pretrained(\"FOLDER\", add_pooling_layer=False)")
      ```
      """
    let card = ModelCard(file, hasHead: hasHead, library: "transformers", use: use, metadata: metadata)
    texts.append(("README.md", card.text))
    try ModelFolder(tensors: try tensors(file, hasHead: hasHead), texts: texts.map { (name: $0, text: $1) }).write(
      to: path, metadata: WeightsHeader.withoutConfiguration(metadata), overwrite: overwrite)
  }

  /// The short side is resized, and the center taken, as the recipe `center` does it. Nil where the file does not say how
  /// pixels are normalised.
  private static func preprocessor(_ file: WeightsFile) throws -> String? {
    guard let normalisation = file.normalisation else { return nil }
    let side = file.encoder.image
    return try prettyJSON([
      "image_processor_type": "BitImageProcessor", "do_convert_rgb": file.encoder.channels == 3, "do_resize": true,
      "size": ["shortest_edge": Int(Double(side) / 0.875)], "resample": 3, "do_center_crop": true,
      "crop_size": ["height": side, "width": side], "do_rescale": true, "rescale_factor": 1.0 / 255,
      "do_normalize": true, "image_mean": normalisation.mean, "image_std": normalisation.std,
    ])
  }

  /// Their names; queries, keys and values apart. LayerScale, which their ViT has none of, is multiplied into the last
  /// matrix of each branch.
  static func tensors(_ file: WeightsFile, hasHead: Bool) throws -> [NamedTensor] {
    let prefix = hasHead ? "vit." : ""
    var result: [NamedTensor] = []
    for (name, tensor) in file.tensors(hasHead: hasHead) where !name.hasSuffix(".gamma") {
      if name.hasPrefix("head.") {
        result.append(("classifier." + name.dropFirst(5), tensor))
      } else if let parts = qkvParts(name, tensor) {
        result += parts.map { (prefix + theirName($0.name), $0.tensor) }
      } else {
        result.append((prefix + theirName(name), try folded(name, tensor, file)))
      }
    }
    return result
  }

  private static func qkvParts(_ name: String, _ tensor: StoredTensor) -> [NamedTensor]? {
    guard name.contains(".attn.qkv.") else { return nil }
    let bytes = tensor.byteCount / 3
    return ["q", "k", "v"].enumerated().map { place, letter in
      let part = tensor.withUnsafeBytes { Array($0[place * bytes..<(place + 1) * bytes]) }
      let shape = [tensor.shape[0] / 3] + tensor.shape.dropFirst()
      return (
        name.replacing(".qkv.", with: ".\(letter)."), StoredTensor(type: tensor.type, shape: shape, bytes: part)
      )
    }
  }

  /// γ ⊙ (W x + b) = (γ ⊙ W) x + γ ⊙ b.
  private static func folded(_ name: String, _ tensor: StoredTensor, _ file: WeightsFile) throws -> StoredTensor {
    for (layer, scale) in [(".attn.proj.", ".ls1.gamma"), (".mlp.fc2.", ".ls2.gamma")] {
      guard let place = name.range(of: layer), let gamma = file.record[name[..<place.lowerBound] + scale] else {
        continue
      }
      let factors = try gamma.values(of: Float.self)
      var values = try tensor.values(of: Float.self)
      let width = values.count / factors.count
      for i in values.indices { values[i] *= factors[i / width] }
      return StoredTensor(values, shape: tensor.shape)
    }
    return tensor
  }

  private static func theirName(_ name: String) -> String {
    var name = name
    for (ours, theirs) in [
      ("patch_embed.proj.", "embeddings.patch_embeddings.projection."), ("cls_token", "embeddings.cls_token"),
      ("pos_embed", "embeddings.position_embeddings"), ("blocks.", "encoder.layer."), ("norm.", "layernorm."),
    ] where name.hasPrefix(ours) {
      name = theirs + name.dropFirst(ours.count)
      break
    }
    for (ours, theirs) in [
      (".norm1.", ".layernorm_before."), (".norm2.", ".layernorm_after."), (".attn.q.", ".attention.attention.query."),
      (".attn.k.", ".attention.attention.key."), (".attn.v.", ".attention.attention.value."),
      (".attn.proj.", ".attention.output.dense."), (".mlp.fc1.", ".intermediate.dense."),
      (".mlp.fc2.", ".output.dense."),
    ] { name = name.replacing(ours, with: theirs) }
    return name
  }
}
