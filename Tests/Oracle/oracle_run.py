"""An oracle run of fixtures.py in the words of the tools: its views as a stream, its start weights, its options.

options.json says which field of Config, MethodConfig or RUN is which option of pmae-pretrain, and which groups of them an objective has."""
import json, os, subprocess, sys
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
import stream

here = os.path.dirname(os.path.abspath(__file__))


def options(objective, fields):
    """[(option of pmae-pretrain, value)] of an objective's fields, in their order."""
    table = json.load(open(f"{here}/options.json"))
    words = {}
    for group in table["objectives"][objective]: words |= table[group]
    missing = [k for k in words if k not in fields]
    if missing: sys.exit(f"options.json: {objective} has no field {', '.join(missing)}")
    return [(f"--{words[k]}", str(v)) for k, v in fields.items() if k in words]


def write_views(path, tensors, epochs):
    """tensors {name: [epochs * rows, ...]}, views [.., H, W, 3] and draws, as a stream: a record an epoch."""
    rows = len(next(iter(tensors.values()))) // epochs
    tensors = {**tensors, "index": np.arange(rows * epochs, dtype=np.int64)}
    views = sorted((k for k, v in tensors.items() if v.ndim == 4), key=lambda k: (k != "simple", k))
    records = [{k: v[e * rows:(e + 1) * rows] for k, v in tensors.items()} for e in range(epochs)]
    stream.write(path, "views", records, recipes=json.dumps(views), mean="[0.485, 0.456, 0.406]", std="[0.229, 0.224, 0.225]",
                 epochs=str(epochs), rows_per_epoch=str(rows), first_epoch="0")


class OracleRun:
    """tensors {name: array}; fields {name: value}, those of the configuration before those of the run."""

    def __init__(self, path, fields):
        """Trains with `fields` (field=value …) by fixtures.py, in a process of its own, and reads the file that it wrote to `path`."""
        made = subprocess.run([sys.executable, "-B", f"{here}/fixtures.py", path, *fields], stdout=subprocess.DEVNULL)
        if made.returncode: sys.exit(f"fixtures.py failed with status {made.returncode}; its arguments: {' '.join(fields)}")
        file = safe_open(path, "np")
        self.tensors = {k: file.get_tensor(k) for k in file.keys()}
        if "config" not in file.metadata(): sys.exit(f"{path}: has no configuration; expected a run of an objective of options.json")
        config, self.run = (json.loads(file.metadata()[k]) for k in ("config", "run"))
        self.fields = {**config, **self.run}
        self.objective = config["objective"]

    def options(self):
        """[(option, value)], in the order of the fields."""
        return options(self.objective, self.fields)

    def write_views(self, path):
        """The views under their names and the draws under theirs (shuffle, mask, ids): a record an epoch."""
        epochs, rows = self.run["epochs"], self.run["batch"] * self.run["steps_per_epoch"]
        write_views(path, {k: v for k, v in self.tensors.items() if "." not in k and not k.startswith("loss") and len(v) == rows * epochs}, epochs)

    def write_start(self, path):
        """The start weights under the names that a checkpoint has."""
        save_file({k.removeprefix("init."): v for k, v in self.tensors.items() if k.startswith("init.") and v.dtype.kind == "f"}, path)
