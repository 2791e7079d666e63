"""Makes features.safetensors, finetune.safetensors and neighbours.safetensors; see README.md. Needs torch, timm, safetensors, numpy."""
import json
import sys
from functools import partial

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from timm.models.vision_transformer import VisionTransformer

from neighbours import KS, neighbours

BATCH, ROWS, EPOCHS, WARMUP, CLASSES, LR = 3, 8, 3, 1, 7, 2e-3


def model(config, **options):
    """timm's own vision transformer, with the weights that pmae-export wrote."""
    return VisionTransformer(
        img_size=config["image"], patch_size=config["patch"], in_chans=config["channels"], embed_dim=config["width"],
        depth=config["depth"], num_heads=config["heads"], norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), **options)


def features(weights, config, images):
    out = {}
    m = model(config, num_classes=0, global_pool="token").eval()
    m.load_state_dict(weights, strict=True)
    with torch.no_grad():
        out["class"] = m(images)
        out["mean"] = m.forward_features(images)[:, 1:].mean(1)
    return {k: v.contiguous() for k, v in out.items()} | {f"weights.{k}": v.clone() for k, v in m.state_dict().items()}


def layer_groups(m, depth, decay):
    """MAE's param_groups_lrd: a group a parameter, the rate by its layer, no decay of vectors and tokens."""
    groups = []
    for name, p in m.named_parameters():
        if name == "pos_embed":
            continue
        layer = depth + 1
        if name.startswith(("cls_token", "patch_embed")):
            layer = 0
        elif name.startswith("blocks"):
            layer = int(name.split(".")[1]) + 1
        shrinks = p.ndim > 1 and name != "cls_token"
        groups.append({"params": [p], "lr_scale": decay ** (depth + 1 - layer), "weight_decay": 0.05 if shrinks else 0.0})
    return groups


def finetune(weights, config, images, label, pool, head):
    m = model(config, num_classes=CLASSES, global_pool=pool, fc_norm=False)
    m.load_state_dict(weights | head, strict=True)
    optimizer = torch.optim.AdamW(layer_groups(m, config["depth"], 0.75), lr=0, betas=(0.9, 0.999), eps=1e-8)
    steps, losses = ROWS // BATCH, []
    for step in range(EPOCHS * steps):
        epoch = step / steps
        progress = torch.tensor((epoch - WARMUP) / (EPOCHS - WARMUP) * torch.pi, dtype=torch.float64)
        rate = LR * epoch / WARMUP if epoch < WARMUP else LR * 0.5 * (1 + float(torch.cos(progress)))
        for g in optimizer.param_groups:
            g["lr"] = rate * g["lr_scale"]
        start = step // steps * ROWS + step % steps * BATCH
        rows = slice(start, start + BATCH)
        loss = F.cross_entropy(m(images[rows]), label[rows], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    m.eval()
    with torch.no_grad():
        logits = m(images)
    top = logits.topk(5).indices
    scores = torch.stack([
        (top[:, 0] == label).float().mean(), (top == label[:, None]).any(1).float().mean(),
        F.cross_entropy(logits, label)])
    return {"loss": torch.stack(losses), "logits": logits, "scores": scores} | {
        f"final.{k}": v.clone() for k, v in m.state_dict().items()}


def main(exported):
    torch.manual_seed(0)
    with safe_open(exported, "pt") as f:
        metadata = f.metadata()
    weights, config = load_file(exported), json.loads(metadata["config"])["encoder"]
    pixels = torch.randint(0, 256, (EPOCHS * ROWS, config["image"], config["image"], 3), dtype=torch.uint8)
    label = torch.randint(0, CLASSES, (EPOCHS * ROWS,))
    mean, std = (torch.tensor(json.loads(metadata[k])).view(1, 3, 1, 1) for k in ("mean", "std"))
    images = (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / std
    save_file(features(weights, config, images[:6]) | {"pixels": pixels[:6].contiguous()}, "features.safetensors")

    head = {"head.weight": 0.3 * torch.randn(CLASSES, config["width"]), "head.bias": 0.1 * torch.randn(CLASSES)}
    out = {"pixels": pixels, "label": label.int()} | head
    for name, pool in (("class", "token"), ("mean", "avg")):
        run = finetune(weights, config, images, label, pool, head)
        print(name, run["loss"].tolist(), run["scores"].tolist())
        out |= {f"{name}.{k}": v for k, v in run.items()}
    save_file(out, "finetune.safetensors")

    centres = torch.randn(CLASSES, 9)
    train_label, test_label = torch.randint(0, CLASSES, (60,)), torch.randint(0, CLASSES, (203,))
    train = centres[train_label] + 1.6 * torch.randn(60, 9)
    test = centres[test_label] + 1.6 * torch.randn(203, 9)
    hits = neighbours(train, train_label, test, test_label, KS, 0.07)
    print(hits.tolist())
    save_file({"train": train, "train_label": train_label.int(), "test": test, "test_label": test_label.int(),
               "hits": hits.int()}, "neighbours.safetensors")


if __name__ == "__main__":
    main(sys.argv[1])
