"""Times a PyTorch training step of segmentation.py, the peer of pmae-finetune --task segment.
usage: bench_dense.py [--model vit_small] [--size 512] [--batch 2] [--dtype f32|bf16] [--steps 5] [--threads 2] [--tiny]
       bench_dense.py --views FILE [--size 512] [--batch 2] [--steps 5]
size x size pictures, 150 classes, UPerNet as wide as the ViT. The second form writes random views for the tool, whose step is then

    pmae-finetune --task segment --model vit-small --batch 2 --lr 1e-4 --threads 2 --profile --output model.stz FILE"""
import argparse, json, resource, sys, time
import numpy as np
import torch
import stream
from pseudo_mae import PRESETS, Config
from segmentation import Segmentation, Segmenter, layer_groups

p = argparse.ArgumentParser(); p.add_argument("--model", default="vit_small"); p.add_argument("--size", type=int, default=512)
p.add_argument("--batch", type=int, default=2); p.add_argument("--dtype", default="f32"); p.add_argument("--steps", type=int, default=5)
p.add_argument("--threads", type=int, default=2); p.add_argument("--tiny", action="store_true"); p.add_argument("--views"); a = p.parse_args()
if a.views:
    r, n = np.random.default_rng(0), a.batch
    records = [{"scene": r.integers(0, 256, (n, a.size, a.size, 3), dtype=np.uint8), "scene.mask": r.integers(0, 150, (n, a.size, a.size), dtype=np.uint8),
                "index": np.arange(n, dtype=np.int64)} for _ in range(a.steps + 1)]
    stream.write(a.views, "views", records, recipes='["scene"]', mean="[0.485, 0.456, 0.406]", std="[0.229, 0.224, 0.225]", epochs=str(a.steps + 1),
                 rows_per_epoch=str(n), first_epoch="0", mask_classes=json.dumps([str(i) for i in range(150)]))
    sys.exit()
torch.manual_seed(0); torch.set_num_threads(a.threads)
preset, size = dict(PRESETS[a.model]), a.size
if a.tiny: preset.update(dim=48, heads=3, depth=4); size = 64
c = Config(**preset)
s = Segmentation(taps=[0, 1, 2, 3] if a.tiny else [3, 5, 7, 11], channels=16 if a.tiny else c.dim, aux_channels=16 if a.tiny else 256)
model = Segmenter(c, s)
images, labels = torch.randn(a.batch, 3, size, size), torch.randint(0, 150, (a.batch, size, size))


def forward():
    keeps = (torch.rand(a.batch, c.depth, 2) >= torch.linspace(0, s.drop_path, c.depth)[None, :, None]).float()
    keep = lambda n: (torch.rand(a.batch, n) >= s.dropout).float()
    return model(images, labels, keeps, keep(s.channels), keep(s.aux_channels))


opt = torch.optim.AdamW(layer_groups(model.train(), c.depth, 1e-4, 0.05, 0.65), betas=(0.9, 0.999), fused=True)
times = []
for i in range(a.steps + 1):
    t = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "bf16"): out = forward()
    out["loss"].backward(); opt.step(); opt.zero_grad(set_to_none=True)
    times.append(time.perf_counter() - t)
    print(f"step {i} {times[-1]:.3f}s loss {float(out['loss']):.4f}", flush=True)
best = sorted(times[1:]); med = best[len(best) // 2]
print(f"{'tiny' if a.tiny else a.model} {size} px batch {a.batch} {a.dtype}: {a.batch / med:.3f} images/s, median step {med:.3f} s, "
      f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1048576:.2f} GiB")
