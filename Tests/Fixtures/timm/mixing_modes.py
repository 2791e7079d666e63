"""Makes mixing-modes.safetensors: batches that timm's Mixup mixed by pairs and by elements, their soft labels, and what it drew.
usage: mixing_modes.py    (needs torch, timm, safetensors)"""
from pathlib import Path

import numpy as np
import timm.data.mixup as timm_mixup
import torch
from safetensors.torch import save_file

COUNT, SIDE, CLASSES, SMOOTHING = 6, 12, 5, 0.1
MEAN, STD = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])

boxes = []
original = timm_mixup.cutmix_bbox_and_lam


def recorded(*arguments, **options):
    result = original(*arguments, **options)
    boxes.append([int(v) for v in result[0]])
    return result


timm_mixup.cutmix_bbox_and_lam = recorded
torch.manual_seed(4)
pixels = torch.randint(0, 256, (COUNT, SIDE, SIDE, 3), dtype=torch.uint8)
labels = torch.tensor([0, 3, 1, 4, 4, 2])
images = ((pixels.float() / 255 - MEAN) / STD).permute(0, 3, 1, 2).contiguous()
tensors = {"pixels": pixels, "labels": labels.int()}
for mode in ("pair", "elem"):
    mixer = timm_mixup.Mixup(
        0.8, 1.0, prob=0.7, switch_prob=0.6, mode=mode, label_smoothing=SMOOTHING, num_classes=CLASSES)
    for seed in range(4):
        count = COUNT // 2 if mode == "pair" else COUNT
        np.random.seed(seed)
        shares, cuts = mixer._params_per_elem(count)
        boxes.clear()
        np.random.seed(seed)
        mixed, targets = mixer(images.clone(), labels)
        # What each image gets: a share of its own, and a box or -1.
        found = iter(boxes)
        kept, edges = [], []
        for share, cut in zip(shares, cuts):
            box = next(found) if cut and share != 1 else None
            kept.append(1 - (box[1] - box[0]) * (box[3] - box[2]) / SIDE**2 if box else float(share))
            edges.append(box or [-1] * 4)
        if mode == "pair":
            kept, edges = kept + kept[::-1], edges + edges[::-1]
        print(mode, seed, [round(v, 3) for v in kept], edges)
        tensors |= {
            f"{mode}.{seed}.shares": torch.tensor(kept, dtype=torch.float64),
            f"{mode}.{seed}.boxes": torch.tensor(edges, dtype=torch.int32),
            f"{mode}.{seed}.images": mixed.contiguous(), f"{mode}.{seed}.targets": targets.float().contiguous()}
save_file(tensors, Path(__file__).parent / "mixing-modes.safetensors")
