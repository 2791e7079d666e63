"""Makes parts/: JPEG files of every kind, large enough that parts of them can be decoded alone.
usage: parts.py    (needs Pillow, numpy, and cjpeg and jpegtran of libjpeg-turbo)"""
import io, subprocess
from pathlib import Path

import numpy as np
from PIL import Image

files = Path(__file__).parent / "parts"
files.mkdir(exist_ok=True)
for old in files.iterdir():
    old.unlink()
rng = np.random.default_rng(2)
H, W = 229, 187


def picture(channels):
    """Noise of 23 x 19, enlarged: colour everywhere, and small files."""
    planes = [Image.fromarray(rng.integers(0, 256, (23, 19), np.uint8)).resize((W, H), Image.Resampling.BICUBIC) for _ in range(channels)]
    return np.stack([np.asarray(p) for p in planes], -1)


def tran(data, *options):
    return subprocess.run(["jpegtran", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def sampled(factors, *options):
    header = f"P6 {W} {H} 255\n".encode()
    return subprocess.run(["cjpeg", "-quality", "60", "-sample", factors, *options], input=header + picture(3).tobytes(),
                          stdout=subprocess.PIPE, check=True).stdout


def keep(name, data):
    (files / f"{name}.jpg").write_bytes(data)


for name, factors in (("444", "1x1"), ("422", "2x1"), ("420", "2x2"), ("440", "1x2"), ("411", "4x1"), ("441", "1x4"), ("410", "4x2")):
    data = sampled(factors)
    keep(name, data)
    if name in ("444", "422", "420"):
        keep(f"{name}-progressive", tran(data, "-progressive"))
keep("420-arithmetic", sampled("2x2", "-arithmetic"))
keep("420-restarts", tran(sampled("2x2"), "-restart", "2"))
keep("rgb", sampled("1x1", "-rgb"))
for name, channels, mode in (("grey", 1, "L"), ("cmyk", 4, "CMYK")):
    image, out = Image.fromarray(picture(channels).squeeze(), mode), io.BytesIO()
    image.save(out, "JPEG", quality=60)
    keep(name, out.getvalue())
    keep(f"{name}-progressive", tran(out.getvalue(), "-progressive"))
for orientation in range(2, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(picture(3)).save(out, "JPEG", quality=50, exif=exif)
    keep(f"exif-{orientation}", out.getvalue())
