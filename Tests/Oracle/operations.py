"""Golden values of the operations on maps that the tape has: of fixtures_dense.py task=ops the cases that it can compute.
usage: operations.py OUT.safetensors

Convolutions are those of stride 1 and one group whose padding keeps the size: no network here has another. A convolution over whole
patches is a linear layer. Pooling and the other cases are all there; of positions those of small grids."""
import json, sys
sys.dont_write_bytecode = True
import torch
from safetensors.torch import save_file
import fixtures_dense


def kept(case, p, weight):
    kind, number = case.split(".")
    if kind == "conv2d": return p["stride"] == 1 and p["groups"] == 1 and 2 * p["padding"] + 1 == weight.shape[-1]
    if kind == "positions": return p["h"] * p["w"] < 200
    if case == "batch_norm.3": return False   # the largest, and like the first
    return kind in ("conv_transpose2d", "batch_norm", "adaptive_avg_pool2d", "bilinear", "max_pool2d", "pixel_loss")


def main(out):
    torch.set_num_threads(1)
    t, _, metadata = fixtures_dense.ops()
    cases = {k: p for k, p in metadata["cases"].items() if kept(k, p, t.get(f"{k}.weight"))}
    save_file({k: v.detach().clone().contiguous() for k, v in t.items() if k.rsplit(".", 1)[0] in cases}, out, {"cases": json.dumps(cases)})
    print(out, len(cases), "cases")


main(*sys.argv[1:])
