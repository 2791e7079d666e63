import Settings

extension Segmentation {
  /// Fine-tuning of ADE20K. The sources differ in the rate; what else they say agrees, and where they are silent mmsegmentation's
  /// configuration of MAE stands.
  public static let presets: [Preset] = [
    segmentation(
      "paper", "as Pseudo MAE's appendix A says", rate: "6.4e-3", source: "appendix A: 4e-4 for 16",
      notes: ["appendix A follows SdAE, section 4 follows MAE"]),
    segmentation(
      "ibot", "as iBOT's configurations have it", rate: "1.28e-3", source: "iBOT, evaluation/README.md: 8e-5 for 16",
      notes: ["iBOT keeps the encoder's last norm behind what the blocks give; here it is left out, as in BEiT"]),
    segmentation(
      "cae", "as CAE's table has it", rate: "3.2e-3", source: "CAE: 2e-4 for 16",
      notes: ["CAE's text searches from 1e-4 to 3e-4"]),
    segmentation(
      "mae", "as mmsegmentation has it for MAE", rate: "1.6e-3",
      source: "upernet_mae-base_fp16_8x2_512x512_160k_ade20k.py: 1e-4 for 16"),
  ]
}

private func segmentation(
  _ name: String, _ summary: String, rate: String, source: String, notes: [String] = []
) -> Preset {
  let configuration = "mmsegmentation's configuration of MAE"
  return Preset(
    name: "ade20k-\(name)", summary: "semantic segmentation of ADE20K, \(summary)",
    settings: [
      ("--task", "segment", "a class for each pixel"), ("--base-lr", rate, source),
      ("--weight-decay", "0.05", configuration), ("--layer-decay", "0.65", "appendix A; \(configuration)"),
      ("--drop-path", "0.1", configuration),
    ],
    notes: notes + [
      "all train 160,000 steps of 16 views of 512 x 512, with 1,500 steps of warm-up: --batch 16, 127 epochs of 20,210 pictures",
      "views: pmae-augment --views segment --size 512",
    ])
}
