"""Makes a run of fixtures_dense.py and takes it apart into the files of a fixture, without changing a number.
usage: take_apart_dense.py FOLDER [field=value ...]

views.stz, picture.stz          what the tools read: a record a step, and a picture to predict, each with its masks and draws
start.safetensors, final.…      the oracle's weights before and after, as models of the tools' own
expected.safetensors            loss* and lr of every step, test.figures, and the figures of windows (test.slide_figures)
options                         pmae-finetune's words, an option and its value in turn, a line each"""
import os, sys, tempfile
sys.dont_write_bytecode = True
import torch
from safetensors.numpy import save_file
import fixtures_dense, segmentation
from replay_dense import Run


def main(folder, *fields):
    with tempfile.TemporaryDirectory() as temporary:
        fixtures_dense.main(f"{temporary}/run.safetensors", "task=segment", *fields)
        run = Run(f"{temporary}/run.safetensors", "")
    os.makedirs(folder, exist_ok=True)
    run.write_views(f"{folder}/views.stz"); run.write_picture(f"{folder}/picture.stz")
    run.write_model(f"{folder}/start.safetensors", "init."); run.write_model(f"{folder}/final.safetensors", "final.")
    t, labels = run.t, torch.from_numpy(run.t["test.labels"])
    slide = segmentation.figures(segmentation.confusion(torch.from_numpy(run.resized(t["test.slide"], labels.shape)), labels, run.network["classes"]))
    kept = {k: v for k, v in t.items() if k.startswith("loss") or k in ("lr", "test.figures")}
    save_file(kept | {"test.slide_figures": torch.stack([slide[k] for k in ("mIoU", "mAcc", "aAcc")]).numpy()}, f"{folder}/expected.safetensors")
    with open(f"{folder}/options", "w") as f: print(*run.words(), sep="\n", file=f)


main(*sys.argv[1:])
