"""Makes view_sets.json: what the views of DINO, iBOT, MoCo v3, BEiT and SimMIM draw, for ViewSetTests.swift. Their authors' augmentations
are composed here of torchvision's transforms, as in main_dino.py (DataAugmentationDINO), main_ibot.py, main_moco.py and moco/loader.py,
beit/datasets.py and data_simmim.py; what is done to a picture is noted and not done. usage: view_sets.py    (torchvision 0.2x, Pillow)"""
import json, random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import functional as F, InterpolationMode as I

random.seed(3), np.random.seed(3), torch.manual_seed(3)
COUNT, SIDE = 20_000, 4000
picture, notes = Image.new("RGB", (SIDE, SIDE)), []


def noting(name, arguments=lambda *a, **k: None):
    """In place of a function of torchvision's: notes its name and what it was given."""
    def note(image, *a, **k):
        notes.append((name, arguments(*a, **k)))
        return image
    return note


F.resized_crop = noting("crop", lambda top, left, height, width, size, filter, antialias=True: (height * width / SIDE**2, size[0], filter.value))
F.hflip, F.rgb_to_grayscale, F.solarize = noting("flip"), noting("grey"), noting("solarise", lambda threshold: threshold)
F.to_grayscale = F.rgb_to_grayscale
for name in ("brightness", "contrast", "saturation", "hue"): setattr(F, f"adjust_{name}", noting(name, lambda factor: factor))


class Blur:
    """DINO's, iBOT's and MoCo v3's: Pillow's Gaussian of a radius U(0.1, 2)."""
    def __call__(self, image): return noting("blur", lambda sigma: sigma)(image, random.uniform(0.1, 2.0))


class Solarise:
    def __call__(self, image): return F.solarize(image, 128)


def sometimes(transform, p): return T.RandomApply([transform], p=p)
def crop(size, low, high, filter=I.BICUBIC): return T.RandomResizedCrop(size, scale=(low, high), interpolation=filter)


colour = [T.RandomApply([T.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8), T.RandomGrayscale(p=0.2)]
flip = [T.RandomHorizontalFlip(p=0.5)]
def crops(low, local_high, count):
    return {"global_1": [crop(224, low, 1), *flip, *colour, sometimes(Blur(), 1.0)],
            "global_2": [crop(224, low, 1), *flip, *colour, sometimes(Blur(), 0.1), sometimes(Solarise(), 0.2)],
            **{f"local_{i + 1}": [crop(96, 0.05, local_high), *flip, *colour, sometimes(Blur(), 0.5)] for i in range(count)}}


SETS = {
    "dino": crops(0.4, 0.4, 8), "ibot": crops(0.25, 0.25, 10),
    "moco": {"view_1": [crop(224, 0.08, 1, I.BILINEAR), *colour, sometimes(Blur(), 1.0), *flip],
             "view_2": [crop(224, 0.08, 1, I.BILINEAR), *colour, sometimes(Blur(), 0.1), sometimes(Solarise(), 0.2), *flip]},
    # Its authors flip before they crop, which is the same.
    "beit": {"simple": [crop(224, 0.08, 1), *flip]},
    "simmim": {"simple": [crop(224, 0.67, 1, I.BILINEAR), *flip]},
}
JITTER = ("brightness", "contrast", "saturation", "hue")


def spread(values):
    """The least and the greatest of some values, and nine between them that cut them into tenths."""
    return [float(v) for v in np.quantile(values, np.linspace(0, 1, 11))] if len(values) else []


def seen(steps):
    transform, draws = T.Compose(steps), []
    for _ in range(COUNT):
        notes.clear()
        transform(picture)
        draws.append(list(notes))
    order = []
    for draw in draws:
        names = list(dict.fromkeys("jitter" if n in JITTER else n for n, _ in draw))
        if len(names) > len(order): order = names
    def values(name): return [v for draw in draws for n, v in draw if n == name]
    first = draws[0][0][1]
    return {"size": first[1], "filter": first[2], "order": order[1:], "area": spread([v[0] for v in values("crop")]),
            "share": {name: len(values("hue" if name == "jitter" else name)) / COUNT for name in ("flip", "jitter", "grey", "blur", "solarise")},
            **{name: spread(values(name)) for name in (*JITTER, "blur")}}


result = {"count": COUNT, "side": SIDE}
for set_, views in SETS.items():
    # Small views are all alike: one is looked at, and all are counted.
    result[set_] = {"views": list(views), **{name: seen(steps) for name, steps in views.items() if name in ("local_1",) or not name.startswith("local")}}
(Path(__file__).parent / "view_sets.json").write_text(json.dumps(result, indent=1) + "\n")
print({name: list(views) for name, views in SETS.items()})
