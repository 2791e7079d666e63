"""Times PyTorch's fine-tuning step, or its features of a frozen encoder: the peer of `pmae-finetune` and `pmae-evaluate embed`.
usage: bench_finetune.py finetune|extract [--model vit_small] [--batch 32] [--dtype f32|bf16] [--compile] [--steps 5] [--images 512]

Fine-tuning is of all weights: timm's vision transformer in its shape, the mean of the patches, drop path 0.1, smoothed labels and
AdamW with a rate for each layer, fused. Features are the class token's in `inference_mode`. Inputs are there before the clock
starts, as a loader has them."""
import argparse
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {"vit_tiny": (192, 12, 3), "vit_small": (384, 12, 6), "vit_base": (768, 12, 12), "vit_large": (1024, 24, 16)}
IMAGE, PATCH, CLASSES = 224, 16, 256


class Block(nn.Module):
    def __init__(self, width, heads, drop_path):
        super().__init__()
        self.heads, self.drop_path = heads, drop_path
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def drop(self, x):
        if not self.training or self.drop_path == 0:
            return x
        keep = 1 - self.drop_path
        return x * (torch.rand(x.shape[0], 1, 1) < keep).to(x.dtype) / keep

    def attend(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))

    def forward(self, x):
        x = x + self.drop(self.attend(self.norm1(x)))
        return x + self.drop(self.mlp(self.norm2(x)))


class Model(nn.Module):
    def __init__(self, model):
        super().__init__()
        width, depth, heads = SIZES[model]
        self.patches = nn.Conv2d(3, width, PATCH, PATCH)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.register_buffer("positions", torch.randn(1, 1 + (IMAGE // PATCH) ** 2, width))
        self.blocks = nn.ModuleList(Block(width, heads, 0.1 * i / (depth - 1)) for i in range(depth))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, CLASSES)

    def tokens(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, images):
        return self.head(self.tokens(images)[:, 1:].mean(1))


def groups(model, decay=0.75):
    """BEiT's layer-wise decay: a group a parameter."""
    depth = len(model.blocks)
    for name, p in model.named_parameters():
        layer = depth + 1
        if name.startswith(("token", "patches")):
            layer = 0
        elif name.startswith("blocks"):
            layer = int(name.split(".")[1]) + 1
        yield {"params": [p], "lr": 1e-3 * decay ** (depth + 1 - layer), "weight_decay": 0.05 if p.ndim > 1 else 0.0}


def finetune(a, model):
    model.train()
    optimizer = torch.optim.AdamW(list(groups(model)), betas=(0.9, 0.999), fused=True)
    forward = torch.compile(model) if a.compile else model
    images, labels = torch.rand(a.batch, 3, IMAGE, IMAGE), torch.randint(0, CLASSES, (a.batch,))
    times = []
    for step in range(a.steps + 2):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "bf16"):
            loss = F.cross_entropy(forward(images), labels, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        times.append(time.perf_counter() - start)
        print(f"step {step} {times[-1]:.3f}s loss {loss.item():.4f}", flush=True)
    rest = sorted(times[2:])
    return a.batch / rest[len(rest) // 2]


def extract(a, model):
    model.eval()
    forward = torch.compile(model.tokens) if a.compile else model.tokens
    images = torch.rand(a.batch, 3, IMAGE, IMAGE)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "bf16"):
        forward(images)
        start, done, features = time.perf_counter(), 0, []
        while done < a.images:
            features.append(forward(images)[:, 0].float())
            done += a.batch
        return done / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["finetune", "extract"])
    parser.add_argument("--model", default="vit_small", choices=SIZES)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--images", type=int, default=512)
    a = parser.parse_args()
    torch.manual_seed(0)
    rate = (finetune if a.task == "finetune" else extract)(a, Model(a.model))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{a.task} {a.model} batch {a.batch} {a.dtype}{' compiled' if a.compile else ''}: {rate:.3f} images/s, peak {peak:.2f} GiB")


main()
