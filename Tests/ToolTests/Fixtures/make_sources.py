"""Makes what pmae-pack reads, in each layout that its man page shows, in the folder `examples`; forms of tar and CSV in the folder `sources`; and
`sources/expected.json`: what Python's own readers (tarfile, csv, gzip, numpy) find in them, as CRC-32 and label of each picture.
Needs numpy and Pillow. usage: python3 make_sources.py"""
import csv, glob, gzip, io, json, os, shutil, tarfile, zlib
import numpy as np
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
os.chdir(here)
rng = np.random.default_rng(4)
expected = {}


def pixels(side=32):
    y, x = np.mgrid[0:side, 0:side] / side
    a, b, c = rng.uniform(0, 6, 3)
    return (np.stack([np.sin(a * x + b * y + c + k) for k in range(3)], -1) * 120 + 128).astype(np.uint8)


def jpeg(side=24, **options):
    out = io.BytesIO()
    Image.fromarray(pixels(side)).save(out, "JPEG", quality=60, **options)
    return out.getvalue()


def png():
    out = io.BytesIO()
    Image.fromarray(pixels(12) // 32 * 32).save(out, "PNG")
    return out.getvalue()


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(data, bytes) else "w") as f:
        f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def expect(command, classes, pictures):
    """pictures: (bytes, label) in order."""
    expected[command] = {"classes": classes, "crc32": [zlib.crc32(d) for d, _ in pictures], "labels": [l for _, l in pictures]}


def tar(path, members, mode="w", **options):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tarfile.open(path, mode, **options) as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1
            t.addfile(info, io.BytesIO(data))


def members(path, mode="r"):
    with tarfile.open(path, mode) as t:
        return [(m.name, t.extractfile(m).read()) for m in t if m.isfile()]


for folder in ("cifar-10-batches-bin", "cifar-100-binary", "oxford-iiit-pet", "flowers-102", "stanford_cars", "imagenet", "shards"):
    shutil.rmtree("examples/" + folder, ignore_errors=True)
shutil.rmtree("sources", ignore_errors=True)
E = "examples/"

# CIFAR-10 and CIFAR-100, planes of red, green and blue after the labels.
def cifar(path, labels, count):
    put(path, b"".join(bytes(rng.integers(0, l) for l in labels) + pixels().transpose(2, 0, 1).tobytes() for _ in range(count)))

ten = "airplane automobile bird cat deer dog frog horse ship truck".split()
hundred, twenty = [f"fine {i}" for i in range(100)], [f"coarse {i}" for i in range(20)]
c10, c100 = E + "cifar-10-batches-bin", E + "cifar-100-binary"
for name in ("data_batch_1", "data_batch_2", "test_batch"):
    cifar(f"{c10}/{name}.bin", [10], 3)
for name in ("train", "test"):
    cifar(f"{c100}/{name}.bin", [20, 100], 3)
put(c10 + "/batches.meta.txt", "\n".join(ten) + "\n\n")
put(c100 + "/fine_label_names.txt", "\n".join(hundred) + "\n")
put(c100 + "/coarse_label_names.txt", "\n".join(twenty) + "\n")

def rows(paths, size, label):
    a = np.concatenate([np.fromfile(p, np.uint8).reshape(-1, size) for p in paths])
    return [(r[-3072:].reshape(3, 32, 32).transpose(1, 2, 0).tobytes(), int(r[label])) for r in a]

expect("cifar-10-batches-bin", ten, rows([f"{c10}/data_batch_{i}.bin" for i in (1, 2)], 3073, 0))
expect("cifar-10-batches-bin/test_batch.bin", ten, rows([c10 + "/test_batch.bin"], 3073, 0))
expect("cifar-100-binary", hundred, rows([c100 + "/train.bin"], 3074, 1))
expect("--coarse-labels cifar-100-binary/test.bin", twenty, rows([c100 + "/test.bin"], 3074, 0))

# Oxford's Pets: images, and lists of name, class, species and breed.
pets = [("Abyssinian", 1, 1, 1), ("american_bulldog", 2, 2, 1), ("Bengal", 3, 1, 2)]
lines = []
for name, number, species, breed in pets:
    for i in (1, 10):
        put(f"{E}oxford-iiit-pet/images/{name}_{i}.jpg", jpeg())
        lines.append(f"{name}_{i} {number} {species} {breed}\n")
order = [lines[i] for i in (3, 0, 5, 2)]
put(E + "oxford-iiit-pet/annotations/list.txt", "#Image CLASS-ID SPECIES BREED ID\n#ID: 1:37 Class ids\n" + "".join(lines))
put(E + "oxford-iiit-pet/annotations/trainval.txt", "".join(order))
for name, chosen in (("list", lines), ("trainval", order)):
    expect(f"oxford-iiit-pet/annotations/{name}.txt", [p[0] for p in pets],
           [(read(f"{E}oxford-iiit-pet/images/{l.split()[0]}.jpg"), int(l.split()[1]) - 1) for l in chosen])

# Flowers-102 and Stanford's Cars: pictures, and the list that the man page makes of the MATLAB files.
for i in range(1, 5):
    put(f"{E}flowers-102/jpg/image_{i:05d}.jpg", jpeg())
    put(f"{E}stanford_cars/cars_train/{i:05d}.jpg", jpeg())
put(E + "flowers-102/train.csv", "path,label\n" + "".join(f"jpg/image_{i:05d}.jpg,{l}\n" for i, l in ((2, 3), (1, 0), (4, 3))))
with open(E + "stanford_cars/cars_train.csv", "w", newline="") as f:
    writer = csv.writer(f)
    writer.writerow(["path", "label"])
    for i, name in ((1, "AM General Hummer SUV 2000"), (2, "Ram C/V Cargo Van Minivan 2012"), (3, 'Suzuki "SX4", Hatchback 2012'), (4, "AM General Hummer SUV 2000")):
        writer.writerow([f"cars_train/{i:05d}.jpg", name])

def table(path, root, named, **options):
    with open(path, newline="") as f:
        found = list(csv.DictReader(f, **options))
    labels = [r["label"] for r in found]
    classes = sorted(set(labels)) if named else [str(i) for i in range(max(map(int, labels)) + 1)]
    return classes, [(read(f"{root}/{r['path']}"), classes.index(r["label"])) for r in found]

expect("flowers-102/train.csv", *table(E + "flowers-102/train.csv", E + "flowers-102", False))
expect("stanford_cars/cars_train.csv", *table(E + "stanford_cars/cars_train.csv", E + "stanford_cars", True))

# ImageNet: a folder for each class, and a flat one with a list.
for wnid in ("n01440764", "n01443537"):
    for i in (10026, 293):
        put(f"{E}imagenet/train/{wnid}/{wnid}_{i}.JPEG", jpeg())
val = []
for i, label in ((1, 1), (2, 0), (3, 1)):
    name = f"ILSVRC2012_val_{i:08d}"
    put(f"{E}imagenet/val/{name}.JPEG", jpeg())
    val.append((name, ("n01440764", "n01443537")[label]))
put(E + "imagenet/val.txt", "".join(f"{n}.JPEG {w}\n" for n, w in val))
put(E + "imagenet/LOC_val_solution.csv", "ImageId,PredictionString\n" + "".join(f"{n},{w} 85 1 499 272 \n" for n, w in val))
wnids = ["n01440764", "n01443537"]
expect("imagenet/train", wnids, [(read(p), wnids.index(p.split("/")[-2])) for p in sorted(glob.glob(E + "imagenet/train/*/*"))])
expect("--root imagenet/val imagenet/val.txt", wnids, [(read(f"{E}imagenet/val/{n}.JPEG"), wnids.index(w)) for n, w in val])

# WebDataset: a number in key.cls; a name in key.json; and members that are something else.
shard = []
for i in range(3):
    key = f"./{i:06d}"
    shard += [(key + ".cls", f"{(i * 2) % 3}\n".encode()), (key + ".jpg", jpeg()), (key + ".txt", b"a caption"), (key + ".seg.png", png())]
tar(E + "shards/train-000000.tar", shard, format=tarfile.USTAR_FORMAT)
tar(E + "shards/train-000001.tar", [(f"{i:06d}.{s}", d) for i in (3, 4) for s, d in (("jpeg", jpeg()), ("json", json.dumps({"label": i % 3}).encode()))])

def webdataset(*paths):
    samples = {}
    for path in paths:
        for name, data in members(path, "r:*"):
            key, suffix = name.lstrip("./").split(".", 1)
            samples.setdefault((path, key), {})[suffix] = data
    pictures, labels = [], []
    for s in samples.values():
        picture = next((s[k] for k in ("jpg", "jpeg", "png") if k in s), None)
        if picture is None: continue
        pictures.append(picture)
        labels.append(s["cls"].decode().strip() if "cls" in s else str(json.loads(s["json"])["label"]))
    classes = [str(i) for i in range(max(map(int, labels)) + 1)] if all(l.isdigit() for l in labels) else sorted(set(labels))
    return classes, [(p, classes.index(l)) for p, l in zip(pictures, labels)]

expect("shards/train-000000.tar", *webdataset(E + "shards/train-000000.tar"))
expect("shards/train-000000.tar shards/train-000001.tar", *webdataset(E + "shards/train-000000.tar", E + "shards/train-000001.tar"))

# Forms of tar. Names too long for the old header, in GNU's way and in pax's; gzip; PNG; a name in key.cls.
long = "a" * 60 + "/" + "ü" * 40 + "/" + "b" * 80
plain = [(f"set/{c}/{long if i else 'x'}.{i}.{s}", d) for c in ("Dog", "cat") for i, (s, d) in enumerate((("jpg", jpeg()), ("PNG", png())))]
for name, form in (("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
    tar(f"sources/{name}.tar", plain, format=form)
    found = members(f"sources/{name}.tar")
    assert [n for n, _ in found] == [n for n, _ in plain]
    classes = sorted({n.split("/")[-2] for n, _ in found})
    expect(f"{name}.tar", classes, [(d, classes.index(n.split("/")[-2])) for n, d in found])
named = [(f"{i}.{s}", d) for i, c in enumerate(("zebra", "ant", "zebra")) for s, d in (("png", png()), ("cls", c.encode()))]
tar("sources/named.tar", named, format=tarfile.PAX_FORMAT)
with open("sources/named.tgz", "wb") as f:
    f.write(gzip.compress(read("sources/named.tar"), mtime=0))
for name in ("named.tar", "named.tgz"):
    expect(name, *webdataset("sources/" + name))

# Forms of lists, of the pictures in `lists`.
for i, name in enumerate(("one.jpg", "two, too.jpg", 'three "3".jpg', "four 4.png")):
    put(f"sources/lists/{name}", png() if name.endswith("png") else jpeg())
names = sorted(os.path.basename(p) for p in glob.glob("sources/lists/*"))
kinds = ["b", "a", "b", "c"]
with open("sources/lists/quoted.csv", "w", newline="") as f:
    csv.writer(f).writerows([["notes", "label", "path"]] + [[f"two\nlines, {i}", k, n] for i, (k, n) in enumerate(zip(kinds, names))])
expect("lists/quoted.csv", *table("sources/lists/quoted.csv", "sources/lists", True))
with open("sources/lists/plain.csv", "w", newline="") as f:
    csv.writer(f, lineterminator="\n").writerows(zip(names, (3, 0, 3, 1)))
expect("lists/plain.csv", ["0", "1", "2", "3"], [(read("sources/lists/" + n), l) for n, l in zip(names, (3, 0, 3, 1))])
put("sources/lists/one.tsv", "one.jpg\ntwo, too.jpg\n")
expect("lists/one.tsv", None, [(read("sources/lists/" + n), None) for n in ("one.jpg", "two, too.jpg")])
put("sources/lists/columns.tsv", "id\twhat\twhere\n7\tx\tone.jpg\n8\ty\ttwo, too.jpg\n")
expect("--path-column where --label-column what lists/columns.tsv", ["x", "y"], [(read("sources/lists/" + n), i) for i, n in enumerate(("one.jpg", "two, too.jpg"))])
expect("--path-column where --no-labels lists/columns.tsv", None, [(read("sources/lists/" + n), None) for n in ("one.jpg", "two, too.jpg")])

# Mixed: classes by name.
photos = sorted(glob.glob(E + "photos/*/*.jpg"))
mixed = sorted({p.split("/")[-2] for p in photos} | {"ant", "zebra"})
expect("photos named.tgz", mixed, [(read(p), mixed.index(p.split("/")[-2])) for p in photos]
       + [(d, mixed.index(c)) for (n, d), c in zip([m for m in named if m[0].endswith("png")], ("zebra", "ant", "zebra"))])

put("sources/expected.json", json.dumps(expected, indent=0, sort_keys=True) + "\n")
print(len(expected), "sources;", sum(os.path.getsize(p) for p in glob.glob("examples/**", recursive=True) if os.path.isfile(p)), "bytes of examples")
