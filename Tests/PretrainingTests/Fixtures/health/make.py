"""Makes `health.safetensors`, labels and their figures by NumPy in double precision: python3 make.py"""
import numpy as np
from safetensors.numpy import save_file

random = np.random.default_rng(5)
tensors = {}
# Rows, prototypes, and how sharp: more rows than prototypes, fewer, none but one prototype in use, and uniform rows.
for name, rows, columns, scale in [("many", 90, 37, 4.0), ("few", 11, 130, 9.0), ("one", 20, 16, 0.0), ("flat", 20, 16, 0.0)]:
    x = scale * random.standard_normal((rows, columns))
    if name == "one":
        x[:, 3] = 200
    q = np.exp(x - x.max(1, keepdims=True))
    q = (q / q.sum(1, keepdims=True)).astype(np.float32)
    d = q.astype(np.float64)
    entropy = -(d * np.log(np.where(d > 0, d, 1))).sum(1).mean() / np.log(columns)
    used = len(set(q.argmax(1))) / min(rows, columns)
    tensors[name] = q
    tensors[name + ".figures"] = np.array([entropy, used])
save_file(tensors, "health.safetensors")
