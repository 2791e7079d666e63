"""Replays an oracle run through the built pmae-pretrain, and prints how far what comes out is from it.
usage: replay.py NAME [--tools FOLDER] [--keep FOLDER] [field=value ...]      exit status 0 where it agrees, 1 where it does not

NAME is what the line of output calls the run; field=value is a field of Config, MethodConfig or RUN (see fixtures.py).
--tools: the folder of the tools; without it this checkout's .build/release. --keep: leave the run and the tool's files there.
The views stream has the oracle's draws beside its views (shuffle, mask, ids): a tool takes draws that a stream has and makes none.
Agreement is 1e-5, relative, for each loss of each step, and 1e-5, absolute, for each weight, teacher, centre and statistic at the end.
Left out is what no gradient reaches but rounding, which Adam's division turns into steps of the learning rate: the key third of each
qkv.bias (a constant added to all keys changes no softmax) and what methods.py names beside it."""
import argparse, json, os, subprocess, sys, tempfile
sys.dont_write_bytecode = True
import numpy as np
import stream
from oracle_run import OracleRun, here

NO_GRADIENT = {"moco-v3": ("student.norm.bias", "teacher.norm.bias", "projector.1.running_mean", "teacher_projector.1.running_mean")}


def known(objective, name, v):
    """What of a weight is decided by more than rounding."""
    if name.endswith("qkv.bias"): return np.delete(v, np.s_[len(v) // 3:2 * len(v) // 3])
    if name.endswith(("num_batches_tracked", "norm1_k.bias")) or "pos_embed" in name or name in NO_GRADIENT.get(objective, ()): return v.reshape(-1)[:0]
    return v


def trained(run, tool, folder):
    """Trains by the tool -> (the lines of metrics that have a loss, the tensors of the checkpoint)."""
    run.write_views(f"{folder}/views.stz")
    run.write_start(f"{folder}/init.safetensors")
    words = [x for pair in run.options() for x in pair]
    command = [tool, *words, "--init", f"{folder}/init.safetensors", "--output", f"{folder}/run", "--overwrite", "--threads", "2", "--quiet",
               f"{folder}/views.stz"]
    status = subprocess.run(command).returncode
    if status: sys.exit(f"pmae-pretrain failed with status {status}: {' '.join(command)}")
    with open(f"{folder}/run/metrics.jsonl") as f: lines = [l for l in map(json.loads, f) if "loss" in l]
    final = {}
    with open(f"{folder}/run/checkpoint.stz", "rb") as f:
        for _, tensors in stream.records(f.read()): final |= tensors
    return lines, final


def compare(run, lines, final):
    """-> (the largest relative difference of a loss, {name: the largest absolute difference of a weight}); infinite where one lacks it."""
    t, terms = run.tensors, [k for k in run.tensors if k.startswith("loss")]
    losses = [abs(l.get(k, np.inf) - float(t[k][i])) / max(abs(float(t[k][i])), 1e-6) for i, l in enumerate(lines[:len(t["loss"])]) for k in terms]
    weights = {}
    for name, theirs in t.items():
        name = name.removeprefix("final.") if name.startswith("final.") else None
        if name is None or not (v := known(run.objective, name, theirs)).size: continue
        same = name in final and final[name].shape == theirs.shape
        weights[name] = float(np.abs(known(run.objective, name, final[name]) - v).max()) if same else float("inf")
    return max(losses, default=float("inf")), weights


def main():
    parser = argparse.ArgumentParser(description="Replays an oracle run through the built pmae-pretrain.")
    parser.add_argument("name")
    parser.add_argument("fields", nargs="*", metavar="field=value")
    parser.add_argument("--tools", default=f"{here}/../../.build/release")
    parser.add_argument("--keep")
    a = parser.parse_intermixed_args()
    tool = os.path.join(a.tools, "pmae-pretrain")
    if not os.access(tool, os.X_OK): sys.exit(f"{tool}: no such program; build it by `swift build -c release`, or name its folder by --tools")
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.keep or temporary
        os.makedirs(folder, exist_ok=True)
        run = OracleRun(f"{folder}/oracle.safetensors", a.fields)
        lines, final = trained(run, tool, folder)
    loss, weights = compare(run, lines, final)
    worst, steps = max(weights, key=weights.get), len(run.tensors["loss"])
    agrees = len(lines) == steps and loss < 1e-5 and weights[worst] < 1e-5
    print(f"{a.name}: losses differ by {loss:.1e} at most (relative, {len(lines)} of {steps} steps), "
          f"{len(weights)} weights by {weights[worst]:.1e} (absolute, at {worst}): {'agrees' if agrees else 'DOES NOT AGREE'}")
    return 0 if agrees else 1


sys.exit(main())
