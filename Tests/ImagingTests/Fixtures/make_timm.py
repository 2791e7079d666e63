"""Makes timm.safetensors: what timm's RandAugment operations and its random erasing make of two pictures, whole views of the fine-tuning recipe, and how
timm's and torchvision's draws are distributed, for RandAugmentTests.swift, ErasingTests.swift and DrawTests.swift.
usage: make_timm.py    (needs what replay.py needs)"""
import json, random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file

from replay import FILTERS, NAME_TO_OP, _RAND_INCREASING_TRANSFORMS, erase, rand, replay
from timm.data.auto_augment import rand_augment_transform
from timm.data.random_erasing import RandomErasing
from torchvision import transforms as T

rng, np_rng = random.Random(2), np.random.default_rng(2)
random.seed(2), np.random.seed(2), torch.manual_seed(2)
here, f32 = Path(__file__).parent, lambda x: float(np.float32(x))
MEAN, STD, FILL = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (124, 116, 104)
tensors, cases = {}, []


def picture(height, width, low, high):
    """Smooth colour with an edge and noise."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    planes = np.stack([np.sin(6 * x + 3 * c + 4 * y) * 0.4 + 0.4 + 0.2 * ((x * 3 + y * 2 + c * 0.3) % 1 > 0.6) for c in range(3)], -1)
    return np.clip(low + (high - low) * planes + np_rng.normal(0, 6, planes.shape), 0, 255).astype(np.uint8)


def case(operation, source, result, **arguments):
    tensors[f"{len(cases):03d}"] = np.ascontiguousarray(np.asarray(result))
    cases.append({"operation": operation, "source": source, "result": f"{len(cases):03d}", **arguments})


sources = {"photo": picture(30, 34, -20, 280), "dull": picture(24, 24, 60, 150)}
tensors |= sources
images = {name: Image.fromarray(pixels) for name, pixels in sources.items()}
spans = {"Rotate": (-30, 30), "PosterizeIncreasing": (0, 8), "SolarizeIncreasing": (0, 256), "SolarizeAdd": (0, 110), "ShearX": (-0.3, 0.3), "ShearY": (-0.3, 0.3),
         "TranslateXRel": (-0.45, 0.45), "TranslateYRel": (-0.45, 0.45)}
for number, name in enumerate(_RAND_INCREASING_TRANSFORMS, 1):
    low, high = spans.get(name, (0.1, 1.9) if "Increasing" in name else (0, 0))
    for i in range(6):
        argument = low if i == 0 else high if i == 1 else rng.uniform(low, high)
        if name in ("PosterizeIncreasing", "SolarizeIncreasing", "SolarizeAdd"): argument = int(argument)
        source = "dull" if i % 3 == 2 else "photo"
        filter = 2 + i % 2
        case("rand", source, rand(images[source], number, f32(argument), filter, FILL), number=number, argument=f32(argument), filter=filter)
        if low == high and i == 2: break

for i in range(4):
    seed = rng.getrandbits(24)
    boxes = [[rng.randint(0, 10), rng.randint(0, 10), rng.randint(1, 14), rng.randint(1, 14)] for _ in range(1 + i % 2)]
    case("erase", "photo", erase(images["photo"], seed, boxes, MEAN, STD), seed=seed, boxes=boxes)

line = "name=finetune: crop 0.08-1, flip, rand-m9-mstd0.5-inc1, erase p 0.25"
for i in range(12):
    h, w = rng.randint(8, 30), rng.randint(8, 34)
    p = {"top": rng.randint(0, 30 - h), "left": rng.randint(0, 34 - w), "height": h, "width": w, "flip": i % 2}
    for layer in (1, 2):
        number = rng.randint(1, 15)
        name = _RAND_INCREASING_TRANSFORMS[number - 1]
        low, high = spans.get(name, (0.1, 1.9) if "Increasing" in name else (0, 0))
        whole = name in ("PosterizeIncreasing", "SolarizeIncreasing", "SolarizeAdd")
        p |= {f"rand{layer}_operation": number, f"rand{layer}_argument": float(int(rng.uniform(low, high))) if whole else f32(rng.uniform(low, high)),
              f"rand{layer}_filter": 3}
    p |= {"erase_seed": rng.getrandbits(24), "erase1_top": 2, "erase1_left": 3, "erase1_height": 6 * (i % 3 == 0), "erase1_width": 9}
    case("finetune", "photo", replay(images["photo"], 20, line, p, MEAN, STD)[0], parameters=p)

# How draws are distributed: for some values the share of 100,000 draws that is not above it.
count = 100_000


def shares(values):
    values = np.sort(np.asarray(values, np.float64))
    points = np.unique(values[(len(values) * np.linspace(0.01, 0.99, 25)).astype(int)])
    # A hair above, where rounding to single precision cannot change the answer.
    points = [float(p + 1e-6) for p in points]
    return {"count": len(values), "points": points, "shares": [float((values <= p).mean()) for p in points]}


draws = {}
for text in ("rand-m9-mstd0.5-inc1", "rand-m7-mstd101-n3-p0.7"):
    transform = rand_augment_transform(text, {"img_mean": FILL})
    seen = {}
    for op in transform.ops:
        place = seen.setdefault(op.name, [])
        op.aug_fn = lambda image, *a, place=place, **_: (place.append(a[0] if a else 0), image)[1]
    for _ in range(count): transform(None)
    for number, op in enumerate(transform.ops, 1): draws[f"{text} {number}"] = shares(seen[op.name])
erasing = RandomErasing(probability=1, mode="pixel", device="cpu")
areas, ratios = [], []
class Record:
    """Takes the place of an image: notes what is erased of it."""
    def __setitem__(self, at, _):
        h, w = at[1].stop - at[1].start, at[2].stop - at[2].start
        areas.append(h * w / 224**2); ratios.append(np.log(w / h))
erasing._erase.__globals__["_get_pixels"] = lambda *a, **k: None
for _ in range(count): erasing._erase(Record(), 3, 224, 224, torch.float32)
draws |= {"erase area": shares(areas), "erase ratio": shares(ratios)}
jitter = T.ColorJitter(0.4, 0.4, 0.2, 0.1)
factors = np.array([T.ColorJitter.get_params(jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)[1:] for _ in range(count)])
for i, name in enumerate(("brightness", "contrast", "saturation", "hue")): draws[name] = shares(factors[:, i])
draws["blur_sigma"] = shares([T.GaussianBlur.get_params(0.1, 2.0) for _ in range(count)])

save_file(tensors, here / "timm.safetensors", {"cases": json.dumps(cases), "draws": json.dumps(draws)})
print(len(cases), "cases")
