"""Makes segment.safetensors: what mmsegmentation 0.x's transforms for training and testing make of made-up pictures and masks.
usage: make_segment.py    (numpy, opencv-python-headless, Pillow, safetensors)

The transforms are written anew from mmsegmentation's and mmcv's arithmetic (Resize, RandomCrop, RandomFlip, PhotoMetricDistortion,
Normalize, Pad; rescale_size): that package needs versions of mmcv and torch that are no more. OpenCV itself does the pixels. Every draw is
recorded in the metadata's "cases".
OpenCV turns most pixels by vectors with fused multiply-adds, and the few that are left over at a row's end without; the two differ
by one level for 1,758 of the 11,796,480 HSV colours. Rows are made longer here, so that all pixels take the first way."""
import json, zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from safetensors.numpy import save_file

rng = np.random.default_rng(17)
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def picture(h, w):
    y, x = np.mgrid[0:h, 0:w] / max(h, w, 2)
    planes = [np.sin(6 * x + 3 * c + 4 * y) * 0.5 + 0.5 + 0.8 * ((x * 3 + y * 2 + c * 0.3) % 1 > 0.6) - 0.3 for c in range(3)]
    return np.clip(np.stack(planes, -1) * 255 + rng.normal(0, 20, (h, w, 3)), 0, 255).astype(np.uint8)


def mask(h, w, classes, spread):
    """Bands of classes, some of them without one; spread 0 is all one class."""
    y, x = np.mgrid[0:h, 0:w]
    ids = ((y // max(1, h // 5) * 3 + x // max(1, w // 4)) % classes) * (rng.random((h, w)) < spread)
    ids[rng.random((h, w)) < 0.1] = 255
    return ids.astype(np.uint8)


# mmcv and mmsegmentation

def rescale_size(h, w, scale):
    factor = min(max(scale) / max(h, w), min(scale) / min(h, w))
    return int(h * float(factor) + 0.5), int(w * float(factor) + 0.5)


def to_hsv(bgr): return cv2.cvtColor(np.ascontiguousarray(bgr), cv2.COLOR_BGR2HSV)


def to_bgr(hsv):
    w = hsv.shape[1]
    return cv2.cvtColor(np.ascontiguousarray(np.pad(hsv, ((0, 0), (0, -w % 64 + 64), (0, 0)))), cv2.COLOR_HSV2BGR)[:, :w]


def convert(img, alpha=1, beta=0):
    return np.clip(img.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)


def photometric(img, d):
    """d: brightness, contrast, saturation, hue (None: not made), contrast_first."""
    if d["brightness"] is not None: img = convert(img, beta=d["brightness"])
    if d["contrast_first"] and d["contrast"] is not None: img = convert(img, alpha=d["contrast"])
    if d["saturation"] is not None:
        hsv = to_hsv(img); hsv[:, :, 1] = convert(hsv[:, :, 1], alpha=d["saturation"]); img = to_bgr(hsv)
    if d["hue"] is not None:
        hsv = to_hsv(img); hsv[:, :, 0] = (hsv[:, :, 0].astype(int) + d["hue"]) % 180; img = to_bgr(hsv)
    if not d["contrast_first"] and d["contrast"] is not None: img = convert(img, alpha=d["contrast"])
    return img


def is_mixed(seg, box, category):
    """RandomCrop's condition for keeping a crop."""
    labels, count = np.unique(seg[box[0]:box[2], box[1]:box[3]], return_counts=True)
    count = count[labels != 255]
    return bool(len(count) > 1 and np.max(count) / np.sum(count) < category)


def train(rgb, seg, side, short, long, category):
    """One view for training -> pixels before Normalize, the mask, and all that was drawn."""
    ratio = float(np.float32(rng.random() * 1.5 + 0.5))
    size = rescale_size(*seg.shape, (int(long * ratio), int(short * ratio)))
    bgr = cv2.resize(np.ascontiguousarray(rgb[..., ::-1]), size[::-1], interpolation=cv2.INTER_LINEAR)
    seg = cv2.resize(seg, size[::-1], interpolation=cv2.INTER_NEAREST)

    def crop():
        top, left = int(rng.integers(max(size[0] - side, 0) + 1)), int(rng.integers(max(size[1] - side, 0) + 1))
        return top, left, top + side, left + side

    boxes = [crop()]
    kept = []
    for _ in range(10):
        kept.append(is_mixed(seg, boxes[-1], category))
        if kept[-1]: break
        boxes.append(crop())
    top, left, bottom, right = boxes[-1]
    bgr, seg = bgr[top:bottom, left:right], seg[top:bottom, left:right]
    flip = bool(rng.random() < 0.5)
    if flip: bgr, seg = bgr[:, ::-1], seg[:, ::-1]
    u = lambda low, high: float(np.float32(rng.uniform(low, high))) if rng.random() < 0.5 else None
    d = {"brightness": u(-32, 32), "contrast_first": bool(rng.random() < 0.5), "contrast": u(0.5, 1.5), "saturation": u(0.5, 1.5),
         "hue": int(rng.integers(-18, 18)) if rng.random() < 0.5 else None}
    rgb = photometric(np.ascontiguousarray(bgr), d)[..., ::-1]
    # Normalize makes floats of it, and Pad fills with 0, which is the mean: as bytes, the mean rounded.
    out = np.empty((side, side, 3), np.uint8); out[:] = np.rint(MEAN * 255).astype(np.uint8)
    ids = np.full((side, side), 255, np.uint8)
    out[:rgb.shape[0], :rgb.shape[1]], ids[:seg.shape[0], :seg.shape[1]] = rgb, seg
    return out, ids, {"size": size, "boxes": [list(b[:2]) for b in boxes], "kept": kept, "flip": flip, "ratio": ratio, **d}


def nearest(seg, box, size):
    """torchvision's resized_crop of a mask, by Pillow."""
    top, left, h, w = box
    return np.asarray(Image.fromarray(seg).crop((left, top, left + w, top + h)).resize(size[::-1], Image.Resampling.NEAREST))


t, cases = {}, []
for number, (h, w, spread) in enumerate([(70, 110, 1), (110, 70, 0.3), (64, 64, 1), (31, 90, 0.1), (9, 7, 1), (1, 40, 1), (130, 50, 0)]):
    rgb, seg = picture(h, w), mask(h, w, 6, spread)
    t[f"picture.{number}"], t[f"mask.{number}"] = rgb, seg
    for short, long, category in [(64, 256, 0.75), (40, 72, 0.4)]:
        for _ in range(2):
            out, ids, drawn = train(rgb, seg, 48, short, long, category)
            name = f"view.{len(cases)}"
            t[name], t[name + ".mask"] = out, ids
            cases.append({"kind": "view", "name": name, "picture": number, "short": short, "long": long, "category": category, **drawn})
    size = rescale_size(h, w, (200, 50))
    t[f"whole.{number}"] = np.ascontiguousarray(cv2.resize(np.ascontiguousarray(rgb[..., ::-1]), size[::-1], interpolation=cv2.INTER_LINEAR)[..., ::-1])
    for box in [(0, 0, h, w), (h // 3, w // 4, max(1, h // 2), max(1, w // 2))]:
        name = f"crop.{len(cases)}"
        t[name] = nearest(seg, box, (33, 33))
        cases.append({"kind": "crop", "name": name, "picture": number, "box": box})
sizes = [[h, w, short, long, float(r), *rescale_size(h, w, (int(long * r), int(short * r)))]
         for h, w in [(512, 683), (683, 512), (100, 2000), (1, 1), (333, 500), (4000, 300)] for short, long in [(512, 2048), (640, 2560), (96, 384)]
         for r in np.float32(rng.uniform(0.5, 2, 4))]

# Each of the 2^24 colours, with hue turned and saturation changed: sums, since the pixels are too many.
codes = np.arange(1 << 24, dtype=np.uint32)
every = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1).astype(np.uint8).reshape(4096, 4096, 3)
none = {"brightness": None, "contrast": None, "saturation": None, "hue": None, "contrast_first": False}
checks = []
for change in [{"hue": -18}, {"hue": 7}, {"saturation": 0.5}, {"saturation": 1.4}]:
    made = photometric(np.ascontiguousarray(every[..., ::-1]), {**none, **change})[..., ::-1]
    checks.append({**change, "crc32": zlib.crc32(np.ascontiguousarray(made).tobytes())})
save_file(t, Path(__file__).parent / "segment.safetensors", {"cases": json.dumps(cases), "sizes": json.dumps(sizes), "every_colour": json.dumps(checks)})
print(len(cases), "cases; crops drawn anew:", sum(len(c.get("boxes", [0])) > 1 for c in cases), "after ten tries:", sum(len(c.get("boxes", [0])) == 11 for c in cases))
