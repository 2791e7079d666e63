"""Makes masks/: small sets of pictures with masks in the layouts that pmae-pack knows, masks that are none, and masks.safetensors, the
class ids of each picture as Pillow and NumPy see them.
usage: masks.py    (Pillow, numpy, safetensors)"""
import io, json, shutil, struct, tarfile, zlib
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

rng, here = np.random.default_rng(5), Path(__file__).parent
root, expected = here / "masks", {}
shutil.rmtree(root, ignore_errors=True)


def write(path, data):
    path = root / path; path.parent.mkdir(parents=True, exist_ok=True); path.write_bytes(data)


def jpeg(h, w, exif=None):
    out, y = io.BytesIO(), np.mgrid[0:h, 0:w]
    pixels = np.stack([y[0] * 9 % 256, y[1] * 7 % 256, np.full((h, w), rng.integers(256))], -1).astype(np.uint8)
    Image.fromarray(pixels).save(out, "JPEG", quality=90, **({"exif": exif} if exif else {}))
    return out.getvalue()


def png(array, palette=None, **options):
    image, out = Image.fromarray(array), io.BytesIO()
    if palette is not None: image = Image.fromarray(array, "P"); image.putpalette(palette)
    image.save(out, "PNG", **options)
    return out.getvalue()


def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(array, bits=8, colour=0, interlaced=False):
    """A grey PNG of any depth, whose rows may come in the seven passes of Adam7. Pillow writes neither."""
    h, w = array.shape

    def rows(part):
        out = b""
        for row in part:
            if bits == 16: line = row.astype(">u2").tobytes()
            else: line = np.packbits(np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits:].ravel()).tobytes()
            out += b"\0" + line
        return out

    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [array[y::dy, x::dx] for y, x, dy, dx in passes] if interlaced else [array]
    data = b"".join(rows(p) for p in parts if p.size)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, int(interlaced))) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def ids(h, w, values): return rng.choice(np.array(values, np.uint8), (h, w))


def voc_palette():
    palette = np.zeros((256, 3), np.uint8)
    for n in range(256):
        c = n
        for bit in range(7, -1, -1):
            for channel in range(3): palette[n, channel] |= (c >> channel & 1) << bit
            c >>= 3
    return palette.ravel().tolist()


# ADE20K: 0 is no class, 1 the first.
names = ["wall", "building, edifice", "sky", "floor"]
write("ade/objectInfo150.txt", ("Idx\tRatio\tTrain\tVal\tStuff\tName\n" + "".join(f"{i + 1}\t0.1\t10\t2\t1\t{n}\n" for i, n in enumerate(names))).encode())
for split, count in (("training", 3), ("validation", 1)):
    for i in range(count):
        m = ids(14 + i, 20, [0, 1, 2, 3, 4])
        write(f"ade/images/{split}/ADE_{i:04d}.jpg", jpeg(*m.shape)); write(f"ade/annotations/{split}/ADE_{i:04d}.png", png(m))
        expected[f"ade/{split}/{i}"] = np.where(m == 0, 255, m - 1).astype(np.uint8)

# Pascal VOC: palettes of 8 and of 4 bits.
for i, values in enumerate([[0, 1, 20, 255], [0, 15]]):
    m = ids(16, 11 + i, values)
    write(f"voc/JPEGImages/2007_{i}.jpg", jpeg(*m.shape))
    write(f"voc/SegmentationClass/2007_{i}.png", png(m, voc_palette()) if i == 0 else png(m, voc_palette()[:48], bits=4))
    expected[f"voc/{i}"] = m
write("voc/JPEGImages/2008_0.jpg", jpeg(9, 9))
write("voc/ImageSets/Segmentation/train.txt", b"2007_0\n2007_1\n"); write("voc/ImageSets/Segmentation/val.txt", b"2008_0\n")

# Cityscapes.
train_ids = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
table = np.full(256, 255, np.uint8); table[train_ids] = np.arange(19)
for city in ("aachen", "bochum"):
    m = ids(8, 16, list(range(34)) + [255])
    write(f"cityscapes/leftImg8bit/train/{city}/{city}_000000_000019_leftImg8bit.png", png(np.repeat(m[..., None], 3, 2)))
    write(f"cityscapes/gtFine/train/{city}/{city}_000000_000019_gtFine_labelIds.png", png(m))
    write(f"cityscapes/gtFine/train/{city}/{city}_000000_000019_gtFine_color.png", png(np.repeat(m[..., None], 3, 2)))
    expected[f"cityscapes/{city}"] = table[m]

# Two folders: bits of every depth, interlaced, colours, and pictures on their side.
pairs = {"eight": lambda m: png(m), "one": lambda m: raw_png(m & 1, 1), "two": lambda m: raw_png(m, 2), "four": lambda m: raw_png(m, 4),
         "interlaced": lambda m: raw_png(m, 8, interlaced=True), "interlaced2": lambda m: raw_png(m, 2, interlaced=True)}
for name, make in pairs.items():
    m = ids(13, 10, [0, 1, 2])
    write(f"pair/images/{name}.jpg", jpeg(13, 10)); write(f"pair/masks/{name}.png", make(m))
    expected[f"pair/{name}"] = m & 1 if name == "one" else m
write("pair/names.txt", b"ground\ntree\ncar\n")
for name, turn in (("upright", False), ("stored", True)):
    exif = Image.Exif(); exif[0x112] = 6
    m = ids(12, 7, [0, 1, 2])                                     # As it is seen: 12 high.
    write(f"turned/images/{name}.jpg", jpeg(7, 12, exif)); write(f"turned/masks/{name}.png", png(np.ascontiguousarray(np.rot90(m)) if turn else m))
    expected[f"turned/{name}"] = m
colours = {"ground": (128, 64, 128), "tree": (107, 142, 35), "car": (0, 0, 142)}
write("colours/names.txt", "".join(f"{n} #{'%02x%02x%02x' % c}\n" for n, c in colours.items()).encode())
m = ids(6, 9, [0, 1, 2])
write("colours/images/a.jpg", jpeg(6, 9)); write("colours/masks/a_mask.png", png(np.array(list(colours.values()), np.uint8)[m]))
expected["colours/a"] = m
write("numbered.txt", b"10 ground\n30 tree\n20 big car\n")
m = ids(5, 5, [0, 1, 2]); write("numbered/images/a.jpg", jpeg(5, 5)); write("numbered/masks/a.png", png(np.array([10, 30, 20], np.uint8)[m]))
expected["numbered/a"] = m

# Beside the pictures: in a folder, and as WebDataset's samples.
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
    for i in range(2):
        m = ids(10, 8 + i, [0, 1, 2]); picture, mask = jpeg(*m.shape), png(m)
        write(f"beside/{i}.jpg", picture); write(f"beside/{i}.seg.png", mask); expected[f"beside/{i}"] = m
        for name, data in ((f"{i}.jpg", picture), (f"{i}.seg.png", mask)):
            info = tarfile.TarInfo(name); info.size = len(data); tar.addfile(info, io.BytesIO(data))
write("beside.tar", out.getvalue())

# Masks that are none, each for the picture of its name.
m = ids(6, 5, [0, 1, 2])
bad = {"rgb": png(np.repeat(m[..., None], 3, 2)), "sixteen": raw_png(m.astype(np.uint16) * 300, 16), "large": png(ids(7, 5, [0])),
       "beyond": png(np.where(np.arange(30).reshape(6, 5) == 13, 27, m).astype(np.uint8)), "jpeg": jpeg(6, 5), "cut": png(m)[:-30], "text": b"no picture",
       "alpha": png(np.repeat(m[..., None], 2, 2)), "missing": None}
for name, data in bad.items():
    write(f"bad/images/{name}.jpg", jpeg(6, 5))
    if data: write(f"bad/masks/{name}.png", data)
save_file({k: np.ascontiguousarray(v) for k, v in expected.items()}, here / "masks.safetensors")
