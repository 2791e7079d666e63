#!/usr/bin/env python3
"""Makes tiny sets of pictures in the layouts in which Flowers-102, Oxford's Pets, Stanford Cars, CIFAR-10 and CIFAR-100 are
published, for pipelines/transfer.mk. A class is a colour.
usage: published-sets.py FOLDER    (needs numpy, scipy, Pillow)"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

rng = np.random.default_rng(0)
COLOURS = [(220, 40, 40), (40, 200, 60), (50, 60, 220)]


def picture(label, side=36):
    noise = rng.integers(-30, 31, (side, side, 3))
    return np.clip(np.array(COLOURS[label % 3]) + noise, 0, 255).astype(np.uint8)


def save(path, label):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(label)).save(path, quality=95)


def flowers(folder, count=24):
    """Labels from 1 on, in the order of the pictures' numbers; three parts by number."""
    labels = np.arange(count) % 3
    for number, label in enumerate(labels, 1):
        save(folder / f"jpg/image_{number:05}.jpg", label)
    savemat(folder / "imagelabels.mat", {"labels": labels[None].astype(np.uint8) + 1})
    numbers = np.arange(1, count + 1, dtype=np.uint16)[None]
    savemat(folder / "setid.mat", {"trnid": numbers[:, :6], "valid": numbers[:, 6:12], "tstid": numbers[:, 12:]})


def pets(folder):
    """Breeds have blanks of their own as underscores; a list has id, class, species and breed."""
    breeds = ["Abyssinian", "american_bulldog", "yorkshire_terrier"]
    for split, numbers in (("trainval", range(1, 7)), ("test", range(7, 11))):
        rows = []
        for label, breed in enumerate(breeds):
            for number in numbers:
                save(folder / f"images/{breed}_{number}.jpg", label)
                rows.append(f"{breed}_{number} {label + 1} {1 if label == 0 else 2} {max(label, 1)}\n")
        (folder / "annotations").mkdir(exist_ok=True)
        (folder / f"annotations/{split}.txt").write_text("".join(rows))


def cars(folder):
    """Annotations are structures of a box, a class from 1 on and a file's name."""
    names = ["AM General Hummer SUV 2000", "Audi TT, Hatchback 2011", "smart fortwo Convertible 2012"]
    (folder / "devkit").mkdir(parents=True)
    savemat(folder / "devkit/cars_meta.mat", {"class_names": np.array(names, dtype=object)[None]})
    kinds = [(f"bbox_{edge}", object) for edge in ("x1", "y1", "x2", "y2")] + [("class", object), ("fname", object)]
    for split, count, path in (("train", 15, "devkit/cars_train_annos.mat"), ("test", 9, "cars_test_annos_withlabels.mat")):
        rows = []
        for number in range(count):
            name = f"{number + 1:05}.jpg"
            save(folder / f"cars_{split}/{name}", number % 3)
            rows.append((1, 1, 30, 30, np.uint8(number % 3 + 1), name))
        savemat(folder / path, {"annotations": np.array(rows, dtype=kinds)[None]})


def cifar(folder, files, label_bytes, names_file, names):
    """Records of label bytes and 32 x 32 pixels, plane by plane."""
    folder.mkdir(parents=True)
    (folder / names_file).write_text("".join(f"{name}\n" for name in names))
    for name, count in files.items():
        with open(folder / name, "wb") as out:
            for number in range(count):
                out.write(bytes([number % 2] * (label_bytes - 1) + [number % 3]))
                out.write(picture(number, 32).transpose(2, 0, 1).tobytes())


def main(root):
    root = Path(root)
    flowers(root / "flowers-102")
    pets(root / "oxford-iiit-pet")
    cars(root / "stanford_cars")
    batches = {f"data_batch_{i}.bin": 3 for i in range(1, 6)} | {"test_batch.bin": 9}
    cifar(root / "cifar-10-batches-bin", batches, 1, "batches.meta.txt", [f"class {i}" for i in range(10)])
    coarse = [f"coarse {i}" for i in range(20)]
    cifar(root / "cifar-100-binary", {"train.bin": 15, "test.bin": 9}, 2, "fine_label_names.txt", [f"fine {i}" for i in range(100)])
    (root / "cifar-100-binary/coarse_label_names.txt").write_text("".join(f"{name}\n" for name in coarse))


main(*sys.argv[1:])
