"""Makes recipes.safetensors: fine-tuning with a limit for gradients and timm's ModelEmaV2, with timm's BinaryCrossEntropy, and MAE's
linear probe (batch norm without weights, LARS), on what finetune.safetensors has.
usage: zstd -dc checkpoint.stz >checkpoint.safetensors; recipes.py checkpoint.safetensors    (needs torch, timm, safetensors)"""
import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from timm.loss import BinaryCrossEntropy, LabelSmoothingCrossEntropy
from timm.optim import Lars
from timm.utils import ModelEmaV2

from make import BATCH, CLASSES, EPOCHS, LR, ROWS, WARMUP, layer_groups, model

HERE = Path(__file__).parent
PREFIX = "labelling_teacher."
WARMUP_LR, MIN_LR = 1e-4, 2e-4


def rate(epoch, peak, warmup, epochs, first=0.0, last=0.0):
    if epoch < warmup:
        return first + (peak - first) * epoch / warmup
    progress = torch.tensor((epoch - warmup) / (epochs - warmup) * torch.pi, dtype=torch.float64)
    return last + (peak - last) * 0.5 * (1 + float(torch.cos(progress)))


def finetune(weights, config, images, label, head, criterion, clip=None, ema=None):
    m = model(config, num_classes=CLASSES, global_pool="avg", fc_norm=False)
    m.load_state_dict(weights | head, strict=True)
    average = ModelEmaV2(m, decay=ema) if ema else None
    optimizer = torch.optim.AdamW(layer_groups(m, config["depth"], 0.75), lr=0, betas=(0.9, 0.999), eps=1e-8)
    steps, losses, norms = ROWS // BATCH, [], []
    for step in range(EPOCHS * steps):
        for g in optimizer.param_groups:
            g["lr"] = rate(step / steps, LR, WARMUP, EPOCHS, WARMUP_LR, MIN_LR) * g["lr_scale"]
        start = step // steps * ROWS + step % steps * BATCH
        rows = slice(start, start + BATCH)
        loss = criterion(m(images[rows]), label[rows])
        optimizer.zero_grad()
        loss.backward()
        if clip:
            norms.append(torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], clip))
        optimizer.step()
        if average:
            average.update(m)
        losses.append(loss.detach())
    print("loss", [round(float(v), 4) for v in losses], "norms", [round(float(v), 3) for v in norms])
    out = {"loss": torch.stack(losses)} | {f"final.{k}": v.clone() for k, v in m.state_dict().items()}
    if average:
        out |= {f"average.{k}": v.clone() for k, v in average.module.state_dict().items()}
    return out


def probe():
    """MAE's main_linprobe: the batch norm in front of the head, LARS for the matrix, plain momentum for the bias."""
    count, width, classes, epochs, warmup, peak = 24, 12, 5, 10, 2, 3.0
    features = torch.randn(count, width) * (1 + torch.arange(width)) + 10 * torch.arange(width)
    label = torch.randint(0, classes, (count,))
    norm, head = torch.nn.BatchNorm1d(width, affine=False, eps=1e-6), torch.nn.Linear(width, classes)
    torch.nn.init.normal_(head.weight, std=0.02)
    torch.nn.init.zeros_(head.bias)
    out = {"features": features, "label": label.int(), "start.weight": head.weight.detach().clone()}
    optimizer = Lars([
        {"params": [head.weight], "always_adapt": True}, {"params": [head.bias], "always_adapt": False}],
        lr=1, momentum=0.9, weight_decay=0, trust_coeff=0.001, eps=0)
    losses = []
    for epoch in range(epochs):
        for g in optimizer.param_groups:
            g["lr"] = rate(epoch, peak, warmup, epochs)
        loss = torch.nn.functional.cross_entropy(head(norm(features)), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    print("probe", [round(float(v), 4) for v in losses])
    norm.eval()
    with torch.no_grad():
        logits = head(norm(features))
    return out | {"loss": torch.stack(losses), "logits": logits}


def main(checkpoint):
    torch.manual_seed(5)
    with safe_open(checkpoint, "pt") as f:
        metadata = f.metadata()
    weights = {k.removeprefix(PREFIX): v for k, v in load_file(checkpoint).items() if k.startswith(PREFIX)}
    config = json.loads(metadata["config"])["encoder"]
    data = load_file(HERE / "finetune.safetensors")
    mean, std = (torch.tensor(json.loads(metadata[k])).view(1, 3, 1, 1) for k in ("mean", "std"))
    images = (data["pixels"].permute(0, 3, 1, 2).float() / 255 - mean) / std
    head = {k: data[k] for k in ("head.weight", "head.bias")}
    label = data["label"].long()
    runs = {
        "average": finetune(weights, config, images, label, head, LabelSmoothingCrossEntropy(0.1), clip=0.5, ema=0.9),
        "bce": finetune(weights, config, images, label, head, BinaryCrossEntropy(smoothing=0.1)),
        "probe": probe(),
    }
    save_file({f"{name}.{k}": v.contiguous() for name, run in runs.items() for k, v in run.items()}, HERE / "recipes.safetensors")


main(sys.argv[1])
