"""Makes the views of a stream again, by Pillow, torchvision and timm, from what the stream says was drawn, and prints how far its own are from
them: per operation the values compared, the share that differs, and by how many levels at most. A view with several operations counts as "several".
usage: replay.py IMAGES.stz VIEWS.stz [most]    (needs torchvision, timm, zstandard, safetensors; README says what was run)"""
import io, json, math, re, struct, sys

import numpy as np
import torch

try:
    import torchvision
except RuntimeError:  # Of a build without its compiled operations: what they are called is all that the import needs.
    for name in [m for m in sys.modules if m.startswith("torchvision")]: del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for signature in ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor", "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"):
        library.define(signature)
from PIL import Image, ImageFilter, ImageOps
from timm.data.auto_augment import NAME_TO_OP, _RAND_INCREASING_TRANSFORMS
from torchvision.transforms import functional as F

FILTERS = {2: Image.Resampling.BILINEAR, 3: Image.Resampling.BICUBIC}


def philox(counter, key):
    """Ten rounds of Philox 4x32; counter [4, n], key two numbers."""
    c = [np.asarray(x, np.uint64) for x in counter]
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ k0, p1 & low, (p0 >> np.uint64(32)) ^ c[3] ^ k1, p0 & low]
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return c


def noise(seed, box, count):
    """The normal numbers of an erased rectangle, as pmae-augment(1) says."""
    blocks = (count + 1) // 2
    a, b, c, d = philox([np.arange(blocks), np.full(blocks, box), np.zeros(blocks), np.full(blocks, 0x65726173)], (seed, 0))
    u, v = (((high << np.uint64(32) | low) >> np.uint64(11)).astype(np.float64) * 2.0**-53 for high, low in ((a, b), (c, d)))
    radius, angle = np.sqrt(-2 * np.log(1 - u)), 2 * math.pi * v
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).reshape(-1)[:count]


def rand(image, operation, argument, number, fill):
    """One of RandAugment's operations, by timm's function for it."""
    name = _RAND_INCREASING_TRANSFORMS[operation - 1]
    if name in ("PosterizeIncreasing", "SolarizeIncreasing", "SolarizeAdd"): argument = int(argument)
    if name == "PosterizeIncreasing" and argument < 1: return Image.new("RGB", image.size)  # Pillow 13 refuses it; before, it was this.
    arguments = () if name in ("AutoContrast", "Equalize", "Invert") else (argument,)
    return NAME_TO_OP[name](image, *arguments, fillcolor=fill, resample=FILTERS.get(number, Image.Resampling.BICUBIC))


def erase(image, seed, boxes, mean, std):
    pixels = np.array(image)
    for number, (top, left, height, width) in enumerate(boxes):
        n = noise(seed, number, height * width * 3).reshape(height, width, 3)
        pixels[top:top + height, left:left + width] = np.clip(np.rint((np.asarray(mean) + np.asarray(std) * n) * 255), 0, 255)
    return Image.fromarray(pixels)


def replay(image, size, line, p, mean, std):
    """The view of an RGB picture by a recipe's line and a row of its parameters, and the names of the operations in it."""
    variant = line.split(":", 1)[1].split("|")[int(p.get("variant", 0))]
    steps = [part.split() for part in variant.split(",")]
    own = FILTERS[int(p["filter"])] if "filter" in p else FILTERS[2 if "bilinear" in steps[0] else 3]
    top, left, height, width = (int(p[k]) for k in ("top", "left", "height", "width"))
    view = F.resized_crop(image, top, left, height, width, (size, size), F.InterpolationMode.BILINEAR if own == FILTERS[2] else F.InterpolationMode.BICUBIC)
    fill = tuple(min(255, round(255 * m)) for m in mean)
    done = []
    for step in (s[0] for s in steps[1:]):
        if step == "flip" and p["flip"]: view = F.hflip(view)
        elif step == "vflip" and p["vflip"]: view = F.vflip(view)
        elif step == "jitter" and p["jitter_order"]:
            for digit in str(int(p["jitter_order"])):
                name = ("brightness", "contrast", "saturation", "hue")[int(digit) - 1]
                view = getattr(F, "adjust_" + name)(view, p[name])
                done.append(name)
        elif step == "grey" and p["grey"]: view = F.rgb_to_grayscale(view, 3)
        elif step == "blur" and p["blur_sigma"]: view = view.filter(ImageFilter.GaussianBlur(p["blur_sigma"]))
        elif step == "solarise" and p["solarise"]: view = ImageOps.solarize(view)
        elif step.startswith("rand"):
            for layer in range(1, 10):
                operation = int(p.get(f"rand{layer}_operation", 0))
                if not operation: continue
                view = rand(view, operation, p[f"rand{layer}_argument"], int(p[f"rand{layer}_filter"]), fill)
                done.append("rand " + _RAND_INCREASING_TRANSFORMS[operation - 1].replace("Increasing", ""))
            continue
        elif step == "erase":
            boxes = [[int(p[f"erase{k}_{side}"]) for side in ("top", "left", "height", "width")] for k in range(1, 10) if p.get(f"erase{k}_height")]
            view = erase(view, int(p["erase_seed"]), boxes, mean, std)
            if not boxes: continue
        else: continue
        if step not in ("jitter", "rand"): done.append(step)
    return view, done


def records(path):
    """The records of a tensor stream: metadata and tensors."""
    import zstandard
    types = {"U8": np.uint8, "I32": np.int32, "I64": np.int64, "F32": np.float32}
    with open(path, "rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        while start := reader.read(8):
            header = json.loads(reader.read(struct.unpack("<Q", start)[0]))
            metadata = header.pop("__metadata__", {})
            ends = [t["data_offsets"][1] for t in header.values()]
            data = reader.read(max(ends, default=0))
            yield metadata, {k: np.frombuffer(data[slice(*t["data_offsets"])], types[t["dtype"]]).reshape(t["shape"]) for k, t in header.items()}
            if "end" in metadata: return


def main(images, views, most):
    files = []
    for _, tensors in records(images):
        if "pixels" in tensors: files += [Image.fromarray(x.squeeze()).convert("RGB") for x in tensors["pixels"]]
        elif tensors: files += [tensors["image.bytes"][a:b].tobytes() for a, b in zip(tensors["image.offsets"], tensors["image.offsets"][1:])]
    stream = records(views)
    metadata, _ = next(stream)
    mean, std = (json.loads(metadata.get(k, d)) for k, d in (("mean", "[0.485,0.456,0.406]"), ("std", "[0.229,0.224,0.225]")))
    table, count = {}, 0
    for _, tensors in stream:
        if not tensors or count >= most: break
        for i, index in enumerate(tensors["index"]):
            count += 1
            if count > most: break
            file = files[index]
            image = file if isinstance(file, Image.Image) else Image.open(io.BytesIO(file)).convert("RGB")
            for recipe in json.loads(metadata["recipes"]):
                p = dict(zip(json.loads(metadata[recipe + ".columns"]), map(float, tensors[recipe + ".parameters"][i])))
                view, done = replay(image, int(metadata["size"]), metadata[recipe + ".recipe"], p, mean, std)
                other = [d for d in done if d not in ("flip", "vflip")] or done
                name = "crop" if not done else other[0] if len(other) == 1 else "several"
                distance = np.abs(np.asarray(view).astype(int) - tensors[recipe][i].astype(int))
                row = table.setdefault(name, [0, 0, 0, 0])
                row[0] += 1; row[1] += distance.size; row[2] += int((distance > 0).sum()); row[3] = max(row[3], int(distance.max()))
    print(f"{'operation':<20}{'views':>8}{'values':>12}{'differ':>10}{'by at most':>12}")
    for name, (views, values, differ, worst) in sorted(table.items()):
        print(f"{name:<20}{views:>8}{values:>12}{100 * differ / values:>9.4f}%{worst:>12}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else sys.maxsize)
