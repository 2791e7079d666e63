"""Makes archives/: the same pictures as a tar file and as archives of other kinds, by other programs, and archives that are no such or damaged.
usage: archives.py    (needs Pillow, numpy, py7zr; zip, tar, bzip2, xz, zstd, lz4)"""
import io, os, shutil, subprocess, tempfile, zipfile
from pathlib import Path

import numpy as np
import py7zr
from PIL import Image

out = Path(__file__).parent / "archives"
shutil.rmtree(out, ignore_errors=True)
out.mkdir()
rng = np.random.default_rng(7)


def picture(kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (6, 5, 3)).astype(np.uint8)).save(buffer, kind)
    return buffer.getvalue()


# In the order of their names, as every archiver below is told to keep it: labels by folder, names beyond ASCII, and a long one.
members = {"cat/0.png": picture(), "cat/deep/1.png": picture(), "dog/2.png": picture(), "w" * 110 + "/3.png": picture(), "\u043a\u043e\u0442/4.png": picture(),
           "\u72ac/5.png": picture()}
with tempfile.TemporaryDirectory() as folder:
    for name, data in members.items():
        path = Path(folder, "set", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    names = list(members)

    def run(*command, **options):
        subprocess.run(command, cwd=Path(folder, "set"), check=True, stdout=subprocess.DEVNULL, **options)

    plain = str(out / "set.tar")
    run("tar", "--format=gnu", "--owner=0", "--group=0", "--mtime=2026-01-01", "-cf", plain, *names)
    for program, suffix in (("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("zstd", "zst"), ("lz4", "lz4")):
        with open(f"{plain}.{suffix}", "wb") as file:
            subprocess.run([program, "-9", "-c", plain], stdout=file, check=True)
    run("zip", "-q", "-X", str(out / "set.zip"), *names, env={**os.environ, "LC_ALL": "C.UTF-8"})
    run("zip", "-q", "-0", "-X", str(out / "stored.zip"), *names, env={**os.environ, "LC_ALL": "C.UTF-8"})
    run("zip", "-q", "-P", "secret", str(out / "encrypted.zip"), "cat/0.png")
    with py7zr.SevenZipFile(out / "set.7z", "w") as archive:
        for name in names:
            archive.write(Path(folder, "set", name), name)
with zipfile.ZipFile(out / "python.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.mkdir("cat")
    for name, data in members.items():
        archive.writestr(name, data)
with zipfile.ZipFile(out / "large.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for name, data in members.items():
        with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
            member.write(data)
with zipfile.ZipFile(out / "samples.zip", "w") as archive:
    for i in range(3):
        archive.writestr(f"{i}.cls", str(2 - i))
        archive.writestr(f"{i}.png", picture())
with zipfile.ZipFile(out / "windows.zip", "w") as archive:
    for name in ("cat\\0.png", "dog\\1.png"):
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, picture())
whole = (out / "stored.zip").read_bytes()
(out / "cut.zip").write_bytes(whole[:len(whole) * 2 // 3])
at = whole.index(members["dog/2.png"]) + 60
(out / "damaged.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
for suffix in ("zst", "xz", "bz2"):
    data = (out / f"set.tar.{suffix}").read_bytes()
    (out / f"cut.tar.{suffix}").write_bytes(data[:len(data) * 2 // 3])
with zipfile.ZipFile(out / "arrays.npz", "w") as archive:
    archive.writestr("x.npy", b"\x93NUMPY")
with zipfile.ZipFile(out / "weights.pth", "w") as archive:
    archive.writestr("archive/data.pkl", b"\x80\x02}.")
with zipfile.ZipFile(out / "empty.zip", "w"):
    pass
(out / "text.txt.zst").write_bytes(subprocess.run(["zstd", "-c"], input=b"hello\n", stdout=subprocess.PIPE, check=True).stdout)
print(sum(f.stat().st_size for f in out.iterdir()), "bytes in", len(list(out.iterdir())), "files")
