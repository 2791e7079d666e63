"""Scenes put together from real pixels that Debian has: garments (Fashion-MNIST, coloured and textured) and photographed things with alpha
(Tux Paint's stamps) on and under photographs and patterns (wallpapers). Every pixel's label is known because the scene was put together.
usage: scenes.py OUT [--layout classes|ade] [--count N=2000] [--size S=96] [--garments] [--sides 0.1-0.65] [--seed 0] [--from FOLDER=/usr/share]

N pictures are for training, N / 4 for the test. A picture depends on the seed, its part and its number alone, so a longer set starts with
the shorter one. The test draws from garments of Fashion-MNIST's test set, and from stamps and wallpapers that training never sees.
classes: train|test/CLASS/%05d.jpg: one thing of the class a picture, on stuff, and perhaps something else that has no class.
ade:     images|annotations/training|validation/ADE_train|val_%08d.jpg|png, objectInfo.txt, as ADEChallengeData2016 has them: several
         things a picture. A pixel is 1 + class; 0 is nothing that has a class: distractors, and pixels that two things share.
The packages are dataset-fashion-mnist, tuxpaint-stamps-default, mate-backgrounds, gnome-backgrounds and plasma-workspace-wallpapers."""
import argparse, colorsys, gzip, math, random, re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Image.MAX_IMAGE_PIXELS = None
GARMENTS = "t-shirt trouser pullover dress coat sandal shirt sneaker bag boot".split()
STAMPS = {                                                        # class: folders of stamps, not their subfolders
    "bird": ["animals/birds"], "fish": ["animals/fish"],
    "hoofed": [f"animals/mammals/{x}" for x in ("bovines", "equines", "deer", "camel")],
    "mammal": ["animals/mammals", "animals/marsupials"] + [f"animals/mammals/{x}" for x in ("bears", "apes", "aquatic", "cats", "dogs", "rodents")],
    "fruit": ["food/fruit"], "vegetable": ["food/vegetables"], "flower": ["plants/flowers"],
    "instrument": [f"hobbies/music/{x}" for x in ("brass", "percussion", "string", "wind")],
    "planet": ["space/planets", "space/moon"], "coin": [f"symbols/money/{x}" for x in ("us/coins", "euro/coins", "canadian/coins", "japanese")],
    "sign": ["town/roadsigns"], "house": ["town/houses/cartoon"],
    "vehicle": ["vehicles", "military/vehicles"] + [f"vehicles/{x}" for x in "auto construction cycle emergency flight flight/planes masstransit race ship".split()],
}
DISTRACTORS = ["household", "household/tools", "household/dishes", "sports", "seasonal/christmas", "seasonal/easter", "animals/insects", "plants/trees"]
STUFF = {                                                         # class: what wallpapers' paths hold; the starred ones validate
    "leaves": "Blinds GreenMeadow *RainDrops *LadyBird OneStandsOut wallpapers/Path/",
    "autumn": "nature/Garden YellowFlower *TwoWings FallenLeaf wallpapers/Autumn/",
    "air and water": "Kite *summer_1am DarkestHour Storm ColdRipple *EveningGlow Aqua BytheWater Dune",
    "pattern": "adwaita-l *grid-l *grid-d truchet-l truchet-d wood-l licorice-l *Grey/ Elephants.jpg nature/Wood ColorfulCups Canopee Opal Shell *Cluster Kokkini",
}
THINGS = GARMENTS + list(STAMPS)
CLASSES = THINGS + list(STUFF)


class Sources:
    """What a split may draw from. A stamp's kin (cep, cep-1, cep-2, lion_mirror) stay on one side; every fourth kin validates."""
    def __init__(self, root, split):
        self.split = split
        name, folder = ("t10k" if split == "val" else "train"), root / "datasets/fashion-mnist"
        for place in (folder, root / "tuxpaint/stamps"):
            if not place.exists(): raise SystemExit(f"scenes.py: there is no {place}: dataset-fashion-mnist and tuxpaint-stamps-default of Debian have it")
        read = lambda kind, skip: np.frombuffer(gzip.open(folder / f"{name}-{kind}-ubyte.gz").read(), np.uint8)[skip:]
        self.garments, labels = read("images-idx3", 16).reshape(-1, 28, 28), read("labels-idx1", 8)
        self.garment_rows = [np.flatnonzero(labels == k) for k in range(len(GARMENTS))]
        stamps = root / "tuxpaint/stamps"
        self.stamps = {k: self._stamps(stamps, v) for k, v in STAMPS.items()}
        self.distractors = self._stamps(stamps, DISTRACTORS)
        papers = sorted(p for d in ("backgrounds", "wallpapers") if (root / d).exists() for e in ("jpg", "png", "webp") for p in (root / d).rglob("*." + e))
        self.stuff = {k: self._papers(papers, v.split()) for k, v in STUFF.items()}

    def _stamps(self, root, folders):
        paths = sorted(p for f in folders for p in (root / f).glob("*.png") if "mirror" not in p.name)
        keep, kin = [], {}
        for p in paths:
            image = Image.open(p).convert("RGBA")
            cover = (np.asarray(image)[..., 3] > 127).mean()
            if min(image.size) < 40 or cover < 0.15: continue
            kin.setdefault((p.parent, re.search("flower[0-9]+|[a-z]+|$", p.stem.lower())[0]), []).append(image)
        for i, images in enumerate(kin.values()):
            if (i % 4 == 1) == (self.split == "val"): keep += images
        return keep

    def _papers(self, papers, words):
        out = []
        for w in words:
            if w.startswith("*") != (self.split == "val"): continue
            found = [p for p in papers if w.strip("*") in str(p) and "images_dark" not in str(p)]
            if not found: raise SystemExit(f"scenes.py: no wallpaper has {w.strip('*')} in its path: mate-backgrounds, gnome-backgrounds and plasma-workspace-wallpapers of Debian have them")
            image = Image.open(max(found, key=lambda p: p.stat().st_size))
            image.draft("RGB", (1600, 1000))
            image = image.convert("RGB"); image.thumbnail((1600, 1600))
            out.append(image)
        return out


def crop(rng, image, w, h):
    """A random crop of a photograph at a random scale -> RGB image of w × h."""
    s = rng.uniform(1.0, max(1.0, min(image.width / w, image.height / h))) if rng.random() < 0.7 else rng.uniform(0.6, 1.0)
    s = min(s, image.width / w, image.height / h)
    x, y = rng.uniform(0, image.width - w * s), rng.uniform(0, image.height - h * s)
    return image.resize((w, h), Image.BICUBIC, (x, y, x + w * s, y + h * s))


def garment(rng, sources, k):
    """A Fashion-MNIST garment at 224 pixels: the 28 × 28 greys become the shading of a colour, stripes, checks or a photograph's texture."""
    grey = sources.garments[rng.choice(sources.garment_rows[k])]
    body = Image.fromarray(np.pad((grey > 12).astype(np.uint8) * 255, 2)).copy()
    ImageDraw.floodfill(body, (0, 0), 128)                        # what the outside does not reach is the garment
    body = Image.fromarray(np.where(np.asarray(body) == 128, 0, 255).astype(np.uint8)[2:-2, 2:-2])
    up = lambda image: np.asarray(image.resize((224, 224), Image.BICUBIC), np.float32) / 255
    shade, alpha = up(Image.fromarray(grey)), np.clip((up(body) - 0.5) * 6 + 0.5, 0, 1)
    colour = lambda: np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.1, 0.9), rng.uniform(0.5, 1.0)), np.float32)
    a, b, y, x = colour(), colour(), *np.mgrid[:224, :224].astype(np.float32)
    kind, f, t = rng.choice(["plain", "stripes", "checks", "photograph", "photograph"]), rng.uniform(0.15, 0.6), rng.uniform(0, math.pi)
    u, v = x * math.cos(t) + y * math.sin(t), y * math.cos(t) - x * math.sin(t)
    if kind == "photograph":
        cloth = np.asarray(crop(rng, rng.choice(sources.stuff[rng.choice(list(STUFF))]), 224, 224), np.float32) / 255
        cloth = 0.5 * cloth + 0.5 * a
    else:
        blend = {"plain": 0 * u, "stripes": np.sin(f * u) > 0, "checks": (np.sin(f * u) > 0) ^ (np.sin(f * v) > 0)}[kind]
        cloth = a + (b - a) * np.asarray(blend, np.float32)[..., None]
    rgba = np.dstack([cloth * (0.2 + 0.8 * shade[..., None]), alpha])
    return Image.fromarray((rgba.clip(0, 1) * 255 + 0.5).astype(np.uint8), "RGBA")


def cut(rng, image, side):
    """An RGBA object, turned, perhaps flipped, its brightness changed, its longer side `side` pixels -> RGBA, trimmed."""
    if rng.random() < 0.5: image = image.transpose(Image.FLIP_LEFT_RIGHT)
    image = image.crop(image.getchannel("A").point(lambda v: 255 * (v > 40)).getbbox())
    scale = side / max(image.size)
    image = image.resize([max(3, round(s * scale)) for s in image.size], Image.BICUBIC)
    image = image.rotate(rng.gauss(0, 25) if rng.random() < 0.8 else rng.uniform(0, 360), Image.BICUBIC, expand=True)
    gain, rgba = rng.uniform(0.75, 1.2), np.asarray(image, np.float32).copy()
    rgba[..., :3] *= gain
    image = Image.fromarray(rgba.clip(0, 255).astype(np.uint8), "RGBA")
    box = image.getchannel("A").point(lambda v: 255 * (v > 127)).getbbox()
    return image.crop(box) if box else None


def background(rng, sources, w, h):
    """One to three kinds of stuff, with a wavy border between them -> RGB float [H, W, 3], classes [H, W]."""
    kinds = rng.sample(list(STUFF), rng.choice([1, 1, 2, 2, 3]))
    pixels, labels = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.uint8)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    for i, kind in enumerate(kinds):
        t, a, f, p = rng.uniform(0, 2 * math.pi), rng.uniform(0.01, 0.06) * w, rng.uniform(2, 9) / w, rng.uniform(0, 6)
        u, v = (x - w / 2) * math.cos(t) + (y - h / 2) * math.sin(t), (y - h / 2) * math.cos(t) - (x - w / 2) * math.sin(t)
        where = u > rng.uniform(-0.15, 0.25) * w + a * np.sin(f * v + p) if i else np.ones((h, w), bool)
        pixels[where] = np.asarray(crop(rng, rng.choice(sources.stuff[kind]), w, h), np.float32)[where]
        labels[where] = CLASSES.index(kind) + 1
    return pixels, labels


def scene(rng, sources, size, single=None, sides=(0.1, 0.65)):
    """-> RGB image, class map u8 [H, W] (1 + class, 0 for none). single: the class of the only thing; None for several things, whose longer
    side is between `sides` of the picture's."""
    w, h = rng.choice([(size, size), (size, size * 3 // 4), (size * 3 // 4, size), (size, size * 2 // 3)])
    pixels, labels = background(rng, sources, w, h)
    ids, things = np.zeros((h, w), np.int32), []                  # ids: 1 + index in things, of what is seen at a pixel

    def put(image, k, into=None, at=None):
        """Lays an object over what is there, unless something would be hidden too far. k: class, None for a distractor."""
        nonlocal pixels
        if image is None: return
        for _ in range(10):
            x, y = at or (rng.uniform(-0.2, 1), rng.uniform(-0.2, 1))
            x, y = (round(x * w - image.width / 2), round(y * h - image.height / 2)) if at else (round(x * (w - 0.6 * image.width)), round(y * (h - 0.6 * image.height)))
            x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + image.width, w), min(y + image.height, h)
            if x1 - x0 < 4 or y1 - y0 < 4: continue
            rgba = np.asarray(image, np.float32)[y0 - y:y1 - y, x0 - x:x1 - x]
            alpha, solid = rgba[..., 3:] / 255, rgba[..., 3] > 127
            window, after = ids[y0:y1, x0:x1], None
            hidden = [t for t in np.unique(window[solid]) if t and t != into and (things[t - 1]["seen"] - (window[solid] == t).sum() < max(40, 0.45 * things[t - 1]["all"]))]
            if hidden or solid.sum() < 40: continue
            for t in np.unique(window[solid]):
                if t: things[t - 1]["seen"] -= (window[solid] == t).sum()
            pixels[y0:y1, x0:x1] = pixels[y0:y1, x0:x1] * (1 - alpha) + rgba[..., :3] * alpha
            labels[y0:y1, x0:x1][solid] = 0 if k is None else k + 1
            if k is None: after = 0
            elif into: after = into; things[into - 1]["seen"] += solid.sum(); things[into - 1]["all"] += solid.sum()
            else: things.append({"seen": solid.sum(), "all": solid.sum()}); after = len(things)
            window[solid] = after
            soft = (alpha[..., 0] > 0.1) & (alpha[..., 0] < 0.9)
            if rng.random() < 0.5: labels[y0:y1, x0:x1][soft] = 0    # ADE20K has unlabelled pixels too
            return after

    def thing(k, side):
        image = garment(rng, sources, k) if k < len(GARMENTS) else rng.choice(sources.stamps[THINGS[k]])
        return cut(rng, image, side)

    def picture():
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        return (image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8))) if rng.random() < 0.2 else image), labels

    if single is not None:
        if rng.random() < 0.3: put(cut(rng, rng.choice(sources.distractors), size * rng.uniform(0.15, 0.3)), None)
        while not things: put(thing(single, size * rng.uniform(0.4, 0.8)), single, None, (rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.65)))
        return picture()
    for _ in range(rng.choice([0, 0, 1, 2])): put(cut(rng, rng.choice(sources.distractors), size * rng.uniform(0.15, 0.4)), None)
    if rng.random() < 0.2:
        k, cx, cy, into = rng.randrange(len(THINGS)), rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), None
        for _ in range(rng.randrange(9, 15)):
            into = put(thing(k, size * rng.uniform(0.08, 0.14)), k, into, (cx + rng.gauss(0, 0.1), cy + rng.gauss(0, 0.07))) or into
    for _ in range(rng.randrange(2, 8)):
        k = rng.randrange(len(THINGS))
        put(thing(k, size * math.exp(rng.uniform(math.log(sides[0]), math.log(sides[1])))), k)
    return picture()


def parts(o): return (("train", "train", o.count), ("val", "test", max(o.count // 4, 1)))


def classes(o):
    """A folder for each class of things, and as many pictures in each."""
    for split, name, count in parts(o):
        sources = Sources(o.root, split)
        for k in THINGS: (o.out / name / k).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            k = i % len(THINGS)
            image, _ = scene(random.Random(f"{o.seed}/{split}/single/{i}"), sources, o.size, k)
            image.save(o.out / name / THINGS[k] / f"{i:05d}.jpg", quality=92)
        print(f"scenes.py: {count} pictures of {len(THINGS)} classes in {o.out / name}")


def ade(o):
    """ADE20K's layout."""
    share, seen = np.zeros(len(CLASSES) + 1), {}
    for split, name, count in parts(o):
        sources, appears, long = Sources(o.root, split), np.zeros(len(CLASSES) + 1, int), {"train": "training", "val": "validation"}[split]
        images, annotations = o.out / "images" / long, o.out / "annotations" / long
        for folder in (images, annotations): folder.mkdir(parents=True, exist_ok=True)
        for i in range(1, count + 1):
            image, labels = scene(random.Random(f"{o.seed}/{split}/{i}"), sources, o.size, sides=o.sides)
            image.save(images / f"ADE_{split}_{i:08d}.jpg", quality=92)
            Image.fromarray(labels).save(annotations / f"ADE_{split}_{i:08d}.png")
            appears[np.unique(labels)] += 1
            if split == "train": share += np.bincount(labels.ravel(), minlength=len(share)) / labels.size
        seen[split] = appears
        print(f"scenes.py: {count} pictures in {images}, their labels in {annotations}")
    rows = [f"{k + 1}\t{share[k + 1] / o.count:.4f}\t{seen['train'][k + 1]}\t{seen['val'][k + 1]}\t{int(c in STUFF)}\t{c}" for k, c in enumerate(CLASSES)]
    (o.out / "objectInfo.txt").write_text("\n".join(["Idx\tRatio\tTrain\tVal\tStuff\tName"] + rows) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=Path); p.add_argument("--layout", choices=["classes", "ade"], default="classes")
    p.add_argument("--count", type=int, default=2000); p.add_argument("--size", type=int, default=96); p.add_argument("--seed", type=int, default=0)
    p.add_argument("--from", dest="root", type=Path, default=Path("/usr/share"))
    p.add_argument("--garments", action="store_true", help="things are the ten garments alone, of which there are thousands of each")
    p.add_argument("--sides", type=lambda text: tuple(float(x) for x in text.split("-")), default=(0.1, 0.65), metavar="LOW-HIGH", help="ade: the longer side of a thing, of the picture's")
    o = p.parse_args()
    if o.garments: THINGS[:], CLASSES[:] = GARMENTS, GARMENTS + list(STUFF)
    {"classes": classes, "ade": ade}[o.layout](o)


if __name__ == "__main__": main()
