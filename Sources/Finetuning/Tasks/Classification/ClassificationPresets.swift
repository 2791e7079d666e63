import Settings

extension Classification {
  /// Published recipes of fine-tuning and of the linear probe.
  public static let presets: [Preset] = [
    Preset(
      name: "imagenet-mae", summary: "MAE's fine-tuning of ViT-B on ImageNet-1K",
      settings: mae(epochs: "100", rate: "5e-4", decay: "0.65", dropPath: "0.1"), notes: maeNotes),
    Preset(
      name: "imagenet-mae-large", summary: "MAE's fine-tuning of ViT-L on ImageNet-1K",
      settings: mae(epochs: "50", rate: "1e-3", decay: "0.75", dropPath: "0.2"), notes: maeNotes),
    Preset(
      name: "imagenet-sdae", summary: "SdAE's fine-tuning of ViT-B on ImageNet-1K, as Pseudo MAE has it",
      settings: sdae(epochs: "100", rate: "5e-4", decay: "0.65", dropPath: "0.1", warmup: "10"),
      notes: [
        "section 4.1 says a batch of 1024 and 5 epochs of warm-up: --batch 1024 --warmup-epochs 5",
        "the paper is silent on mixing and smoothing: they are those of MAE, from which SdAE's are", headNote, viewNote,
      ]),
    Preset(
      name: "imagenet-sdae-large", summary: "SdAE's fine-tuning of ViT-L on ImageNet-1K, as Pseudo MAE has it",
      settings: sdae(epochs: "50", rate: "1e-3", decay: "0.75", dropPath: "0.2", warmup: "5"),
      notes: [
        "the paper is silent on mixing and smoothing: they are those of MAE, from which SdAE's are", headNote, viewNote,
      ]),
    Preset(
      name: "transfer-deit", summary: "transfer to smaller sets with DeiT's settings, as Pseudo MAE has it",
      settings: transfer(epochs: "100", source: "appendix A"),
      notes: ["section 4.1 trains for 1000 epochs: --preset transfer-deit-1000"] + transferNotes),
    Preset(
      name: "transfer-deit-1000", summary: "the same for 1000 epochs",
      settings: transfer(epochs: "1000", source: "section 4.1; appendix A says 100"), notes: transferNotes),
    Preset(
      name: "few-shot-ibot", summary: "fine-tuning of ViT-S on 1 % or 10 % of the labels, as iBOT has it",
      settings: [
        ("--mode", "full", "iBOT"), ("--pool", "class", "iBOT, eval_cls.py"),
        ("--batch", "1024", "iBOT, run.sh: 8 processes of 128"), ("--epochs", "1000", "iBOT, evaluation/README.md"),
        ("--warmup-epochs", "5", "iBOT, eval_cls.py"), ("--base-lr", "2.5e-6", "iBOT: 5e-6 for 512"),
        ("--warmup-lr", "1e-6", "iBOT, eval_cls.py"), ("--min-lr", "1e-5", "iBOT, eval_cls.py: the peak itself"),
        ("--layer-decay", "1", "iBOT, eval_cls.py"), ("--weight-decay", "0.05", "iBOT, eval_cls.py"),
        ("--drop-path", "0.1", "iBOT, eval_cls.py"),
      ] + mixing.map { ($0.option, $0.value, "iBOT, eval_cls.py") },
      notes: [
        "pictures: pmae-pack --share 0.01 or 0.1; iBOT has SimCLR's lists of them",
        "iBOT goes on from the first layer of its projection head; here the head is fresh and linear",
        "rates are for the batch of 1024: with another --batch give --min-lr and --warmup-lr too",
        "views: pmae-augment --views finetune --repeats 3",
      ]),
    Preset(
      name: "linear-mae", summary: "MAE's linear probe",
      settings: [
        ("--mode", "linear", "MAE"), ("--pool", "class", "MAE, FINETUNE.md"), ("--optimizer", "lars", "MAE, table 10"),
        ("--standardise", "batch", "MAE, appendix A.1: batch norm without affine"),
        ("--batch", "16384", "MAE, table 10"),
        ("--epochs", "90", "MAE, table 10"), ("--warmup-epochs", "10", "MAE, table 10"),
        ("--base-lr", "0.1", "MAE, table 10"), ("--weight-decay", "0", "MAE, table 10"),
        ("--label-smoothing", "0", "MAE"),
      ],
      notes: [
        "ViT-L needs 50 epochs: --epochs 50", "fewer pictures than a batch need another --batch", headNote,
        "views: pmae-augment --view 'name=probe: crop 0.08-1, flip' --epochs 90",
      ]),
  ]
}

private let viewNote =
  "views: pmae-augment --views finetune (RandAugment 9, 0.5 and random erasing 0.25), as many --epochs"
private let headNote = "fresh heads start normal with deviation 0.02; MAE's with 2e-5, and its probe's with 0.01"
private let maeNotes = [
  "MAE's table 9 has a base rate of 1e-3 and a decay of 0.75 for all sizes; FINETUNE.md, whose weights are public, has these",
  headNote, viewNote,
]

/// MAE's paper, table 9, and its FINETUNE.md.
private func mae(epochs: String, rate: String, decay: String, dropPath: String) -> [Preset.Setting] {
  [
    ("--mode", "full", "MAE"), ("--pool", "mean", "MAE, FINETUNE.md"), ("--batch", "1024", "MAE, table 9"),
    ("--epochs", epochs, "MAE, table 9"), ("--warmup-epochs", "5", "MAE, table 9"),
    ("--base-lr", rate, "MAE, FINETUNE.md"), ("--min-lr", "1e-6", "MAE, main_finetune.py"),
    ("--layer-decay", decay, "MAE, FINETUNE.md"), ("--weight-decay", "0.05", "MAE, table 9"),
    ("--drop-path", dropPath, "MAE, FINETUNE.md"),
  ] + mixing
}

private let mixing: [Preset.Setting] = [
  ("--label-smoothing", "0.1", "MAE, table 9"), ("--mixup", "0.8", "MAE, table 9"), ("--cutmix", "1", "MAE, table 9"),
]

/// Pseudo MAE, appendix A.
private func sdae(
  epochs: String, rate: String, decay: String, dropPath: String, warmup: String
) -> [Preset.Setting] {
  [
    ("--mode", "full", "appendix A"), ("--pool", "mean", "MAE, FINETUNE.md"), ("--batch", "2048", "appendix A"),
    ("--epochs", epochs, "appendix A"), ("--warmup-epochs", warmup, "appendix A"),
    ("--base-lr", rate, "appendix A"), ("--layer-decay", decay, "appendix A"), ("--weight-decay", "0.05", "appendix A"),
    ("--drop-path", dropPath, "appendix A"),
  ] + mixing
}

private let transferNotes = [
  "DeiT's own transfer to CIFAR is SGD with a rate of 0.01 for 1000 epochs; the paper names AdamW's settings of its training",
  "views: the paper has crops, flips and jitter: pmae-augment --view 'name=transfer: crop 0.08-1, flip, jitter 0.3 0.3 0.3 0'; "
    + "DeiT's own are --views finetune --repeats 3",
]

/// Pseudo MAE, appendix A, and where it is silent DeiT (Touvron et al., 2021), table 9.
private func transfer(epochs: String, source: String) -> [Preset.Setting] {
  [
    ("--mode", "full", "appendix A"), ("--pool", "class", "DeiT"), ("--batch", "512", "appendix A"),
    ("--epochs", epochs, source), ("--warmup-epochs", "5", "appendix A"),
    ("--base-lr", "2.5e-4", "appendix A: 5e-4 for 512"), ("--warmup-lr", "1e-6", "DeiT, main.py"),
    ("--min-lr", "1e-5", "DeiT, main.py"), ("--layer-decay", "1", "DeiT has none"),
    ("--weight-decay", "0.05", "appendix A"), ("--drop-path", "0.1", "DeiT, table 9"),
    ("--label-smoothing", "0.1", "DeiT, table 9"), ("--mixup", "0.8", "DeiT, table 9"),
    ("--cutmix", "1", "DeiT, table 9"),
  ]
}
