"""Times an exact search of nearest neighbours by cosine in Python: the peer of `pmae-evaluate knn`.
usage: bench_knn.py [--library sklearn|faiss|torch] [--bank 128000] [--queries 5000] [--width 400] [--k 20]

Features are of noise, and are there before the clock starts. faiss is the package faiss-cpu."""
import argparse
import os
import resource
import time

import numpy as np


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def search(library, bank, queries, k):
    """The k nearest of each query, by their places in the bank."""
    if library == "sklearn":
        from sklearn.neighbors import NearestNeighbors
        return NearestNeighbors(n_neighbors=k, algorithm="brute", metric="cosine", n_jobs=-1).fit(bank).kneighbors(
            queries, return_distance=False)
    bank, queries = unit(bank), unit(queries)
    if library == "faiss":
        import faiss
        faiss.omp_set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
        index = faiss.IndexFlatIP(bank.shape[1])
        index.add(bank)
        return index.search(queries, k)[1]
    import torch
    bank, parts = torch.from_numpy(bank), []
    for part in torch.from_numpy(queries).split(256):
        parts.append((part @ bank.T).topk(k).indices)
    return torch.cat(parts).numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", default="sklearn", choices=["sklearn", "faiss", "torch"])
    for name, default in (("bank", 128000), ("queries", 5000), ("width", 400), ("k", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    a = parser.parse_args()
    rng = np.random.default_rng(0)
    bank, queries = (rng.random((rows, a.width), dtype=np.float32) for rows in (a.bank, a.queries))
    start = time.perf_counter()
    found = search(a.library, bank, queries, a.k)
    taken = time.perf_counter() - start
    assert found.shape == (a.queries, a.k)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    flop = 2e-9 * a.bank * a.queries * a.width
    print(f"knn {a.library}: {a.queries / taken:.1f} images/s, {flop / taken:.1f} GFLOP/s, peak {peak:.2f} GiB")


main()
