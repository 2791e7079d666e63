"""Makes the folder `examples` beside this file: small pictures in the forms that pmae-pack reads.
Needs numpy and Pillow. usage: python3 make_examples.py"""
import gzip, os, struct
import numpy as np
from PIL import Image

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "examples")
names = ["bars", "discs", "squares", "waves"]


def picture(kind, side, rng):
    """A grey picture [side, side] in 0..1 of one of four kinds, at a random place and size."""
    y, x = np.mgrid[0:side, 0:side] / side
    a, b, r = rng.uniform(0.3, 0.7, 2).tolist() + [rng.uniform(0.15, 0.3)]
    shape = [
        np.sin((x * np.cos(a * 6) + y * np.sin(a * 6)) * 40) > 0,
        (x - a) ** 2 + (y - b) ** 2 < r * r,
        (abs(x - a) < r) & (abs(y - b) < r),
        np.sin(x * 20 + 3 * np.sin(y * 12 + a * 6)) > 0,
    ][kind]
    return np.clip(0.15 + 0.7 * shape + rng.normal(0, 0.04, shape.shape), 0, 1)


def idx(path, array):
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    with open(path, "wb") as f:
        f.write(gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0))


rng = np.random.default_rng(1)
os.makedirs(here, exist_ok=True)
for part, count in (("train", 48), ("t10k", 16)):
    labels = np.arange(count) % 4
    images = np.stack([picture(k, 28, rng) * 255 for k in labels]).astype(np.uint8)
    idx(f"{here}/{part}-images-idx3-ubyte.gz", images)
    idx(f"{here}/{part}-labels-idx1-ubyte.gz", labels)
for kind, name in enumerate(names):
    os.makedirs(f"{here}/photos/{name}", exist_ok=True)
    for i in range(3):
        grey = picture(kind, 64, rng)[: 48 + 4 * i]
        colour = np.stack([grey, grey[::-1], 1 - grey], -1) * 255
        Image.fromarray(colour.astype(np.uint8)).save(f"{here}/photos/{name}/{i}.jpg", quality=85)

# Scenes with masks, in ADE20K's layout: a disc and a square on waves; a pixel of the file is 1 + class, and edges have none.
rng = np.random.default_rng(2)
for split, count in (("training", 12), ("validation", 4)):
    for kind in ("images", "annotations"): os.makedirs(f"{here}/scenes/{kind}/{split}", exist_ok=True)
    for i in range(count):
        h, w = 48 + 4 * (i % 3), 64
        y, x = np.mgrid[0:h, 0:w]
        ids = np.where(y < h * rng.uniform(0.3, 0.6), 1, 2)
        for k in (3, 4):
            cy, cx, r = rng.uniform(10, h - 10), rng.uniform(10, w - 10), rng.uniform(6, 14)
            ids[(np.hypot(y - cy, x - cx) < r) if k == 3 else (np.maximum(abs(y - cy), abs(x - cx)) < r)] = k
        colours = np.array([[90, 130, 200], [80, 140, 70], [210, 60, 50], [220, 200, 70]]) + rng.normal(0, 20, (4, 3))
        pixels = colours[ids - 1] + rng.normal(0, 8, (h, w, 3)) + 20 * np.sin(x / 4 + rng.uniform(0, 6))[..., None]
        ids[1:][ids[1:] != ids[:-1]] = 0
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(f"{here}/scenes/images/{split}/{i:02}.jpg", quality=85)
        Image.fromarray(ids.astype(np.uint8)).save(f"{here}/scenes/annotations/{split}/{i:02}.png")
with open(f"{here}/scenes/objectInfo.txt", "w") as f:
    f.write("Idx\tRatio\tTrain\tVal\tStuff\tName\n" + "".join(f"{i + 1}\t0.25\t12\t4\t{int(i < 2)}\t{n}\n" for i, n in enumerate(["sky", "grass", "disc", "square"])))
