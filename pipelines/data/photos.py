"""Real photographs as a labelled set: crops of wallpapers, as JPEG files of ImageNet's usual sizes, a folder for each photograph.
usage: photos.py OUT [--count N=2000] [--from FOLDER=/usr/share] [--seed 0]

OUT/train and OUT/test have a folder of the same name for each photograph, which is its class. Crops for the test are of the last quarter
of a photograph's longer side, crops for training of the rest: no pixel is in both. N crops are for training, N / 4 for the test. A crop
depends on the seed, its photograph and its number alone. Photographs are the JPEG files in FOLDER/backgrounds and FOLDER/wallpapers whose short side has 600 pixels or
more, as the packages mate-backgrounds, gnome-backgrounds and plasma-workspace-wallpapers of Debian have them. Of several files that
differ in the size that their names say (Elephants_3840x2160.jpg), the largest is taken."""
import argparse, random, re, sys
from pathlib import Path

from PIL import Image

Image.MAX_IMAGE_PIXELS = None
SIZES = [(500, 375), (375, 500), (500, 333), (640, 480)]


def name(path):
    """What a photograph is called, without its size: .../Elephants_3840x2160.jpg, .../Autumn/contents/images/1920x1080.jpg."""
    stem = re.sub(r"_?[0-9]+x[0-9]+$", "", path.stem)
    return stem or (path.parents[2] if path.parent.name.startswith("images") else path.parent).name


def photographs(root):
    """The paths of the photographs, in order."""
    largest = {}
    for path in sorted(p for d in ("backgrounds", "wallpapers") for p in (root / d).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg") and p.is_file() and p.stat().st_size > 100_000):
        key = name(path)
        if key not in largest or path.stat().st_size > largest[key].stat().st_size: largest[key] = path
    return sorted(largest.values())


def crop(rng, image, box):
    """A crop at a random place and scale within a box of the photograph."""
    left, top, right, bottom = box
    w, h = rng.choice(SIZES)
    most = min((right - left) / w, (bottom - top) / h)
    scale = rng.uniform(min(1.0, most), min(most, 2.0))
    x, y = left + rng.uniform(0, right - left - w * scale), top + rng.uniform(0, bottom - top - h * scale)
    return image.resize((w, h), Image.Resampling.BICUBIC, (x, y, x + w * scale, y + h * scale))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=Path); p.add_argument("--count", type=int, default=2000)
    p.add_argument("--from", dest="root", type=Path, default=Path("/usr/share")); p.add_argument("--seed", type=int, default=0)
    o = p.parse_args()
    kept = []
    for path in photographs(o.root):
        try:
            image = Image.open(path)
            if min(image.size) >= 600: kept.append(path)
        except OSError as error: print(f"photos.py: {path}: left out: {error}", file=sys.stderr)
    if not kept: raise SystemExit(f"photos.py: no photographs below {o.root}")
    made = {"train": 0, "test": 0}
    for number, path in enumerate(kept):
        image = Image.open(path)
        image.draft("RGB", (2400, 2400))
        image = image.convert("RGB")
        image.thumbnail((2400, 2400), Image.Resampling.BICUBIC)
        w, h = image.size
        boxes = {"train": (0, 0, w * 3 // 4, h) if w >= h else (0, 0, w, h * 3 // 4), "test": (w * 3 // 4, 0, w, h) if w >= h else (0, h * 3 // 4, w, h)}
        folder_name = f"{number:03d}-{name(path)}"
        for part, count in (("train", o.count), ("test", max(o.count // 4, 1))):
            folder = o.out / part / folder_name
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(-(-count // len(kept))):
                rng = random.Random(f"{o.seed}/{part}/{number}/{i}")
                crop(rng, image, boxes[part]).save(folder / f"{i:04d}.jpg", quality=rng.choice([75, 90, 95]))
                made[part] += 1
    print(f"photos.py: {made['train']} crops of {len(kept)} photographs for training, {made['test']} for the test, in {o.out}")


if __name__ == "__main__": main()
