"""Takes what pmae-export writes to timm, Hugging Face and onnxruntime and back, and prints how far they are from the tools.
usage: round_trip.py [--tools FOLDER] [--write]      exit status 0 where all agree, 1 where one does not

Each line is one model in one library: the largest difference of its features and probabilities from those of pmae-evaluate, which may be
1e-4. A model that the library saved again is read by pmae-export, and its tensors must be the same bytes. --tools: the folder of the tools;
without it this checkout's .build/release. --write: makes the fixtures in Tests/Exports/Fixtures anew, for tests that have no Python.
Needs torch, timm, transformers, onnx, onnxruntime, safetensors, zstandard (see requirements.txt)."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "Oracle"))
import numpy as np
import onnx
import onnxruntime
import stream
import timm
import torch
import transformers
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

TESTS = HERE.parent
LIMIT = 1e-4
ENCODER = {"image": 20, "patch": 5, "channels": 3, "width": 12, "depth": 2, "heads": 3, "mlpRatio": 4}


class Model:
    """Weights that are exported, and what the tools compute of some pictures."""

    def __init__(self, name, tools, folder, source, words=()):
        self.name, self.tools, self.folder, self.source, self.words = name, tools, folder, str(source), list(words)
        self.plain = self.export("plain.safetensors")
        with safe_open(self.plain, "np") as f:
            metadata = f.metadata()
        config = json.loads(metadata["config"])
        self.config, self.classes, self.pool = config["encoder"], config.get("classes", 0), config.get("pool", "class")
        self.mean, self.std = (np.array(json.loads(metadata[k]), np.float32) for k in ("mean", "std"))
        side = self.config["image"]
        self.pixels = np.random.default_rng(1).integers(0, 256, (5, side, side, 3), dtype=np.uint8)
        stream.write(
            f"{folder}/views.stz", "views", [{"center": self.pixels, "index": np.arange(5)}], recipes='["center"]', epochs="1",
            rows_per_epoch="5", mean=metadata["mean"], std=metadata["std"])
        self.features = {pool: self.evaluate("embed", "--pool", pool)["features"] for pool in ("class", "mean")}
        self.probabilities = None
        if self.classes:
            found = self.evaluate("predict", "--top", str(self.classes))
            self.probabilities = np.zeros((5, self.classes))
            np.put_along_axis(self.probabilities, found["prediction"], found["probability"], 1)

    def run(self, tool, *words):
        command = [os.path.join(self.tools, tool), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: status {done.returncode}: {done.stderr}")

    def export(self, name, *words):
        out = f"{self.folder}/{self.name}-{name}"
        self.run("pmae-export", "--quiet", "--overwrite", *self.words, *words, "--output", out, self.source)
        return out

    def evaluate(self, command, *words):
        out = f"{self.folder}/{command}.stz"
        self.run("pmae-evaluate", command, "--quiet", "--overwrite", *words, "--output", out, self.plain, f"{self.folder}/views.stz")
        tensors = {}
        with open(out, "rb") as f:
            for _, record in stream.records(f.read()):
                tensors |= record
        return tensors

    def images(self):
        return torch.from_numpy((self.pixels.astype(np.float32) / 255 - self.mean) / self.std).permute(0, 3, 1, 2).contiguous()


failures = 0


def report(model, library, differences, bytes_agree=None):
    global failures
    agrees = all(d < LIMIT for d in differences.values()) and bytes_agree is not False
    failures += not agrees
    words = ", ".join(f"{k} differ by {v:.1e}" for k, v in differences.items())
    back = "" if bytes_agree is None else ", back: " + ("same bytes" if bytes_agree else "OTHER BYTES")
    print(f"{model.name} in {library}: {words}{back}: {'agrees' if agrees else 'DOES NOT AGREE'}")


def difference(mine, theirs):
    return float(np.abs(np.asarray(mine, np.float64) - np.asarray(theirs, np.float64)).max())


def same_tensors(a, b):
    a, b = load_file(a), load_file(b)
    return a.keys() == b.keys() and all(a[k].tobytes() == b[k].tobytes() and a[k].shape == b[k].shape for k in a)


@torch.no_grad()
def in_timm(model):
    folder = model.export("timm", "--layout", "timm")
    network = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    images, out = model.images(), {}
    tokens = network.forward_features(images).numpy()
    out["features"] = max(difference(tokens[:, 0], model.features["class"]), difference(tokens[:, 1:].mean(1), model.features["mean"]))
    if model.classes:
        out["probabilities"] = difference(network(images).softmax(-1).numpy(), model.probabilities)
    data = timm.data.resolve_model_data_config(network)
    assert np.allclose(data["mean"], model.mean) and np.allclose(data["std"], model.std) and data["input_size"][1] == model.config["image"]
    # timm saves it again as it saves any model.
    from timm.models._hub import save_for_hf
    again = f"{folder}-again"
    network.pretrained_cfg = dict(network.pretrained_cfg)
    arguments = json.loads(Path(folder, "config.json").read_text())["model_args"]
    save_for_hf(network, again, model_args=arguments, safe_serialization=True)
    back = f"{folder}-back.safetensors"
    model.run("pmae-export", "--quiet", "--output", back, again)
    report(model, f"timm {timm.__version__}", out, same_tensors(back, model.plain))


@torch.no_grad()
def in_hugging_face(model):
    classifies = model.classes and model.pool == "class"
    words = [] if classifies or not model.classes else ["--without-head"]
    folder = model.export("hugging-face", "--layout", "hugging-face", *words)
    kind, more = (transformers.ViTForImageClassification, {}) if classifies else (transformers.ViTModel, {"add_pooling_layer": False})
    network, said = kind.from_pretrained(folder, output_loading_info=True, attn_implementation="eager", **more)
    assert not any(said[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")), said
    network.eval()
    images, out = model.images(), {}
    tokens = (network.vit if classifies else network)(images).last_hidden_state.numpy()
    out["features"] = max(difference(tokens[:, 0], model.features["class"]), difference(tokens[:, 1:].mean(1), model.features["mean"]))
    if classifies:
        out["probabilities"] = difference(network(images).logits.softmax(-1).numpy(), model.probabilities)
    with open(f"{folder}/preprocessor_config.json") as f:
        given = json.load(f)
    # A picture of the size that is cut out of passes its processor as it passes the tools.
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(folder, do_resize=False)
        pixels = processor(list(model.pixels), return_tensors="pt", input_data_format="channels_last")["pixel_values"]
        out["pixels"] = difference(pixels.numpy(), images.numpy())
    except (ImportError, RuntimeError) as e:
        print(f"{model.name}: the image processor cannot be made here: {e}")
    assert np.allclose(given["image_mean"], model.mean)
    again, back = f"{folder}-again", f"{folder}-back.safetensors"
    network.save_pretrained(again)
    model.run("pmae-export", "--quiet", "--output", back, again)
    plain = model.plain if classifies or not model.classes else model.export("bare.safetensors", "--without-head")
    # LayerScale was multiplied into other weights, so its own cannot come back.
    same = None if model.config.get("layerScale") else same_tensors(back, plain)
    report(model, f"transformers {transformers.__version__}", out, same)


def in_onnxruntime(model):
    bytes_file = model.export("bytes.onnx", "--blocks", "0,1")
    floats_file = model.export("floats.onnx", "--pixels", "normalised", "--pool", model.pool)
    out = {}
    for file, pixels in ((bytes_file, model.pixels), (floats_file, model.images().numpy())):
        graph = onnx.load(file)
        onnx.checker.check_model(graph, full_check=True)
        metadata = {p.key: p.value for p in graph.metadata_props}
        assert json.loads(metadata["mean"]) and "made_by" in metadata and graph.opset_import[0].version == 17, metadata
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        for rows in (5, 1):
            names = [o.name for o in session.get_outputs()]
            got = dict(zip(names, session.run(None, {"pixels": pixels[:rows]})))
            found = {"features": difference(got["features"], model.features[model.pool][:rows]),
                     "tokens": difference(got["tokens"][:, 0], model.features["class"][:rows])}
            if model.classes:
                found["probabilities"] = difference(got["probabilities"], model.probabilities[:rows])
            if "block_0" in got:
                found["blocks"] = difference_of_blocks(model, got, rows)
            for k, v in found.items():
                out[k] = max(out.get(k, 0), v)
    report(model, f"onnxruntime {onnxruntime.__version__}", out)
    return bytes_file


@torch.no_grad()
def difference_of_blocks(model, got, rows):
    network = timm.create_model(f"local-dir:{model.folder}/{model.name}-timm", pretrained=True).eval()
    blocks = network.forward_intermediates(
        model.images()[:rows], indices=[0, 1], output_fmt="NLC", return_prefix_tokens=True, intermediates_only=True)
    return max(
        difference(got[f"block_{i}"], torch.cat([prefix, patches], 1).numpy()) for i, (patches, prefix) in enumerate(blocks))


def classifier(folder, pool):
    """The model of Tests/Fixtures/timm after PyTorch's fine-tuning, as pmae-finetune would have written it."""
    given = load_file(TESTS / "Fixtures/timm/finetune.safetensors")
    prefix, path = f"{pool}.final.", f"{folder}/classifier-{pool}.safetensors"
    config = {"classes": 7, "pool": pool, "encoder": ENCODER}
    with open(TESTS / "Fixtures/timm/checkpoint.stz", "rb") as f:
        metadata, _ = next(stream.records(f.read()))
    save_file({k[len(prefix):]: v for k, v in given.items() if k.startswith(prefix)}, path, {
        "config": json.dumps(config), "mean": metadata["mean"], "std": metadata["std"], "classes": json.dumps(list("abcdefg"))})
    return path


def main():
    parser = argparse.ArgumentParser(description="Takes what pmae-export writes to other libraries and back.")
    parser.add_argument("--tools", default=f"{TESTS.parent}/.build/release")
    parser.add_argument("--write", action="store_true")
    a = parser.parse_args()
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        models = [
            Model("encoder", a.tools, folder, TESTS / "Fixtures/timm/checkpoint.stz"),
            Model("classifier", a.tools, folder, classifier(folder, "class")),
            Model("mean-classifier", a.tools, folder, classifier(folder, "mean")),
            Model("foreign", a.tools, folder, TESTS / "TrainingTests/Fixtures/foreign/timm"),
            Model("larger", a.tools, folder, TESTS / "TrainingTests/Fixtures/foreign/timm", ["--image", "12"]),
        ]
        for model in models:
            in_timm(model)
            in_hugging_face(model)
            graph = in_onnxruntime(model)
            if a.write and model.name in ("classifier", "foreign"):
                write_fixture(model, graph)
    return 1 if failures else 0


def write_fixture(model, graph):
    """What the libraries read and computed, for tests that have none of them."""
    out = HERE / "Fixtures"
    out.mkdir(exist_ok=True)
    stripped = onnx.load(graph)
    del stripped.metadata_props[:]
    (out / f"{model.name}.onnx").write_bytes(stripped.SerializeToString(deterministic=True))
    hugging_face = load_file(f"{model.folder}/{model.name}-hugging-face/model.safetensors")
    save_file(hugging_face, out / f"{model.name}.hugging-face.safetensors")
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    got = dict(zip(names, session.run(None, {"pixels": model.pixels})))
    save_file({"pixels": model.pixels} | got, out / f"{model.name}.expected.safetensors")


sys.exit(main())
