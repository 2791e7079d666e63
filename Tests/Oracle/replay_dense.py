"""Replays a run of fixtures_dense.py (task=segment) through the built tools, and prints how far what comes out is from it.
usage: replay_dense.py FILE... [--tools FOLDER] [--keep FOLDER]      exit status 0 where all agree, 1 where one does not

Losses of each step agree within 1e-5 (relative), gradients of the first step within 1e-4 of their norm, weights and statistics at the end
within 1e-5 (absolute); inference with the final weights, whole and by windows, agrees but for 1e-4 of the pixels, the figures within
1e-9 where all pixels do. A gradient is read from the optimiser's first moments after one step, which are a tenth of it.
Left out at the end is what no gradient reaches but rounding (see fixtures_dense.py); of a batch of two also what is pooled to one pixel,
whose two values a batch norm makes into 1 and -1, whatever they are."""
import argparse, json, os, subprocess, sys, tempfile
sys.dont_write_bytecode = True
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
import stream

here = os.path.dirname(os.path.abspath(__file__))
MEAN, STD = "[0.485, 0.456, 0.406]", "[0.229, 0.224, 0.225]"
NO_GRADIENT = ("pyramid.up4.0.bias", "pyramid.up4.3.bias", "pyramid.up2.bias", "pyramid.up4.1.running_mean",
               "head.lateral.0.1.running_mean", "head.lateral.1.1.running_mean")


class Run:
    def __init__(self, path, tools):
        file = safe_open(path, "np")
        self.name, self.tools = os.path.basename(path), tools
        if (file.metadata() or {}).get("task") != "segment": sys.exit(f"{path}: not a run of fixtures_dense.py task=segment")
        self.t = {k: file.get_tensor(k) for k in file.keys()}
        self.config, self.network, self.run, self.slide = (json.loads(file.metadata()[k]) for k in ("config", "segmentation", "run", "slide"))

    def tool(self, tool, *words):
        command = [os.path.join(self.tools, tool), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode: sys.exit(f"{tool} failed with status {done.returncode}: {done.stderr}{' '.join(command)}")
        return done.stdout

    def unknown(self):
        """What only rounding decides."""
        pools = self.network["pools"] if self.run["batch"] == 2 else []
        return NO_GRADIENT + tuple(f"head.pooled.{i}.{k}" for i, p in enumerate(pools) if p == 1 for k in ("0.weight", "1.running_mean", "1.running_var"))

    def masks(self): return dict(mask_classes=json.dumps([f"class {i}" for i in range(self.network["classes"])]))

    def write_views(self, path):
        """A record a step; as many epochs of one step as the schedule has, of which the first are there."""
        b, t = self.run["batch"], self.t
        names = {"pictures": "scene", "labels": "scene.mask", "keep": "keep", "keep_aux": "keep_aux", "keeps": "keeps"}
        records = [{names[k]: t[k][s * b:(s + 1) * b] for k in names} | {"index": np.arange(s * b, (s + 1) * b, dtype=np.int64)} for s in range(self.run["steps"])]
        stream.write(path, "views", records, recipes='["scene"]', mean=MEAN, std=STD, epochs=str(self.run["total"]), rows_per_epoch=str(b),
                     first_epoch="0", **self.masks())

    def write_picture(self, path):
        t = self.t
        size = np.array([t["test.labels"].shape], dtype=np.int32)
        stream.write(path, "views", [{"scene": t["test.picture"], "scene.mask": t["test.labels"][None], "size": size, "index": np.zeros(1, np.int64)}],
                     recipes='["scene"]', mean=MEAN, std=STD, epochs="1", rows_per_epoch="1", first_epoch="0", **self.masks())

    def words(self):
        """pmae-finetune's options, each with its value."""
        s, r = self.network, self.run
        return ["--task", "segment", "--drop-path", s["drop_path"], "--aux-weight", s["aux_weight"], "--loss-average", s["average"],
                "--batch", r["batch"], "--lr", r["lr"], "--weight-decay", r["weight_decay"], "--layer-decay", r["layer_decay"],
                "--warmup-steps", r["warmup"]]

    def train(self, folder, steps, name):
        self.write_model(f"{folder}/start.safetensors", "init.")
        self.tool("pmae-finetune", *self.words(), "--threads", 2, "--quiet", "--init", f"{folder}/start.safetensors", "--run", f"{folder}/{name}", "--overwrite", "--steps", steps,
                  "--output", f"{folder}/{name}.model.stz", f"{folder}/views.stz")
        with open(f"{folder}/{name}/metrics.jsonl") as f: lines = [json.loads(l) for l in f]
        return lines, read(f"{folder}/{name}/checkpoint.stz")

    def replay(self, folder):
        t, steps = self.t, self.run["steps"]
        self.write_views(f"{folder}/views.stz"); self.write_picture(f"{folder}/picture.stz")
        lines, final = self.train(folder, steps, "run")
        _, first = self.train(folder, 1, "first")
        found = {"losses": (max((abs(l.get(k, np.inf) - float(t[k][i])) / max(abs(float(t[k][i])), 1e-6) for i, l in enumerate(lines) for k in ("loss", "loss_seg", "loss_aux", "lr")), default=np.inf) if len(lines) == steps else np.inf, 1e-5)}
        gradients = {k: t[f"grad.{k}"] for k in (n.removeprefix("grad.") for n in t if n.startswith("grad."))}
        norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values()))
        off = 0.0
        for k, g in gradients.items():
            if k in self.unknown(): continue
            mine = 10 * first.get(f"optimizer.first_moment.{k}", np.full(g.shape, np.inf)).astype(np.float64)
            off = max(off, float(np.sqrt(((mine - g) ** 2).sum())) / max(float(np.sqrt((g.astype(np.float64) ** 2).sum())), 1e-3 * norm))
        found["gradients"] = (off, 1e-4)
        weights = {}
        for k, v in ((n.removeprefix("final."), t[n]) for n in t if n.startswith("final.")):
            if k in self.unknown(): continue
            keep = (lambda x: np.delete(x, np.s_[len(x) // 3:2 * len(x) // 3])) if k.endswith("qkv.bias") else (lambda x: x)
            weights[k] = float(np.abs(keep(final[k]) - keep(v)).max()) if k in final and final[k].shape == v.shape else np.inf
        worst = max(weights, key=weights.get)
        found[f"weights (at {worst})"] = (weights[worst], 1e-5)
        extra = {k for k in final if not k.startswith("optimizer.")} - set(weights) - set(self.unknown())
        if extra: found[f"names ({', '.join(sorted(extra))})"] = (np.inf, 0)
        return found | self.infer(folder)

    def write_model(self, path, prefix):
        """Weights of the oracle as a file of the tools' own."""
        c, s = self.config, self.network
        config = {"encoder": dict(image=c["image"], patch=c["patch"], channels=3, width=c["dim"], depth=c["depth"], heads=c["heads"], mlpRatio=c["mlp"]),
                  "segmentation": dict(classes=s["classes"], channels=s["channels"], auxiliaryChannels=s["aux_channels"], taps=s["taps"],
                                       pools=s["pools"], dropout=s["dropout"], stretchesPositions=s["stretch"]),
                  "task": "segment"}
        save_file({k.removeprefix(prefix): v for k, v in self.t.items() if k.startswith(prefix)}, path,
                  dict(config=json.dumps(config), mean=MEAN, std=STD, **self.masks()))

    def infer(self, folder):
        t = self.t
        self.write_model(f"{folder}/final.safetensors", "final.")
        found = {}
        windows = ("--slide", self.slide["window"], "--stride", self.slide["stride"])
        for name, words in (("whole", ()), ("slide", windows)):
            out = f"{folder}/{name}"
            line = json.loads(self.tool("pmae-evaluate", "segment", f"{folder}/final.safetensors", f"{folder}/picture.stz", *words, "--predictions", out,
                                        "--overwrite", "--resamples", 0, "--quiet").splitlines()[0])
            expected = self.resized(t[f"test.{name}"], t["test.labels"].shape)
            (file,) = os.listdir(out)
            off = float((png(f"{out}/{file}") != expected).mean())
            found[f"pixels, {name}"] = (off, 1e-4)
            if name == "whole":
                if not np.array_equal(expected, t["test.prediction"][0]): found["the fixture's own prediction"] = (np.inf, 0)
                figures = max(abs(line[k] - float(v)) for k, v in zip(("mIoU", "mAcc", "aAcc"), t["test.figures"]))
                found["figures"] = (figures, 1e-9 if off == 0 else 1e-2)
        return found

    def resized(self, logits, size):
        import torch
        import torch.nn.functional as F
        out = F.interpolate(torch.from_numpy(logits), size=tuple(size), mode="bilinear", align_corners=False)
        return out.argmax(1)[0].to(torch.uint8).numpy()


def read(path):
    tensors = {}
    with open(path, "rb") as f:
        for _, more in stream.records(f.read()): tensors |= more
    return tensors


def png(path):
    """The ids of a PNG file of 8 bits a pixel."""
    from PIL import Image
    return np.asarray(Image.open(path))


def main():
    parser = argparse.ArgumentParser(description="Replays runs of fixtures_dense.py through the built tools.")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--tools", default=f"{here}/../../.build/release")
    parser.add_argument("--keep")
    a = parser.parse_args()
    status = 0
    for path in a.files:
        run = Run(path, a.tools)
        with tempfile.TemporaryDirectory() as temporary:
            folder = a.keep or temporary
            os.makedirs(folder, exist_ok=True)
            found = run.replay(folder)
        agrees = all(v <= limit for v, limit in found.values())
        print(f"{run.name}: " + ", ".join(f"{k} differ by {v:.1e}" for k, (v, _) in found.items()) + f": {'agrees' if agrees else 'DOES NOT AGREE'}")
        status |= not agrees
    return status


if __name__ == "__main__": sys.exit(main())
