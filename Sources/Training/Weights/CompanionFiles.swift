import Foundation
import Networks
import Schemas
import TensorStream

/// What the files beside another program's weights say of them: `config.json`, as Hugging Face and timm write it, and
/// Hugging Face's `preprocessor_config.json`.
struct CompanionFiles {
  private(set) var heads: Int?
  private(set) var normEpsilon: Double?
  /// What a classifier's head is on.
  private(set) var pooling: Pooling?
  private(set) var classNames: [String]?
  private(set) var normalisation: Normalisation?
  /// Sizes that the weights must have, with the key that says so.
  private var sizes: [(key: String, value: Int, of: KeyPath<EncoderConfiguration, Int>)] = []
  private let path: String

  /// Nil where there is no `config.json` of either program beside the weights.
  /// - Throws: `Failure(.data)` where it asks for an activation that there is none of here.
  init?(beside weights: String) throws {
    let folder = URL(fileURLWithPath: weights).deletingLastPathComponent()
    path = folder.appendingPathComponent("config.json").relativePath
    guard let config = Self.object(path) else { return nil }
    if config["model_type"] is String {
      try readHuggingFace(config)
      if let given = Self.object(folder.appendingPathComponent("preprocessor_config.json").relativePath) {
        normalisation = Self.normalisation(given["image_mean"], given["image_std"])
      }
    } else if let architecture = config["architecture"] as? String {
      readTimm(config, architecture: architecture)
    } else {
      return nil
    }
  }

  private mutating func readHuggingFace(_ config: [String: Any]) throws {
    if let activation = config["hidden_act"] as? String, activation != "gelu" {
      throw Failure(.data, "\(path): \"hidden_act\" is \(quoted(activation)): there is only gelu, the exact one, here")
    }
    heads = config["num_attention_heads"] as? Int
    normEpsilon = config["layer_norm_eps"] as? Double
    for (key, of) in [
      ("hidden_size", \EncoderConfiguration.width), ("num_hidden_layers", \.depth), ("patch_size", \.patch),
    ] as [(String, KeyPath<EncoderConfiguration, Int>)] {
      if let value = config[key] as? Int { sizes.append((key, value, of)) }
    }
    if ["vit", "deit"].contains(config["model_type"] as? String) { pooling = .classToken }
    if let names = config["id2label"] as? [String: String] {
      let all = (0..<names.count).map { names[String($0)] }
      if all.allSatisfy({ $0 != nil }) { classNames = all.compactMap(\.self) }
      if let names = classNames, names.indices.allSatisfy({ names[$0] == "LABEL_\($0)" }) { classNames = nil }
    }
  }

  private mutating func readTimm(_ config: [String: Any], architecture: String) {
    let arguments = config["model_args"] as? [String: Any] ?? [:]
    let given = config["pretrained_cfg"] as? [String: Any] ?? [:]
    heads = arguments["num_heads"] as? Int ?? Self.heads(architecture)
    switch arguments["global_pool"] as? String ?? config["global_pool"] as? String {
    case "token": pooling = .classToken
    case "avg": pooling = .mean
    default: break
    }
    normalisation = Self.normalisation(given["mean"], given["std"])
    classNames = given["label_names"] as? [String] ?? config["label_names"] as? [String]
    if let width = config["num_features"] as? Int { sizes.append(("num_features", width, \.width)) }
  }

  /// The heads of timm's sizes by their names.
  private static func heads(_ architecture: String) -> Int? {
    let sizes = ["tiny": 3, "small": 6, "base": 12, "large": 16, "huge": 16]
    let parts = architecture.split(separator: "_").map(String.init)
    guard let family = parts.first, ["vit", "deit", "deit3", "beit", "beitv2"].contains(family), parts.count > 1 else {
      return nil
    }
    return sizes[parts[1]]
  }

  /// - Throws: `Failure(.data)` where the weights have another size than the configuration says: it is of other weights.
  func check(_ encoder: EncoderConfiguration, source: String) throws {
    for (key, value, of) in sizes where encoder[keyPath: of] != value {
      throw Failure(
        .data, "\(source): \(path) beside it says \(key) \(value), but the weights have \(encoder[keyPath: of])")
    }
  }

  private static func normalisation(_ mean: Any?, _ std: Any?) -> Normalisation? {
    let lists = [mean, std].map { ($0 as? [Any] ?? []).compactMap { ($0 as? NSNumber)?.doubleValue } }
    return lists[0].isEmpty || lists[0].count != lists[1].count ? nil : Normalisation(mean: lists[0], std: lists[1])
  }

  private static func object(_ path: String) -> [String: Any]? {
    // Larger than any configuration with the names of 22,000 classes.
    guard let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int, size < 1 << 24,
      let data = FileManager.default.contents(atPath: path)
    else { return nil }
    return (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
  }
}
