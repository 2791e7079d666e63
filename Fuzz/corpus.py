"""Makes Fuzz/Corpus: small inputs of each kind that the fuzzer reads. Files named finding-* are inputs that once failed, and stay.
usage: corpus.py    (needs Pillow, numpy, safetensors, zstandard; the fixtures of Tests/ImagingTests are taken from there)"""
import gzip, io, json, shutil, struct, tarfile, zipfile
from pathlib import Path

import numpy as np
import zstandard
from PIL import Image
from safetensors.numpy import save

here = Path(__file__).parent
fixtures = here.parent / "Tests/ImagingTests/Fixtures"
out = here / "Corpus"
TARGETS = "jpeg png webp tiff kind tar zip csv idx safetensors stream json mask classes".split()
for target in TARGETS:
    (out / target).mkdir(parents=True, exist_ok=True)
    for old in (out / target).glob("*"):
        if not old.name.startswith("finding-"):
            old.unlink()


def keep(target, name, data):
    (out / target / name).write_bytes(data)


small = Image.fromarray(np.random.default_rng(1).integers(0, 256, (3, 4, 3)).astype(np.uint8))


def saved(kind, **options):
    buffer = io.BytesIO()
    small.save(buffer, kind, **options)
    return buffer.getvalue()


for target, names in {
    "jpeg": ["kinds/jpeg-420.jpg", "kinds/jpeg-420-progressive.jpg", "kinds/jpeg-444-arithmetic.jpg", "kinds/jpeg-ycck.jpg", "kinds/jpeg-restarts.jpg",
             "formats/scans.jpg", "formats/xmp.jpg", "kinds/exif-6.jpg"],
    "png": ["kinds/png-palette-4-interlaced.png", "kinds/png-4-16.png", "kinds/png-1-2.png", "formats/profile.png", "formats/xmp-packed.png", "kinds/exif-5.png"],
    "webp": ["formats/lossy.webp", "formats/lossless-alpha.webp", "formats/animated-part.webp", "formats/exif-6.webp"],
    "tiff": ["formats/lzw.tif", "formats/jpeg-ycbcr.tif", "formats/group4.tif", "formats/separate-tiles.tif", "formats/palette.tif", "formats/grey-12.tif",
             "formats/multiplied.tif", "formats/ycbcr.tif", "formats/bigtiff.tif"],
}.items():
    for name in names:
        keep(target, Path(name).name, (fixtures / name).read_bytes())

for name, data in {"gif": b"GIF89a" + bytes(9), "heic": b"\0\0\0\x18ftypheic" + bytes(12), "html": b"<!DOCTYPE html><svg>", "lfs": b"version https://git-lfs.github.com/spec/v1\n",
                   "bmp": b"BM" + bytes(12) + b"\x28\0\0\0", "riff": b"RIFF\0\0\0\0AVI LIST"}.items():
    keep("kind", name, data)

folders = {"cat/0.jpg": saved("JPEG"), "dog/1.png": saved("PNG"), "dog/" + "n" * 150 + ".png": saved("PNG")}
samples = {"a.cls": b"3\n", "a.png": saved("PNG"), "b.json": b'{"label": 2}', "b.png": saved("PNG"), "b.seg.png": saved("PNG")}


def tar(form, members=folders):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()[:8192]


keep("tar", "pax.tar", tar(tarfile.PAX_FORMAT))
keep("tar", "gnu.tar", tar(tarfile.GNU_FORMAT))
keep("tar", "samples.tar", tar(tarfile.USTAR_FORMAT, samples))
keep("tar", "gnu.tar.gz", gzip.compress(tar(tarfile.GNU_FORMAT), mtime=0))
keep("tar", "gnu.tar.zst", zstandard.compress(tar(tarfile.GNU_FORMAT)))
for name, method, members in (("stored", zipfile.ZIP_STORED, folders), ("deflated", zipfile.ZIP_DEFLATED, samples)):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data, method)
    keep("zip", name + ".zip", buffer.getvalue())

for name, text in {"comma": "path,label\na.jpg,cat\n\"b,1.jpg\",dog\n", "tab": "path\tlabel\na.jpg\t1\nb.jpg\t2\n", "semicolon": "path;label\r\na.jpg;1\r\n",
                   "plain": "a.jpg 1\nb.jpg 0\n", "header": "id,file name,x\n1,a.jpg,3\n", "lines": "{\"path\": \"a.jpg\", \"label\": 1}\n", "pets": "Abyssinian_1 1 1 1\nbeagle_2 2 2 1\n"}.items():
    keep("csv", name, text.encode())
for name, shape in (("grey", (2, 3, 4)), ("colour", (1, 2, 2, 3))):
    keep("idx", name, bytes([0, 0, 8, len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + bytes(int(np.prod(shape))))
keep("idx", "grey.gz", gzip.compress((out / "idx/grey").read_bytes(), mtime=0))

document = save({"a": np.arange(3, dtype=np.float32), "b": np.zeros((2, 2), np.int64)}, {"kind": "weights"})
keep("safetensors", "two", document)
keep("json", "header", document[8:8 + struct.unpack("<Q", document[:8])[0]])
for name, text in {"classes": '["cat", "d\\u00f6g", "\\ud83d\\ude00"]', "numbers": "[1, -2.5e3, 0.1]", "object": '{"a": "b", "c": ""}'}.items():
    keep("json", name, text.encode())

for name in ("eight", "one", "four", "interlaced2"):
    keep("mask", name + ".png", (here.parent / f"Tests/ToolTests/Fixtures/masks/pair/masks/{name}.png").read_bytes())
keep("mask", "beyond.png", (here.parent / "Tests/ToolTests/Fixtures/masks/bad/masks/beyond.png").read_bytes())
for name, text in {"names": "road\nsky\n", "numbers": "7 road\n3 big sky\n", "colours": "road #804080\nsky #0000ff\n", "ade": "Idx\tRatio\tName\n1\t0.1\twall\n"}.items():
    keep("classes", name, text.encode())


def frame(metadata, tensors=()):
    """A record: a safetensors document in one zstd frame."""
    header = {"__metadata__": metadata}
    data = b""
    for name, array in dict(tensors).items():
        kind = {"uint8": "U8", "int32": "I32", "int64": "I64", "float32": "F32"}[array.dtype.name]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return zstandard.ZstdCompressor(write_checksum=True, write_content_size=True).compress(struct.pack("<Q", len(text)) + text + data)


first = frame({"stream": "1", "kind": "images", "height": "2", "width": "2", "channels": "1"})
data = frame({}, {"pixels": np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1), "label": np.array([0, 1], np.int32)})
keep("stream", "images", first + data + frame({"end": "2", "rows": "[2]"}))
keep("stream", "cut", first + data)
keep("stream", "one", frame({"stream": "1", "kind": "weights", "end": "0", "rows": "[]"}, {"w": np.ones(3, np.float32)}))
print(sum(f.stat().st_size for f in out.rglob("*") if f.is_file()), "bytes in", sum(1 for f in out.rglob("*") if f.is_file()), "files")
