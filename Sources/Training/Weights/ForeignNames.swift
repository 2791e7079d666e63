import TensorStream

/// The names that other programs give an encoder's tensors, as timm's. Known are timm's own (MAE's, DINO's, iBOT's and
/// DINOv2's are the same), BEiT's, and those of Hugging Face's ViT, DeiT, ViTMAE, BEiT and DINOv2.
struct ForeignNames {
  /// What the names of the encoder's tensors start with: empty, or such as `vit.` or `module.backbone.`.
  let root: String
  /// Whether the names are Hugging Face's.
  let isHuggingFace: Bool

  /// - Throws: `Failure(.data)` where there is no encoder, or several.
  init(_ record: Record, source: String) throws {
    let endings = ["patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"]
    let found = endings.flatMap { ending in
      record.tensors.filter { $0.name == ending || $0.name.hasSuffix("." + ending) }
        .map { (root: String($0.name.dropLast(ending.count)), isHuggingFace: ending != endings[0]) }
    }
    guard let first = found.first else {
      throw Failure(
        .data,
        "\(source): has no \"config\" in its metadata and no tensor \"\(endings[0])\": not an encoder's weights in timm's names, "
          + "nor \"\(endings[1])\", in Hugging Face's")
    }
    guard found.count == 1 else {
      let roots = found.map { $0.root.isEmpty ? "one without a prefix" : $0.root }.joined(separator: ", ")
      throw Failure(.data, "\(source): holds several encoders (\(roots)): expected a file with one")
    }
    (root, isHuggingFace) = first
  }

  /// What becomes of a tensor.
  enum Use: Equatable {
    /// It is the encoder's, or a head's, under this name. Queries, keys and values may still be apart, as `attn.q.weight`.
    case taken(String)
    /// It belongs to something beside the encoder.
    case leftOut
    /// It is part of an encoder that is built otherwise: what this is called.
    case refused(String)
    case unknown
  }

  func use(of name: String) -> Use {
    guard name.hasPrefix(root) else {
      return ["classifier.weight", "classifier.bias"].contains(name) && isHuggingFace
        ? .taken("head" + name.dropFirst("classifier".count)) : .leftOut
    }
    let local = String(name.dropFirst(root.count))
    let ours = renamed(local)
    if Self.isOurs(ours) { return .taken(ours) }
    if let part = Self.otherParts.first(where: { local.contains($0.fragment) }) { return .refused(part.what) }
    return Self.besides.contains(where: local.hasPrefix) ? .leftOut : .unknown
  }

  private func renamed(_ local: String) -> String {
    var name = local
    for (theirs, ours) in isHuggingFace ? Self.huggingFace + Self.beit : Self.beit {
      if theirs.hasPrefix("."), name.hasPrefix("blocks.") {
        name = name.replacing(theirs, with: ours)
      } else if name.hasPrefix(theirs) {
        name = ours + name.dropFirst(theirs.count)
      }
    }
    return name
  }

  /// Beginnings, and what follows a block's number, which starts with a dot. Longer ones come before those that they end with.
  private static let huggingFace = [
    ("embeddings.cls_token", "cls_token"), ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."), ("layernorm.", "norm."),
    ("encoder.layer.", "blocks."), (".attention.attention.query.", ".attn.q."),
    (".attention.attention.key.", ".attn.k."),
    (".attention.attention.value.", ".attn.v."), (".attention.output.dense.", ".attn.proj."),
    (".intermediate.dense.", ".mlp.fc1."), (".output.dense.", ".mlp.fc2."), (".layernorm_before.", ".norm1."),
    (".layernorm_after.", ".norm2."), (".layer_scale1.lambda1", ".ls1.gamma"), (".layer_scale2.lambda1", ".ls2.gamma"),
    (".lambda_1", ".ls1.gamma"), (".lambda_2", ".ls2.gamma"),
  ]
  private static let beit = [
    (".gamma_1", ".ls1.gamma"), (".gamma_2", ".ls2.gamma"), (".attn.q_bias", ".attn.q.bias"),
    (".attn.k_bias", ".attn.k.bias"), (".attn.v_bias", ".attn.v.bias"),
  ]

  /// Whether this is a name of an encoder or a head here.
  private static func isOurs(_ name: String) -> Bool {
    let fixed = ["cls_token", "pos_embed"]
    let layers = ["patch_embed.proj", "norm", "head"]
    if fixed.contains(name) || layers.contains(where: { name == $0 + ".weight" || name == $0 + ".bias" }) {
      return true
    }
    let parts = name.split(separator: ".", maxSplits: 2)
    guard parts.count == 3, parts[0] == "blocks", Int(parts[1]) != nil else { return false }
    let inBlock = ["norm1", "norm2", "attn.qkv", "attn.q", "attn.k", "attn.v", "attn.proj", "mlp.fc1", "mlp.fc2"]
    return ["ls1.gamma", "ls2.gamma"].contains(parts[2])
      || inBlock.contains { parts[2] == $0 + ".weight" || parts[2] == $0 + ".bias" }
  }

  /// Parts of an encoder that there are none of here.
  private static let otherParts: [(fragment: String, what: String)] = [
    ("register_token", "register tokens"), ("reg_token", "register tokens"),
    ("dist_token", "a distillation token"), ("distillation_token", "a distillation token"),
    ("relative_position", "relative positions"), ("rel_pos", "relative positions"), ("rope", "rotary positions"),
    ("mlp.w12", "SwiGLU"), ("mlp.w3", "SwiGLU"), ("mlp.weights_in", "SwiGLU"), ("mlp.weights_out", "SwiGLU"),
    ("mlp.fc1_", "SwiGLU"), ("mlp.gate_proj", "SwiGLU"), ("q_norm", "a norm of queries"), ("k_norm", "a norm of keys"),
    ("mlp.norm", "a norm inside the MLP"), ("attn.norm", "a norm inside the attention"),
    ("norm_pre", "a norm before the blocks"), ("fc_norm", "a norm after the pooling"),
    ("pooler.layernorm", "a norm after the pooling"), ("attn_pool", "pooling by attention"),
  ]

  /// Beginnings of what stands beside an encoder: decoders, tokens of masks, heads of pretraining.
  private static let besides = [
    "decoder", "mask_token", "masked_embed", "embeddings.mask_token", "pooler.dense.", "head.", "lm_head.", "mim_head.",
    "contrastive_head.", "projector.", "predictor.",
  ]
}
