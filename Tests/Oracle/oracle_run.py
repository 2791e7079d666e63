"""An oracle run of fixtures.py in the words of the tools: its views as a stream, its start weights, its options.

options.json says which field of Config, MethodConfig or RUN is which option of pmae-pretrain, and which groups of them an objective has."""
import json, os, subprocess, sys
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
import stream

here = os.path.dirname(os.path.abspath(__file__))


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
        table = json.load(open(f"{here}/options.json"))
        words = {}
        for group in table["objectives"][self.objective]: words |= table[group]
        missing = [k for k in words if k not in self.fields]
        if missing: sys.exit(f"options.json: {self.objective} has no field {', '.join(missing)}")
        return [(f"--{words[k]}", str(v)) for k, v in self.fields.items() if k in words]

    def write_views(self, path):
        """The views under their names and the draws under theirs (shuffle, mask, ids): a record an epoch."""
        t, epochs = self.tensors, self.run["epochs"]
        rows = self.run["batch"] * self.run["steps_per_epoch"]
        names = [k for k, v in t.items() if "." not in k and not k.startswith("loss") and len(v) == rows * epochs]
        index = np.arange(rows * epochs, dtype=np.int64)
        records = [{k: v[e * rows:(e + 1) * rows] for k, v in {**{k: t[k] for k in names}, "index": index}.items()} for e in range(epochs)]
        views = sorted((k for k in names if t[k].ndim == 4), key=lambda k: (k != "simple", k))
        stream.write(path, "views", records, recipes=json.dumps(views), mean="[0.485, 0.456, 0.406]", std="[0.229, 0.224, 0.225]",
                     epochs=str(epochs), rows_per_epoch=str(rows), first_epoch="0")

    def write_start(self, path):
        """The start weights under the names that a checkpoint has."""
        save_file({k.removeprefix("init."): v for k, v in self.tensors.items() if k.startswith("init.") and v.dtype.kind == "f"}, path)
