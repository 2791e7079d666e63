"""Fits the model of `pmae-pretrain --plan` to what Tests/Cluster/measure-network.sh measured, and holds it against the rows to check.
usage: fit_network.py cluster-network.tsv

The model is ClusterPlan.swift's. There were two cores: more ranks than these are slowed alike, whether they compute or move bytes."""
import csv, math, sys
from scipy.optimize import differential_evolution

CORES = 2
NAMES = {"share": (0.6, 1), "secondsAValue": (1e-9, 4e-8), "window": (0, 0.9), "operations": (0, 400)}


def bits_per_second(rate):
    # Without a limit iperf3 got 12 Gbit/s through.
    return 12e9 if rate == "none" else float(rate[:-4]) * (1e9 if rate.endswith("gbit") else 1e6)


def model(row, share, a_value, window, operations):
    ranks, alone = int(row["ranks"]), float(row["alone"])
    slow = max(1, ranks / CORES)
    values = int(row["weights"]) * (ranks - 1) / ranks
    rate = share * bits_per_second(row["rate"]) / 8
    moving = a_value * values * slow
    travelling = (4 if row["wire"] == "float32" else 2) * values / rate
    agreeing = operations * math.ceil(math.log2(ranks)) * int(row["microseconds"]) * 1e-6
    return alone + moving + max(0, travelling - window * alone - moving) + 4 * values / rate + agreeing


def main():
    with open(sys.argv[1]) as f: rows = list(csv.DictReader(f, delimiter="\t"))
    loss = lambda x: sum(math.log(model(r, *x) / float(r["seconds"])) ** 2 for r in rows if r["use"] == "fit")
    found = differential_evolution(loss, list(NAMES.values()), seed=0, tol=1e-10, maxiter=600).x
    for name, value in zip(NAMES, found): print(f"{name} = {value:.3g}")
    for r in rows:
        said, seconds = model(r, *found), float(r["seconds"])
        print(*(r[k] for k in ("use", "model", "ranks", "rate", "microseconds", "wire")), f"{seconds:.3f} s, model {said:.3f} s, {100 * (said / seconds - 1):+.1f} %")


main()
