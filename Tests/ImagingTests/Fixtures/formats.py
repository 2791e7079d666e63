"""Makes formats/ and formats.json: WebP and TIFF files of every kind, and JPEG and PNG files with oddities that cost no pixel, with the checksums of what
Pillow decodes and turns them to.
usage: formats.py    (needs Pillow, numpy, tifffile; tiffcp of libtiff-tools and jpegtran of libjpeg-turbo-progs)"""
import io, json, struct, subprocess, tempfile, zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageOps

here = Path(__file__).parent
files = here / "formats"
files.mkdir(exist_ok=True)
for old in files.iterdir():
    old.unlink()
rng = np.random.default_rng(14)
sums = []
H, W = 21, 34


def picture(height=H, width=W, channels=3, levels=256):
    y, x = np.mgrid[0:height, 0:width] / max(height, width, 2)
    planes = [np.sin(6 * x + 3 * c + 4 * y) * 0.5 + 0.5 + 0.6 * ((x * 3 + y * 2 + c * 0.3) % 1 > 0.6) - 0.2 for c in range(channels)]
    noisy = np.stack(planes, -1) * levels + rng.normal(0, 0.04 * levels, (height, width, channels))
    return np.clip(noisy, 0, levels - 1).astype(np.uint16)


def eight(*args, **kwargs):
    return picture(*args, **kwargs).astype(np.uint8)


def keep(name, data, pixels=None, grey=None, pictures=1):
    """A file and its upright RGB pixels: Pillow's, but where it cannot read or cuts off; those are given."""
    (files / name).write_bytes(data)
    orientation = 1
    if pixels is None:
        image = Image.open(io.BytesIO(data))
        orientation = image.getexif().get(0x0112, 1)
        grey = image.mode in ("1", "L", "LA") if grey is None else grey
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    sums.append({"file": name, "height": pixels.shape[0], "width": pixels.shape[1], "crc32": zlib.crc32(np.ascontiguousarray(pixels).tobytes()),
                 "channels": 1 if grey else 3, "orientation": orientation, "pictures": pictures})


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif_block(value, order="<"):
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IHHHIHHI", 8, 1, 0x112, 3, 1, value, 0, 0)


def xmp_packet(value, element=False):
    inner = f"<tiff:Orientation>{value}</tiff:Orientation></rdf:Description>" if element else "</rdf:Description>"
    attribute = "" if element else f' tiff:Orientation="{value}"'
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
            f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{inner}</rdf:RDF></x:xmpmeta>').encode()


photo, grey = Image.fromarray(eight()), Image.fromarray(eight(channels=1)[..., 0])

# JPEG: what decoders warn of, or do not see, and every pixel is there.
base = saved(photo, "JPEG", quality=80)
progressive = saved(photo, "JPEG", quality=80, progressive=True)
tables = base.index(b"\xff\xdb")


def scans(data, script):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write(script), f.flush()
        return subprocess.run(["jpegtran", "-scans", f.name], input=data, stdout=subprocess.PIPE, check=True).stdout


def segment(block):
    return b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block


apart = scans(base, "0;\n1;\n2;\n")
namespace = b"http://ns.adobe.com/xap/1.0/\0"
keep("stray-before-end.jpg", base[:-2] + b"\x11" * 200 + base[-2:])
keep("stray-between.jpg", base[:tables] + bytes(3) + base[tables:])
keep("stray-before-exif.jpg", base[:20] + b"\x33\x00\x07" + segment(b"Exif\0\0" + exif_block(6)) + base[20:])
keep("trailer.jpg", base[:-2] + b"\0\0SEFH" + bytes(range(255)) * 2)
# Pillow reads on and fails at the trailer's markers, after the last pixel.
keep("trailer-of-markers.jpg", base[:-2] + b"\0\xff\xc4\x00\x05bad\xff\xd8", np.asarray(Image.open(io.BytesIO(base))))
# Pillow waits for an end marker that never comes.
for name, data in (("no-end", base), ("no-end-progressive", progressive), ("no-end-scans", apart)):
    keep(f"{name}.jpg", data[:-2], np.asarray(Image.open(io.BytesIO(data))))
keep("after-end.jpg", base + b"\xff\xd8\xff\xe1more" * 9)
keep("scans.jpg", apart)
keep("xmp.jpg", base[:20] + segment(namespace + xmp_packet(8)) + base[20:])
keep("xmp-element.jpg", base[:20] + segment(namespace + xmp_packet(3, element=True)) + base[20:])
keep("exif-and-xmp.jpg", base[:20] + segment(namespace + xmp_packet(8)) + segment(b"Exif\0\0" + exif_block(6)) + base[20:])
keep("exif-nine-and-xmp.jpg", base[:20] + segment(namespace + xmp_packet(8)) + segment(b"Exif\0\0" + exif_block(9)) + base[20:])


# PNG: orientations in text, and ends that are missing.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_profile(block, name="exif"):
    digits = block.hex().encode()
    return f"\n{name}\n{len(block):8d}\n".encode() + b"\n".join(digits[i:i + 72] for i in range(0, len(digits), 72)) + b"\n"


png = saved(photo, "PNG")
profile = raw_profile(b"Exif\0\0" + exif_block(6))
front, end = png[:33], png[33:]
keep("profile.png", front + chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)) + end)
keep("profile-plain.png", front + chunk(b"tEXt", b"Raw profile type exif\0" + raw_profile(b"Exif\0\0" + exif_block(5, ">"))) + end)
keep("profile-international.png", front + chunk(b"iTXt", b"Raw profile type exif\0\1\0\0\0" + zlib.compress(profile)) + end)
keep("profile-after.png", png[:-12] + chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)) + png[-12:])
keep("profile-and-chunk.png", front + chunk(b"eXIf", exif_block(3)) + chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)) + end)
# Pillow does not look into APP1; ImageMagick and ExifTool, who write it, do.
keep("profile-app1.png", front + chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(raw_profile(b"Exif\0\0" + exif_block(6), "APP1"))) + end,
     np.rot90(np.asarray(photo), -1))
sums[-1]["orientation"] = 6
keep("xmp.png", front + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_packet(8)) + end)
keep("xmp-packed.png", front + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp_packet(7, True))) + end)
keep("no-end.png", png[:-12])
keep("half-end.png", png[:-5])
keep("after-end.png", png + b"more" * 20)

# WebP.
alpha = Image.fromarray(eight(channels=4), "RGBA")
keep("lossy.webp", saved(photo, "WEBP", quality=70))
keep("lossless.webp", saved(photo, "WEBP", lossless=True))
keep("lossy-alpha.webp", saved(alpha, "WEBP", quality=70))
keep("lossless-alpha.webp", saved(alpha, "WEBP", lossless=True, exact=True))
keep("one.webp", saved(photo.crop((0, 0, 1, 1)), "WEBP", lossless=True))
keep("odd.webp", saved(photo.crop((0, 0, 17, 15)), "WEBP", quality=90))
keep("grey.webp", saved(grey, "WEBP", quality=80), grey=False)
for value in (3, 6):
    keep(f"exif-{value}.webp", saved(photo, "WEBP", quality=70, exif=b"Exif\0\0" + exif_block(value)))
keep("exif-bare.webp", saved(photo, "WEBP", quality=70, exif=exif_block(8, ">")))
keep("xmp.webp", saved(photo, "WEBP", quality=70, xmp=xmp_packet(5)))
frames = [Image.fromarray(eight()) for _ in range(3)]
keep("animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=70), pictures=3)


def riff(*chunks):
    body = b"WEBP" + b"".join(k + struct.pack("<I", len(d)) + d + bytes(len(d) % 2) for k, d in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def u24(value):
    return struct.pack("<I", value)[:3]


still = saved(photo.crop((0, 0, 16, 10)), "WEBP", quality=70)
frame = u24(8 // 2) + u24(6 // 2) + u24(15) + u24(9) + u24(100) + b"\0" + still[12:]
keep("animated-part.webp", riff((b"VP8X", b"\x02\0\0\0" + u24(W - 1) + u24(H - 1)), (b"ANIM", bytes(6)), (b"ANMF", frame)))


# TIFF, by Pillow, tifffile and tiffcp.
def made(pixels, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, metadata=None, software=None, **options)
    return out.getvalue()


def tiffcp(data, *options):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.tif").write_bytes(data)
        subprocess.run(["tiffcp", *options, f"{folder}/a.tif", f"{folder}/b.tif"], check=True)
        return Path(folder, "b.tif").read_bytes()


rgb = saved(photo, "TIFF")
keep("rgb.tif", rgb)
for name, compression in (("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits"), ("zstd", "zstd"), ("lzma", "lzma")):
    keep(f"{name}.tif", saved(photo, "TIFF", compression=compression))
keep("jpeg.tif", saved(photo, "TIFF", compression="jpeg"))
keep("jpeg-ycbcr.tif", tiffcp(rgb, "-c", "jpeg:80"))
keep("jpeg-grey.tif", saved(grey, "TIFF", compression="jpeg"))
keep("strips.tif", tiffcp(rgb, "-r", "5", "-c", "lzw:2"))
keep("tiles.tif", tiffcp(rgb, "-t", "-w", "16", "-l", "16", "-c", "zip"))
keep("separate.tif", tiffcp(rgb, "-p", "separate", "-c", "lzw"))
keep("separate-tiles.tif", tiffcp(rgb, "-p", "separate", "-t", "-w", "16", "-l", "32"))
keep("big-endian.tif", tiffcp(rgb, "-B"))
keep("bigtiff.tif", tiffcp(rgb, "-8"))
keep("grey.tif", saved(grey, "TIFF"))
keep("bits-1.tif", saved(grey.convert("1"), "TIFF"))
keep("group4.tif", saved(grey.convert("1"), "TIFF", compression="group4"))
keep("group3.tif", saved(grey.convert("1"), "TIFF", compression="group3"))
keep("reversed.tif", tiffcp(saved(grey.convert("1"), "TIFF"), "-f", "lsb2msb"))
keep("white-is-zero.tif", made(eight(channels=1)[..., 0], photometric="miniswhite"))
keep("palette.tif", saved(photo.quantize(200), "TIFF"))
keep("grey-alpha.tif", saved(Image.fromarray(eight(channels=2), "LA"), "TIFF"))
keep("rgba.tif", saved(alpha, "TIFF"))
keep("multiplied.tif", made(np.asarray(alpha.convert("RGBa")), photometric="rgb", extrasamples=["assocalpha"]))
keep("unknown-extra.tif", made(eight(channels=4), photometric="rgb", extrasamples=["unspecified"]))
keep("cmyk.tif", saved(Image.fromarray(eight(channels=4), "CMYK"), "TIFF"))
keep("rgb-16.tif", made(picture(levels=65536), photometric="rgb"))
keep("rgb-16-big.tif", made(picture(levels=65536), photometric="rgb", byteorder=">", compression="zlib", predictor=True))
keep("rgba-16.tif", made(picture(channels=4, levels=65536), photometric="rgb", extrasamples=["unassalpha"]))
keep("ycbcr.tif", made(np.asarray(photo.convert("YCbCr")), photometric="ycbcr", compression="zlib", subsampling=(1, 1)))
for value in range(1, 9):
    keep(f"turned-{value}.tif", saved(photo, "TIFF", compression="tiff_lzw", tiffinfo={274: value}))
    sums[-1]["orientation"] = value
keep("pages.tif", saved(frames[0], "TIFF", compression="tiff_lzw", save_all=True, append_images=frames[1:]), pictures=3)


def repeated(values):
    return np.repeat(values.astype(np.uint8)[..., None], 3, -1)


# Pillow cuts 16-bit grey off at 255, does not turn its white, and does not read 12 bits and 6 bits as such: the upper 8 bits of each.
values = picture(channels=1, levels=65536)[..., 0]
keep("grey-16.tif", made(values), repeated(values >> 8), True)
keep("grey-16-big.tif", made(values, byteorder=">", compression="zlib"), repeated(values >> 8), True)
keep("white-is-zero-16.tif", made(values, photometric="miniswhite"), repeated(255 - (values >> 8)), True)


def bare(values, bits, photometric=1):
    """A grey TIFF file of a strip of samples of so many bits, by hand."""
    rows = [np.packbits(((row[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).reshape(-1)).tobytes() for row in values]
    data = b"".join(rows)
    tags = [(256, 4, values.shape[1]), (257, 4, values.shape[0]), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 8),
            (277, 3, 1), (278, 4, values.shape[0]), (279, 4, len(data))]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(data) + len(data) % 2) + data + bytes(len(data) % 2) + directory


for bits in (2, 4, 6, 10, 12, 14):
    values = picture(channels=1, levels=1 << bits)[..., 0]
    spread = values >> (bits - 8) if bits > 8 else values.astype(int) * 255 // ((1 << bits) - 1)
    data = bare(values, bits)
    if bits in (2, 4):
        assert (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) == repeated(spread)).all()
    keep(f"grey-{bits}.tif", data, repeated(spread), True)
assert (np.asarray(Image.open(io.BytesIO(bare(values & 3, 2, 0))).convert("L")) == 255 - (values & 3) * 85).all()

(here / "formats.json").write_text("[\n" + ",\n".join(json.dumps(s) for s in sums) + "\n]\n")
print(len(sums), "files,", sum(f.stat().st_size for f in files.iterdir()), "bytes")
