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
