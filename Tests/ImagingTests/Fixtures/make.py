"""Makes the fixtures in this folder with Pillow: what it decodes, resizes and colours is what the tests expect, bit for bit.
usage: make.py    (needs Pillow, numpy, safetensors)"""
import io, json, random, zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from safetensors.numpy import save_file

here = Path(__file__).parent
rng, np_rng = random.Random(1), np.random.default_rng(1)
tensors, cases = {}, []


def picture(height, width, channels=3):
    """Smooth colour with hard edges and noise, from black to white."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width, 2)
    planes = [np.sin(6 * x + 3 * c + 4 * y) * 0.5 + 0.5 + 0.8 * ((x * 3 + y * 2 + c * 0.3) % 1 > 0.6) - 0.3 for c in range(channels)]
    noisy = np.stack(planes, -1) * 255 + np_rng.normal(0, 20, (height, width, channels))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def image(array):
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def array(image):
    a = np.asarray(image)
    return np.ascontiguousarray(a[..., None] if a.ndim == 2 else a)


def case(operation, source, result, **arguments):
    name = f"{len(cases):03d}"
    tensors[name] = array(result)
    cases.append({"operation": operation, "source": source, "result": name, **arguments})


def blend_hue(image, shift):
    """torchvision's adjust_hue for Pillow images."""
    h, s, v = image.convert("HSV").split()
    turned = np.asarray(h).astype(np.uint8)
    with np.errstate(over="ignore"):
        turned = turned + np.int32(shift * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(turned), s, v)).convert("RGB")


def brightness(image, f): return ImageEnhance.Brightness(image).enhance(f)
def contrast(image, f): return ImageEnhance.Contrast(image).enhance(f)
def saturation(image, f): return ImageEnhance.Color(image).enhance(f)


f32 = lambda x: float(np.float32(x))
sources = {"photo": picture(47, 61), "small": picture(28, 28, 1), "wide": picture(3, 90), "tall": picture(64, 2, 1),
           "one": picture(1, 1), "square": picture(32, 32)}
for name, pixels in sources.items():
    tensors[name] = pixels

filters = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
for name, pixels in sources.items():
    height, width = pixels.shape[:2]
    for i in range(8):
        h, w = (height, width) if i == 0 else (rng.randint(1, height), rng.randint(1, width))
        top, left = rng.randint(0, height - h), rng.randint(0, width - w)
        # The picture's own size, one side of it, and others.
        size = [(28, 28), (h, 20), (33, w), (7, 9), (40, 64), (h, w), (1, 1), (16, 16)][i]
        kind = "bilinear" if i % 4 == 3 else "bicubic"
        crop = image(pixels).crop((left, top, left + w, top + h))
        case("resize", name, crop.resize((size[1], size[0]), filters[kind]), box=[top, left, h, w], size=list(size), filter=kind)

for name in ("photo", "small", "wide", "tall", "one"):
    x = image(sources[name])
    for sigma in (0.1, 0.3, 0.7, 1.0, 1.37, 2.0, 5.5):
        case("blur", name, x.filter(ImageFilter.GaussianBlur(f32(sigma))), value=f32(sigma))
for name in ("photo", "one"):
    x = image(sources[name])
    for f in (0.0, 0.6, 0.83, 1.0, 1.0001, 1.17, 1.4, 3.0):
        for operation in (brightness, contrast, saturation):
            case(operation.__name__, name, operation(x, f32(f)), value=f32(f))
    for shift in (-0.5, -0.1, -0.031, -0.001, 0.0, 0.003, 0.07, 0.1, 0.5):
        case("hue", name, blend_hue(x, f32(shift)), value=f32(shift))
    case("grey", name, x.convert("L").convert("RGB"))
    case("solarise", name, ImageOps.solarize(x))
    case("flip", name, ImageOps.mirror(x))
    case("vflip", name, ImageOps.flip(x))
for f in (0.6, 1.4):
    for operation in (brightness, contrast):
        case(operation.__name__, "small", operation(image(sources["small"]), f32(f)), value=f32(f))

# Whole views, as torchvision and DINO make them: crop, flip, jitter in some order, grey, blur, solarise.
changes = {1: brightness, 2: contrast, 3: saturation, 4: blend_hue}
for i in range(24):
    name = ("photo", "small", "square")[i % 3]
    x = image(sources[name])
    h, w = rng.randint(8, x.height), rng.randint(8, x.width)
    top, left, size = rng.randint(0, x.height - h), rng.randint(0, x.width - w), rng.choice((28, 20))
    order = rng.sample((1, 2, 3, 4), 4) if rng.random() < 0.8 else []
    factors = {k: f32(rng.uniform(*r)) for k, r in {1: (0.6, 1.4), 2: (0.6, 1.4), 3: (0.8, 1.2), 4: (-0.1, 0.1)}.items()}
    flip, grey, solarise = rng.random() < 0.5, rng.random() < 0.2, rng.random() < 0.3
    sigma = f32(rng.uniform(0.1, 2)) if rng.random() < 0.6 else 0.0
    view = x.convert("RGB").crop((left, top, left + w, top + h)).resize((size, size), Image.Resampling.BICUBIC)
    if flip: view = ImageOps.mirror(view)
    for change in order: view = changes[change](view, factors[change])
    if grey: view = view.convert("L").convert("RGB")
    if sigma: view = view.filter(ImageFilter.GaussianBlur(sigma))
    if solarise: view = ImageOps.solarize(view)
    case("view", name, view, box=[top, left, h, w], size=[size, size], order=order, factors=[factors[k] for k in (1, 2, 3, 4)],
         flip=flip, grey=grey, value=sigma, solarise=solarise)

# Evaluation: torchvision's Resize and CenterCrop.
for name, size, ratio in (("photo", 28, 0.875), ("photo", 24, 1.0), ("small", 28, 1.0), ("small", 28, 0.875), ("tall", 20, 0.9), ("wide", 31, 0.8)):
    x = image(sources[name])
    short = int(size / ratio)
    w, h = (short, int(short * x.height / x.width)) if x.width <= x.height else (int(short * x.width / x.height), short)
    top, left = int(round((h - size) / 2.0)), int(round((w - size) / 2.0))
    view = x.convert("RGB").resize((w, h), Image.Resampling.BICUBIC).crop((left, top, left + size, top + size))
    case("center", name, view, size=[size, size], value=ratio)

# Every colour there is, as a checksum.
every = np.stack(np.meshgrid(*[np.arange(256, dtype=np.uint8)] * 3, indexing="ij"), -1).reshape(4096, 4096, 3)
x = Image.fromarray(every)
sums = [{"operation": n, "value": f32(v), "crc32": zlib.crc32(np.asarray(f(x, f32(v))).tobytes())} for n, f, v in
        (("hue", blend_hue, 0.0), ("hue", blend_hue, 0.0731), ("hue", blend_hue, -0.1), ("saturation", saturation, 0.8123), ("saturation", saturation, 1.1877))]

# JPEG files of every kind, and what Pillow decodes from them.
files = here / "pictures"
files.mkdir(exist_ok=True)
def keep(name, data): (files / name).write_bytes(data)
def encoded(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()
photo, grey = image(sources["photo"]), image(sources["small"])
cmyk = Image.fromarray(picture(33, 29, 4), "CMYK")
jpegs = {"baseline.jpg": encoded(photo, quality=90), "full-colour.jpg": encoded(photo, quality=75, subsampling=0),
         "half-colour.jpg": encoded(photo, quality=75, subsampling=1), "progressive.jpg": encoded(photo, quality=85, progressive=True),
         "restarts.jpg": encoded(photo, quality=85, restart_marker_blocks=3), "grey.jpg": encoded(grey, quality=90), "cmyk.jpg": encoded(cmyk, quality=90),
         "one.jpg": encoded(image(sources["one"])), "one-grey.jpg": encoded(image(picture(1, 1, 1)))}
at = jpegs["cmyk.jpg"].index(b"Adobe") + 11
assert jpegs["cmyk.jpg"][at] == 0
jpegs["ycck.jpg"] = jpegs["cmyk.jpg"][:at] + b"\x02" + jpegs["cmyk.jpg"][at + 1:]
for name, data in jpegs.items():
    keep(name, data)
    case("decode", name, Image.open(io.BytesIO(data)).convert("RGB"))
base = jpegs["baseline.jpg"]
keep("cut.jpg", base[: len(base) * 2 // 3])
keep("no-end.jpg", base[:-2])
keep("cut-in-header.jpg", base[:100])
keep("cut-progressive.jpg", jpegs["progressive.jpg"][: len(jpegs["progressive.jpg"]) // 2])
out = io.BytesIO(); grey.save(out, "PNG"); keep("really-png.jpg", out.getvalue())

save_file(tensors, here / "pillow.safetensors", {"cases": json.dumps(cases), "every_colour": json.dumps(sums), "pillow": Image.__version__})
print(len(cases), "cases")
