"""Makes an oracle run and takes it apart into the four files of a fixture, without changing a number.
usage: take_apart.py NAME [--gradients] [--into FOLDER] [field=value ...]

NAME.init.safetensors      start weights (init.* of the run, without the prefix)
NAME.views.stz             views and draws, a record an epoch
NAME.options               the configuration in pmae-pretrain's words, an option and its value in turn, a line each
NAME.expected.safetensors  loss* of every step, final.* (all weights at the end), and with --gradients grad.* (the first step's)
FOLDER is that of the test suite's fixtures without --into."""
import argparse, os, sys, tempfile
sys.dont_write_bytecode = True
from safetensors.numpy import save_file
from oracle_run import OracleRun, here


def main():
    parser = argparse.ArgumentParser(description="Makes an oracle run and takes it apart into the files of a fixture.")
    parser.add_argument("name")
    parser.add_argument("fields", nargs="*", metavar="field=value")
    parser.add_argument("--gradients", action="store_true")
    parser.add_argument("--into", default=f"{here}/../PretrainingTests/Fixtures/oracle")
    a = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as folder:
        run = OracleRun(f"{folder}/run.safetensors", a.fields)
    os.makedirs(a.into, exist_ok=True)
    path = f"{a.into}/{a.name}"
    run.write_start(f"{path}.init.safetensors")
    run.write_views(f"{path}.views.stz")
    with open(f"{path}.options", "w") as f:
        for option, value in run.options(): print(option, value, sep="\n", file=f)
    kept = ("loss", "final.", "grad.") if a.gradients else ("loss", "final.")
    save_file({k: v for k, v in run.tensors.items() if k.startswith(kept) and not k.endswith("pos_embed")}, f"{path}.expected.safetensors")


main()
