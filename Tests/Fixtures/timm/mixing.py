"""Makes mixing.safetensors: batches that timm's Mixup mixed, their soft labels, and what it drew for them.
usage: mixing.py    (needs torch, timm, safetensors)"""
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from timm.data.mixup import Mixup, cutmix_bbox_and_lam

COUNT, SIDE, CLASSES, SMOOTHING = 6, 12, 5, 0.1
MEAN, STD = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])
torch.manual_seed(3)
pixels = torch.randint(0, 256, (COUNT, SIDE, SIDE, 3), dtype=torch.uint8)
labels = torch.tensor([0, 3, 1, 4, 4, 2])
images = ((pixels.float() / 255 - MEAN) / STD).permute(0, 3, 1, 2).contiguous()
tensors = {"pixels": pixels, "labels": labels.int()}
for kind, seeds in (("mixup", range(3)), ("cutmix", range(8))):
    mixer = Mixup(0.8 if kind == "mixup" else 0.0, 1.0 if kind == "cutmix" else 0.0, label_smoothing=SMOOTHING, num_classes=CLASSES)
    for seed in seeds:
        np.random.seed(seed)
        drawn, _ = mixer._params_per_batch()
        if kind == "cutmix":
            state = np.random.get_state()
            row, column = np.random.randint(0, SIDE), np.random.randint(0, SIDE)
            np.random.set_state(state)
            box, share = cutmix_bbox_and_lam(images.shape, drawn)
            tensors[f"cutmix.{seed}.place"] = torch.tensor([row, column], dtype=torch.int32)
            tensors[f"cutmix.{seed}.box"] = torch.tensor([int(v) for v in box], dtype=torch.int32)
            tensors[f"cutmix.{seed}.drawn"] = torch.tensor([drawn], dtype=torch.float64)
        else:
            share = drawn
        np.random.seed(seed)
        mixed, targets = mixer(images.clone(), labels)
        tensors[f"{kind}.{seed}.share"] = torch.tensor([float(share)], dtype=torch.float64)
        tensors[f"{kind}.{seed}.images"] = mixed.contiguous()
        tensors[f"{kind}.{seed}.targets"] = targets.float().contiguous()
save_file(tensors, Path(__file__).parent / "mixing.safetensors")
