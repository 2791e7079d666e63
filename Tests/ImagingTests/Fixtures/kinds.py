"""Makes kinds/ and kinds.safetensors: a small picture file of every kind, and what Pillow decodes, turns and shrinks them to.
usage: kinds.py    (needs Pillow, numpy, safetensors, and cjpeg and jpegtran of libjpeg-turbo for what Pillow can't write)"""
import io, json, struct, subprocess, zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

here = Path(__file__).parent
files = here / "kinds"
files.mkdir(exist_ok=True)
for old in files.iterdir():
    old.unlink()
rng = np.random.default_rng(1)
tensors, cases, sums = {}, [], []


def picture(height, width, channels=3, levels=256):
    """Smooth colour with hard edges and noise, from 0 to levels - 1."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width, 2)
    planes = [np.sin(6 * x + 3 * c + 4 * y) * 0.5 + 0.5 + 0.6 * ((x * 3 + y * 2 + c * 0.3) % 1 > 0.6) - 0.2 for c in range(channels)]
    noisy = np.stack(planes, -1) * levels + rng.normal(0, 0.06 * levels, (height, width, channels))
    return np.clip(noisy, 0, levels - 1).astype(np.uint16)


def array(image):
    """As Pillow's convert("RGB"), after exif_transpose."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):  # convert("RGB") would cut off at 255: the upper byte, as for 16-bit colour
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, -1)
    return np.asarray(image.convert("RGB"))


def keep(name, data):
    """A file, what its picture is, and as what its header describes it."""
    (files / name).write_bytes(data)
    image = Image.open(io.BytesIO(data))
    assert (image.format == "PNG") == name.endswith("png"), name
    pixels = array(image)
    # Pillow opens grey and alpha of 16 bits (png-2-16) as RGBA.
    sums.append({"file": name, "height": pixels.shape[0], "width": pixels.shape[1], "crc32": zlib.crc32(pixels.tobytes()),
                 "channels": 1 if image.mode in ("1", "L", "LA", "I;16") or name.startswith("png-2-") else 3, "orientation": image.getexif().get(0x0112, 1)})
    return pixels


# PNG, by hand, since Pillow writes only some kinds.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(pixels, bits):
    """Rows of samples as bytes."""
    flat = pixels.reshape(pixels.shape[0], -1)
    if bits == 16:
        return [row.astype(">u2").tobytes() for row in flat]
    if bits == 8:
        return [row.astype(np.uint8).tobytes() for row in flat]
    ones = (flat[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1)).tobytes() for row in ones]


def filtered(rows, step):
    """Each row with the next of the five filters."""
    out, before = b"", bytes(len(rows[0]) if rows else 0)
    for n, row in enumerate(rows):
        kind, line = n % 5, bytearray()
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b, c = before[i], before[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((a, b, c), key=lambda v: abs(p - v))
            line.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        out, before = out + bytes([kind]) + bytes(line), row
    return out


ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
COLOUR = {1: 0, 2: 4, 3: 2, 4: 6}


def png(pixels, bits, palette=None, transparent=None, interlaced=False, before=(), after=()):
    height, width, channels = pixels.shape
    parts = [pixels[y::dy, x::dx] for y, x, dy, dx in ADAM7] if interlaced else [pixels]
    data = b"".join(filtered(packed(p, bits), max(1, bits * channels // 8)) for p in parts if p.size)
    packed_data = zlib.compress(data, 9)
    half = len(packed_data) // 2
    chunks = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 3 if palette is not None else COLOUR[channels], 0, 0, int(interlaced)))]
    chunks += [chunk(k, d) for k, d in before]
    if palette is not None: chunks.append(chunk(b"PLTE", palette.astype(np.uint8).tobytes()))
    if transparent: chunks.append(chunk(b"tRNS", transparent))
    chunks += [chunk(b"IDAT", packed_data[:half]), chunk(b"IDAT", packed_data[half:])]
    chunks += [chunk(k, d) for k, d in after] + [chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


H, W = 13, 19
for interlaced in (False, True):
    tail = "-interlaced.png" if interlaced else ".png"
    for channels in (1, 2, 3, 4):
        for bits in (1, 2, 4, 8, 16) if channels == 1 else (8, 16):
            keep(f"png-{channels}-{bits}{tail}", png(picture(H, W, channels, 1 << bits), bits, interlaced=interlaced))
    for bits in (1, 2, 4, 8):
        colours = min(1 << bits, 200)
        keep(f"png-palette-{bits}{tail}", png(picture(H, W, 1, colours), bits, picture(1, colours)[0], interlaced=interlaced))
keep("png-palette-alpha.png", png(picture(H, W, 1, 16), 4, picture(1, 16)[0], bytes([0, 80, 255])))
keep("png-grey-transparent.png", png(picture(H, W, 1), 8, transparent=struct.pack(">H", 77)))
keep("png-grey-2-transparent.png", png(picture(H, W, 1, 4), 2, transparent=struct.pack(">H", 1)))
keep("png-colour-transparent.png", png(picture(H, W), 8, transparent=struct.pack(">HHH", 1, 2, 3)))
keep("png-one.png", png(picture(1, 1), 8))
keep("png-one-bit.png", png(picture(1, 1, 1, 2), 1, interlaced=True))
keep("png-text.png", png(picture(H, W), 8, before=[(b"gAMA", struct.pack(">I", 100000)), (b"tEXt", b"Title\0a picture"), (b"prVt", b"private")]))
keep("png-wide.png", png(np.tile(picture(1, 655, 1), (1, 100, 1)), 8))
keep("png-tall.png", png(np.tile(picture(655, 1, 1, 4), (100, 1, 1)), 2))

# JPEG, by Pillow and jpegtran.
def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def tran(data, *options):
    return subprocess.run(["jpegtran", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def sampled(image, factors):
    """With the luminance's sampling factors; Pillow knows three."""
    header = f"P6 {image.width} {image.height} 255\n".encode()
    return subprocess.run(["cjpeg", "-quality", "80", "-sample", factors], input=header + image.tobytes(), stdout=subprocess.PIPE, check=True).stdout


photo = Image.fromarray(picture(37, 43).astype(np.uint8))
grey = Image.fromarray(picture(29, 23, 1).astype(np.uint8)[..., 0])
cmyk = Image.fromarray(picture(33, 29, 4).astype(np.uint8), "CMYK")
base = jpeg(photo, quality=90)
for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
    data = jpeg(photo, quality=80, subsampling=subsampling)
    keep(f"jpeg-{name}.jpg", data)
    keep(f"jpeg-{name}-progressive.jpg", tran(data, "-progressive"))
    keep(f"jpeg-{name}-arithmetic.jpg", tran(data, "-arithmetic"))
for name, factors in (("440", "1x2"), ("411", "4x1"), ("410", "4x2"), ("441", "1x4")):
    keep(f"jpeg-{name}.jpg", sampled(photo, factors))
keep("jpeg-restarts.jpg", jpeg(photo, quality=80, restart_marker_blocks=2))
keep("jpeg-arithmetic-restarts.jpg", tran(base, "-arithmetic", "-restart", "1"))
keep("jpeg-arithmetic-progressive.jpg", tran(base, "-arithmetic", "-progressive"))
keep("jpeg-grey.jpg", jpeg(grey, quality=85))
keep("jpeg-grey-progressive.jpg", jpeg(grey, quality=85, progressive=True))
keep("jpeg-rgb.jpg", jpeg(photo, quality=85, keep_rgb=True))
keep("jpeg-quality-1.jpg", jpeg(photo, quality=1))
keep("jpeg-quality-100.jpg", jpeg(photo, quality=100))
keep("jpeg-cmyk.jpg", jpeg(cmyk, quality=85))
keep("jpeg-cmyk-progressive.jpg", jpeg(cmyk, quality=85, progressive=True))
data = jpeg(cmyk, quality=85)
at = data.index(b"Adobe") + 11
assert data[at] == 0
keep("jpeg-ycck.jpg", data[:at] + b"\x02" + data[at + 1:])
app14 = data.index(b"\xff\xee")
keep("jpeg-cmyk-without-adobe.jpg", data[:app14] + data[app14 + 2 + int.from_bytes(data[app14 + 2:app14 + 4], "big"):])
keep("jpeg-one.jpg", jpeg(Image.fromarray(picture(1, 1).astype(np.uint8))))
keep("jpeg-one-grey-arithmetic.jpg", tran(jpeg(grey.crop((0, 0, 1, 1))), "-arithmetic"))
keep("jpeg-wide.jpg", jpeg(Image.fromarray(np.tile(picture(1, 655).astype(np.uint8), (1, 100, 1))), quality=5, optimize=True))
keep("jpeg-tall.jpg", jpeg(Image.fromarray(np.tile(picture(131, 1, 1).astype(np.uint8)[..., 0], (500, 1))), quality=5, optimize=True))


# EXIF: each orientation in both byte orders, and blocks in a bad state.
def tiff(value, order=">", kind=3, count=1, directory=8, entries=None, mark=None):
    number = struct.pack(order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
    other = struct.pack(order + "HHII", 0x0100, 4, 1, 5)
    entry = struct.pack(order + "HHI", 0x0112, kind, count) + number
    return (mark or (b"MM\0*" if order == ">" else b"II*\0")) + struct.pack(order + "I", directory) + bytes(directory - 8 if 8 <= directory < 99 else 0) + \
        struct.pack(order + "H", 2 if entries is None else entries) + other + entry + struct.pack(order + "I", 0)


def segment(block):
    return b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block


plain = jpeg(photo, quality=80)
pixels = picture(H, W)
for orientation in range(1, 9):
    order = "<>"[orientation % 2]
    keep(f"exif-{orientation}.jpg", plain[:2] + segment(tiff(orientation, order)) + plain[2:])
    keep(f"exif-{orientation}.png", png(pixels, 8, before=[(b"eXIf", tiff(orientation, "<>"[1 - orientation % 2]))]))
keep("exif-long.jpg", plain[:20] + segment(tiff(6, kind=4)) + plain[20:])
keep("exif-far.jpg", plain[:2] + segment(tiff(8, "<", directory=32)) + plain[2:])
keep("exif-after-fill.jpg", plain[:2] + b"\xff\xff" + segment(tiff(3)) + plain[2:])
keep("exif-after.png", png(pixels, 8, after=[(b"eXIf", tiff(5))]))
keep("exif-prefixed.png", png(pixels, 8, before=[(b"eXIf", b"Exif\0\0" + tiff(7))]))
bad = {"zero": tiff(0), "nine": tiff(9, "<"), "large": tiff(0x0600), "cut": tiff(6)[:30], "empty": b"", "away": tiff(6, directory=0x7FFFFFF0),
       "many": tiff(1, entries=0xFFFF), "mark": tiff(6, mark=b"XX\0*")}
for name, block in bad.items():
    keep(f"exif-bad-{name}.jpg", plain[:2] + segment(block) + plain[2:])


# Shrinking: what Pillow resizes to, and the pixels of the JPEG that it makes of it.
def shrunk(name, short, quality):
    image = Image.open(files / name)
    image = ImageOps.exif_transpose(image)
    image = image.convert("L" if image.mode in ("L", "LA", "1") else "RGB")
    w, h = (short, int(short * image.height / image.width)) if image.width <= image.height else (int(short * image.width / image.height), short)
    data = jpeg(image.resize((w, h), Image.Resampling.BICUBIC), quality=quality, optimize=True)
    tensors[f"shrunk-{len(cases)}"] = np.frombuffer(data, np.uint8)
    cases.append({"file": name, "shortSide": short, "quality": quality, "result": f"shrunk-{len(cases)}"})


for name in ("jpeg-420.jpg", "exif-6.jpg", "jpeg-grey.jpg", "jpeg-ycck.jpg", "png-4-8.png", "png-palette-8.png", "png-1-4.png", "exif-5.png", "png-2-8.png"):
    for short, quality in ((12, 90), (7, 75), (1, 100), (9, 1)):
        shrunk(name, short, quality)

save_file(tensors, here / "kinds.safetensors", {"files": json.dumps(sums), "shrunk": json.dumps(cases), "pillow": Image.__version__})
print(len(sums), "files,", len(cases), "shrunk")
