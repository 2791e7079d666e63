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


def expect(command, classes, pictures, names=None):
    """pictures: (bytes, label) in order. names: what they are called, where that is tested."""
    expected[command] = {"names": names, "classes": classes, "crc32": [zlib.crc32(d) for d, _ in pictures], "labels": [l for _, l in pictures]}


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
    # As of a folder of the same files: all are in "set", and the folders in it are the classes.
    classes = sorted({n.split("/")[1] for n, _ in found})
    expect(f"{name}.tar", classes, [(d, classes.index(n.split("/")[1])) for n, d in found], [n for n, _ in found])
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

# Lists as spreadsheets and data frames write them, each read by Python's csv, gzip, codecs or json.
def written(path, rows, encoding="utf-8", **options):
    with open("sources/" + path, "w", newline="", encoding=encoding) as f:
        csv.writer(f, **options).writerows(rows)

def listed(command, path, encoding="utf-8", text=None, number=None, root="sources/lists", **options):
    """What DictReader finds; `number` makes a class number of a label; without it labels are names."""
    if text is None:
        with open("sources/" + path, newline="", encoding=encoding) as f:
            text = f.read()
    found = [{k.strip(): v.strip() for k, v in r.items()} for r in csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True, **options)]
    labels = [r["label"] for r in found]
    classes = sorted(set(labels)) if number is None else [str(i) for i in range(max(map(number, labels)) + 1)]
    expect(command, classes, [(read(f"{root}/{r['path']}"), classes.index(l) if number is None else number(l)) for r, l in zip(found, labels)],
           [r["path"] for r in found])

few = ["one.jpg", "four 4.png", "two, too.jpg"]
rows_of = lambda labels: [["path", "label"]] + [[n, l] for n, l in zip(few, labels)]
written("lists/semicolon.csv", rows_of("bab"), delimiter=";"); listed("lists/semicolon.csv", "lists/semicolon.csv", delimiter=";")
written("lists/tabs.csv", rows_of("bab"), delimiter="\t"); listed("lists/tabs.csv", "lists/tabs.csv", delimiter="\t")
written("lists/bar.txt", rows_of("bab"), delimiter="|"); listed("lists/bar.txt", "lists/bar.txt", delimiter="|")
written("lists/commas.tsv", rows_of("bab")); listed("lists/commas.tsv", "lists/commas.tsv")
written("lists/returns.csv", rows_of("bab"), lineterminator="\r"); listed("lists/returns.csv", "lists/returns.csv")
put("sources/lists/sep.csv", "sep=;\r\n" + read("sources/lists/semicolon.csv").decode())
listed("lists/sep.csv", "lists/semicolon.csv", delimiter=";")
put("sources/lists/blanks.csv", 'Path , Label\none.jpg, b\n four 4.png ,"a "\n"two, too.jpg" , b \n'.replace('"a "', "a "))
expect("lists/blanks.csv", ["a", "b"], [(read("sources/lists/" + n), l) for n, l in zip(few, (1, 0, 1))], few)
written("lists/excel.txt", rows_of("bäb"), encoding="utf-16", delimiter="\t")
listed("lists/excel.txt", "lists/excel.txt", encoding="utf-16", delimiter="\t")
put("sources/lists/compressed.csv.gz", gzip.compress(read("sources/lists/quoted.csv"), mtime=0))
expect("lists/compressed.csv.gz", *table("sources/lists/quoted.csv", "sources/lists", True), names)
for name, labels in (("floats", ("2.0", "0.0", "10.0")), ("numbers", ("2", "0", "10"))):
    written(f"lists/{name}.csv", rows_of(labels)); listed(f"lists/{name}.csv", f"lists/{name}.csv", number=lambda l: int(float(l)))
written("lists/codes.csv", rows_of(("007", "010", "002"))); listed("lists/codes.csv", "lists/codes.csv")
listed("--label-type number lists/codes.csv", "lists/codes.csv", number=int)
listed("--label-type text lists/numbers.csv", "lists/numbers.csv")
# Rows that will be left out decide nothing: a label of another kind, a higher number, an earlier name, none at all.
for name, lost, labels in (("lost-word", "n/a", ("2", "0", "10")), ("lost-number", "99", ("2", "0", "10")), ("lost-name", "a", ("d", "c", "d")), ("lost-none", "", ("d", "c", "d"))):
    written(f"lists/{name}.csv", rows_of(labels) + [["gone.jpg", lost], ["bad.csv", lost]])
    listed(f"lists/{name}.csv", "", text="path,label\n" + "".join(f'"{n}",{l}\n' for n, l in zip(few, labels)), number=int if labels[0] == "2" else None)
put("sources/lists/bad.csv", "no picture\n")
records = [{"file_name": n, "label": l, "caption": "x"} for n, l in zip(few, (3, "0", 1.0))]
put("sources/lists/lines.jsonl", "".join(json.dumps(r) + "\n" for r in records))
put("sources/lists/array.json", json.dumps([{"what": l, "where": n} for n, l in zip(few, ("b", None, "a")) if l], indent=2))
for command, path, order in (("lists/lines.jsonl", "lines.jsonl", (3, 0, 1)),):
    found = [json.loads(l) for l in read("sources/lists/" + path).decode().splitlines()]
    expect(command, ["0", "1", "2", "3"], [(read("sources/lists/" + r["file_name"]), int(r["label"])) for r in found], [r["file_name"] for r in found])
found = json.loads(read("sources/lists/array.json"))
expect("--path-column where --label-column what lists/array.json", ["a", "b"], [(read("sources/lists/" + r["where"]), "ab".index(r["what"])) for r in found], [r["where"] for r in found])

# Paths without columns: names with blanks and commas, as find writes them, and with a label behind.
def plain_list(name, lines, classes, pictures):
    put(f"sources/lists/{name}", "".join(l + "\n" for l in lines))
    expect(f"lists/{name}", classes, [(read("sources/lists/" + n), l) for n, l in pictures], [n for n, _ in pictures])

every = sorted(few) + ['three "3".jpg']
plain_list("find.txt", every, None, [(n, None) for n in every])
plain_list("comma-first.txt", every[::-1][1:], None, [(n, None) for n in every[::-1][1:]])
plain_list("behind.txt", [f"{n} {i * 5}" for i, n in enumerate(few)], [str(i) for i in range(11)], [(n, i * 5) for i, n in enumerate(few)])
expect("lists/one.jpg 'lists/four 4.png'", None, [(read("sources/lists/" + n), None) for n in few[:2]], ["lists/" + n for n in few[:2]])

# Masks beside pictures, and what cameras, clouds and systems leave: in a folder and in a tar file.
own = {f"{c}/{n}": jpeg() for c in ("cat", "dog") for n in ("1.jpg", "shot.v1.jpg", "shot.v2.jpg", "IMG_7.JPG")}
others = {f"{c}/{n}": d for c in ("cat", "dog") for n, d in {
    "1.seg.png": png(), "1_mask.png": png(), "shot.v1.depth.png": png(), "1.txt": b"caption", "IMG_7.MOV": b"\0\0\0\x14ftyp", "IMG_7.AAE": b"<?xml",
    "IMG_7.xmp": b"<x", "IMG_7.JPG.json": b"[]", "IMG_7.CR2": b"II*\0", "Thumbs.db": b"\xd0\xcf", ".DS_Store": b"\0", "desktop.ini": b"[x]",
    "@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg": jpeg(), "1.xml": b"<a/>"}.items()}
others.update({"__MACOSX/cat/._1.jpg": b"\0\5\x16\7", "Thumbs.db": b"\xd0\xcf"})
for name, data in {**own, **others}.items():
    put("sources/camera/" + name, data)
inside = sorted({**own, **others}.items())
tar("sources/camera.tar", [("camera/" + n, d) for n, d in inside])
chosen = sorted(own)
for command, prefix in (("camera", ""), ("camera.tar", "camera/")):
    expect(command, ["cat", "dog"], [(own[n], ["cat", "dog"].index(n.split("/")[0])) for n in chosen], [prefix + n for n in chosen])
    with_masks = sorted(list(own) + [n for n in others if n.endswith(".png")])
    expect("--with-masks " + command, ["cat", "dog"], [({**own, **others}[n], ["cat", "dog"].index(n.split("/")[0])) for n in with_masks], [prefix + n for n in with_masks])

# WebDataset: keys with dots, a label of several pictures, and the same picture of a sample with labels and without.
dotted = [(f"shot.v{i}.{s}", d) for i in range(3) for s, d in (("cls", str(i * 2).encode()), ("jpg", jpeg()), ("seg.png", png()))]
tar("sources/dotted.tar", dotted)
tar("sources/dotted-unlabelled.tar", [m for m in dotted if not m[0].endswith("cls")])
shots = [(n, d) for n, d in dotted if n.endswith("jpg")]
expect("dotted.tar", ["0", "1", "2", "3", "4"], [(d, i * 2) for i, (_, d) in enumerate(shots)], [n for n, _ in shots])
expect("dotted-unlabelled.tar", None, [(d, None) for _, d in shots], [n for n, _ in shots])
pair = [("7.cls", b"1"), ("7.left.jpg", jpeg()), ("7.right.jpg", jpeg()), ("8.json", json.dumps({"species": "ant"}).encode()), ("8.jpg", jpeg())]
tar("sources/pair.tar", pair[:3])
expect("pair.tar", ["0", "1"], [(d, 1) for n, d in pair[:3] if n.endswith("jpg")], ["7.left.jpg", "7.right.jpg"])
tar("sources/species.tar", pair[3:])
expect("--label-column species species.tar", ["ant"], [(pair[4][1], 0)], ["8.jpg"])

# Shards of one tree, of which one has a single class with folders in it.
deep = [f"set/{c}/{d}/{i}.jpg" for c, d in (("cat", "x"), ("dog", "y"), ("dog", "z")) for i in range(2)]
tar("sources/deep-0.tar", [(n, jpeg()) for n in deep[:3]])
tar("sources/deep-1.tar", [(n, jpeg()) for n in deep[3:]])
found = [(f"deep-{k}.tar/{n}", n, d) for k in (0, 1) for n, d in members(f"sources/deep-{k}.tar")]
expect("deep-0.tar deep-1.tar", ["cat", "dog"], [(d, ["cat", "dog"].index(n.split("/")[1])) for _, n, d in found], [f for f, _, _ in found])

# A set in parts, as folders, as a tar file and as a column.
for part in ("train", "val"):
    for c in ("cat", "dog"):
        put(f"sources/parted/{part}/{c}/1.jpg", jpeg())
tar("sources/parted.tar", [(f"parted/{n}", read(f"sources/parted/{n}")) for n in sorted(os.path.relpath(p, "sources/parted") for p in glob.glob("sources/parted/*/*/*"))])
written("parted.csv", [["path", "label", "split"]] + [[f"parted/{p}/{c}/1.jpg", c, p] for p in ("train", "val") for c in ("dog", "cat")])
val = [read(f"sources/parted/val/{c}/1.jpg") for c in ("cat", "dog")]
expect("--split val parted", ["cat", "dog"], [(val[0], 0), (val[1], 1)], ["val/cat/1.jpg", "val/dog/1.jpg"])
expect("--split val parted.tar", ["cat", "dog"], [(val[0], 0), (val[1], 1)], ["parted/val/cat/1.jpg", "parted/val/dog/1.jpg"])
expect("--split val parted.csv", ["cat", "dog"], [(val[1], 1), (val[0], 0)], ["parted/val/dog/1.jpg", "parted/val/cat/1.jpg"])
every = sorted(glob.glob("sources/parted/*/*/*"))
expect("--no-labels parted", None, [(read(p), None) for p in every], [os.path.relpath(p, "sources/parted") for p in every])

# A folder's classes are in the order of the bytes of their names, as torchvision's ImageFolder has them; or the numbers that they are.
for i in range(12):
    put(f"sources/numbered/{i}/x.jpg", jpeg(8))
for flag, classes in (("", sorted(str(i) for i in range(12))), ("--label-type number ", [str(i) for i in range(12)])):
    order = sorted(str(i) for i in range(12))
    expect(f"{flag}numbered", classes, [(read(f"sources/numbered/{n}/x.jpg"), classes.index(n)) for n in order], [n + "/x.jpg" for n in order])

# Red alone, as fluorescence is often stored: of the other channels each is one value.
for i in range(2):
    a = pixels(8)
    a[..., 1], a[..., 2] = 0, 7
    out = io.BytesIO()
    Image.fromarray(a).save(out, "PNG")
    put(f"sources/red/{i}.png", out.getvalue())

put("sources/expected.json", json.dumps(expected, indent=0, sort_keys=True) + "\n")
print(len(expected), "sources;", sum(os.path.getsize(p) for p in glob.glob("examples/**", recursive=True) if os.path.isfile(p)), "bytes of examples")
