"""Makes samples.jsonl: lists of values, and what Python's statistics module says of them. Needs Python alone: python3 make.py"""
import json
import random
import statistics

random.seed(0)
lists = [[3], [1, 2], [2, 1, 10], [0.1] * 7, [75.54, 75.55, 75.30], [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16], [-5, 5], [0, 0, 1e-12]]
lists += [[random.gauss(0.8, 0.01) for _ in range(n)] for n in (3, 4, 10, 101)]
lists += [[random.expovariate(1) for _ in range(n)] for n in (5, 6)]
with open("samples.jsonl", "w") as file:
    for values in lists:
        print(json.dumps({
            "values": values, "mean": statistics.mean(values), "median": statistics.median(values), "least": min(values),
            "most": max(values), "deviation": statistics.stdev(values) if len(values) > 1 else None}), file=file)
