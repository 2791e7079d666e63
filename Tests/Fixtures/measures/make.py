#!/usr/bin/env python3
"""Makes the fixtures of this folder: inputs, and what scikit-learn and SciPy say of them.

usage: make.py FOLDER
"""

import sys
import warnings

import numpy as np
import torch
from safetensors.numpy import save_file
from scipy import stats
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torchmetrics.functional.classification import multiclass_calibration_error


def clusters(rng, rows, width, classes, spread=1.0):
    """Rows about a centre for each class, in float32 as features are."""
    centres = rng.normal(size=(classes, width))
    labels = rng.integers(0, classes, size=rows).astype(np.int32)
    values = centres[labels] + spread * rng.normal(size=(rows, width))
    return values.astype(np.float32), labels


def scaling():
    rng = np.random.default_rng(1)
    bank = rng.normal(size=(50, 19)) * np.logspace(-3, 3, 19) + np.linspace(-100, 100, 19)
    bank = bank.astype(np.float32)
    bank[:, 4] = 0.1  # The same everywhere.
    bank[:, 7] = 0
    queries = (bank[:20] + rng.normal(size=(20, 19))).astype(np.float32)
    scaler = StandardScaler().fit(bank.astype(np.float64))
    return {
        "bank": bank,
        "queries": queries,
        "mean": scaler.mean_,
        "deviation": scaler.scale_,
        "scaled": scaler.transform(queries.astype(np.float64)),
    }


def whitening():
    rng = np.random.default_rng(2)
    bank = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 12)) * np.logspace(-1, 1, 12) + rng.normal(size=(300, 12)) + 5
    bank[:, 3] = 0.5  # The same everywhere.
    bank[:, 8] = 2 * bank[:, 1]  # No direction of its own, but for rounding to float32.
    bank = bank.astype(np.float32)
    bank[:, 8] = 2 * bank[:, 1]
    queries = (bank[:20] + rng.normal(size=(20, 12))).astype(np.float32)
    analysis = PCA(whiten=True, svd_solver="full").fit(bank.astype(np.float64))
    return {"bank": bank, "queries": queries, "whitened": analysis.transform(queries.astype(np.float64))[:, :10]}


def linear():
    """Logistic regression of several classes and of two, at several strengths of the penalty."""
    tensors = {}
    for name, rows, width, classes, spread in [("many", 240, 12, 5, 1.5), ("two", 150, 8, 2, 2.0), ("wide", 40, 90, 3, 2.0)]:
        rng = np.random.default_rng(len(name))
        values, labels = clusters(rng, rows, width, classes, spread)
        values += 0.5  # An intercept that matters.
        tensors |= {f"{name}.features": values, f"{name}.label": labels}
        for place, c in enumerate([0.01, 1.0, 100.0]):
            x, y = values.astype(np.float64), labels
            model = LogisticRegression(C=c, tol=1e-12, max_iter=100000, solver="newton-cg").fit(x, y)
            probabilities = model.predict_proba(x)
            loss = -np.log(probabilities[np.arange(rows), labels]).sum()
            tensors |= {
                f"{name}.{place}.c": np.array([c]),
                f"{name}.{place}.coefficients": model.coef_,
                f"{name}.{place}.intercepts": model.intercept_,
                f"{name}.{place}.probabilities": probabilities,
                f"{name}.{place}.objective": np.array([loss + (model.coef_**2).sum() / (2 * c)]),
            }
    return tensors


def classify():
    """Logits of 7 classes, of which one has no image and another is never said, and what is said of them."""
    rng = np.random.default_rng(5)
    classes, rows = 7, 400
    labels = rng.choice([0, 1, 2, 3, 4, 6], p=[0.4, 0.2, 0.15, 0.1, 0.1, 0.05], size=rows).astype(np.int32)
    logits = rng.normal(size=(rows, classes)) * 1.5
    logits[np.arange(rows), labels] += 1.5
    logits[:, 4] = -9
    logits = logits.astype(np.float32)
    x = torch.tensor(logits, dtype=torch.float64)
    probabilities = torch.softmax(x, 1)
    said = probabilities.argmax(1).numpy()
    matrix = metrics.confusion_matrix(labels, said, labels=range(classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of the class without images, and of that which is never said.
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(labels, said, labels=range(classes), zero_division=np.nan)
        whole = [
            metrics.accuracy_score(labels, said),
            metrics.top_k_accuracy_score(labels, probabilities, k=5, labels=range(classes)),
            metrics.log_loss(labels, probabilities.numpy(), labels=range(classes)),
            metrics.balanced_accuracy_score(labels, said),
            metrics.f1_score(labels, said, average="macro"),
            metrics.matthews_corrcoef(labels, said),
            multiclass_calibration_error(probabilities, torch.tensor(labels), num_classes=classes, n_bins=15).item(),
        ]

    def interval(statistic):
        result = stats.bootstrap(
            (labels, said), statistic, paired=True, vectorized=False, n_resamples=20000, method="percentile", rng=rng
        )
        return result.confidence_interval

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        intervals = [interval(metrics.accuracy_score), interval(metrics.matthews_corrcoef)]
    return {
        "logits": logits,
        "label": labels,
        "whole": np.array(whole),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "confusion": matrix.astype(np.int64),
        "intervals": np.array(intervals),
    }


def compare():
    """McNemar's exact test is a binomial test of the pairs that differ."""
    pairs = [(0, 0), (1, 0), (5, 9), (0, 12), (40, 61), (700, 600), (3000, 3400)]
    return {
        "pairs": np.array(pairs, dtype=np.int64),
        "p": np.array([stats.binomtest(a, a + b).pvalue if a + b else 1.0 for a, b in pairs]),
    }


def cluster():
    """Lloyd's iterations from given centres, one of which no row is near, and the best of many starts."""
    rng = np.random.default_rng(9)
    values, labels = clusters(rng, 300, 9, 6, 0.6)
    values += 3
    start = values[:6].astype(np.float64)
    start[5] = 1000
    model = KMeans(6, init=start, n_init=1, tol=0, algorithm="lloyd").fit(values.astype(np.float64))
    best = KMeans(6, n_init=100, tol=0, random_state=0).fit(values.astype(np.float64))
    other = rng.integers(0, 4, size=300).astype(np.int32)
    one = np.zeros(300, np.int32)
    pairs = [(labels, model.labels_), (labels, other), (one, other), (one, one), (other, other)]
    matrices = [metrics.cluster.contingency_matrix(a, b) for a, b in pairs]
    return {
        "features": values,
        "label": labels,
        "start": start,
        "assignment": model.labels_.astype(np.int32),
        "centres": model.cluster_centers_,
        "inertia": np.array([model.inertia_, best.inertia_]),
        "other": other,
        "nmi": np.array([metrics.normalized_mutual_info_score(a, b) for a, b in pairs]),
        "ari": np.array([metrics.adjusted_rand_score(a, b) for a, b in pairs]),
        "purity": np.array([m.max(0).sum() / m.sum() for m in matrices]),
    }


def retrieve():
    """Average precision by scikit-learn, of cosines in double precision. No image of the bank has the last query's label."""
    rng = np.random.default_rng(4)
    bank, bank_labels = clusters(rng, 120, 7, 5, 1.5)
    queries, labels = bank[:30] + rng.normal(size=(30, 7)).astype(np.float32), bank_labels[:30].copy()
    queries, labels[29] = queries.astype(np.float32), 9
    unit = lambda x: x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    scores = unit(queries) @ unit(bank).T
    precisions, early, first = [], [], []
    for row, label in zip(scores[:29], labels[:29]):
        relevant = bank_labels == label
        order = np.argsort(-row)
        precisions.append(metrics.average_precision_score(relevant, row))
        early.append(relevant[order[: relevant.sum()]].mean())
        first.append(relevant[order[0]])
    return {
        "bank": bank,
        "bank_label": bank_labels,
        "queries": queries,
        "query_label": labels,
        "average_precision": np.array(precisions),
        "r_precision": np.array(early),
        "first": np.array(first).astype(np.int32),
        "nearest": np.argsort(-scores, axis=1)[:, :4].astype(np.int32),
    }


def segment():
    """Maps of class ids of pictures of several sizes, 255 without a class. Class 3 is nowhere, class 5 is never true and sometimes said.
    A mean over classes leaves those out that are nowhere, as mmsegmentation's does."""
    rng = np.random.default_rng(6)
    classes, sizes = 7, [(12, 17), (9, 9), (30, 4), (16, 16), (1, 1), (20, 11)]
    labels, said = [], []
    for height, width in sizes:
        true = rng.integers(0, 3, size=(height, width)) + 4 * (rng.random((height, width)) < 0.3)
        true[true == 5] = 4
        own = np.where(rng.random((height, width)) < 0.6, true, rng.integers(0, classes, size=(height, width)))
        own[own == 3] = 2
        true[rng.random((height, width)) < 0.1] = 255
        labels.append(true.ravel().astype(np.uint8))
        said.append(own.ravel().astype(np.uint8))
    everywhere, every = np.concatenate(labels), np.concatenate(said)
    valid = everywhere != 255
    true, own = everywhere[valid], every[valid]
    there = np.unique(np.concatenate([true, own]))
    iou, accuracy = np.full(classes, np.nan), np.full(classes, np.nan)
    iou[there] = metrics.jaccard_score(true, own, labels=there, average=None)
    true_there = np.unique(true)
    accuracy[true_there] = metrics.recall_score(true, own, labels=true_there, average=None)
    return {
        "label": everywhere,
        "predicted": every,
        "pixels": np.array([h * w for h, w in sizes], dtype=np.int64),
        "confusion": metrics.confusion_matrix(true, own, labels=range(classes)).astype(np.int64),
        "iou": iou,
        "accuracy": accuracy,
        "whole": np.array([np.nanmean(iou), np.nanmean(accuracy), metrics.accuracy_score(true, own)]),
    }


def sets():
    """Sets of classes: one class of nobody, one of all but a few, one never said, and equal scores among the others."""
    rng = np.random.default_rng(6)
    rows, classes = 150, 6
    member = rng.random((rows, classes)) < np.array([0.3, 0.5, 0.0, 0.95, 0.1, 0.2])
    logits = (2 * member - 1 + 1.5 * rng.normal(size=(rows, classes))).astype(np.float32)
    logits[:, 4] -= 20
    logits[:, 5] = np.round(logits[:, 5])  # Many are equal.
    logits[:, 5][logits[:, 5] == 0] = 1
    said = logits > 0
    known = [c for c in range(classes) if member[:, c].any()]
    precisions = [metrics.average_precision_score(member[:, c], logits[:, c]) if c in known else np.nan for c in range(classes)]
    x = torch.tensor(logits, dtype=torch.float64)
    f1 = [metrics.f1_score(member[:, c], said[:, c], zero_division=np.nan) for c in range(classes)]
    whole = [
        np.nanmean(precisions),
        torch.nn.functional.binary_cross_entropy_with_logits(x, torch.tensor(member, dtype=torch.float64)).item(),
        metrics.f1_score(member, said, average="micro"),
        np.nanmean(f1),
        metrics.accuracy_score(member, said),
    ]
    return {
        "logits": logits,
        "member": member.astype(np.uint8),
        "whole": np.array(whole),
        "ap": np.array(precisions),
        "f1": np.array(f1),
        "recall": np.array([metrics.recall_score(member[:, c], said[:, c], zero_division=np.nan) for c in range(classes)]),
        "precision": np.array([metrics.precision_score(member[:, c], said[:, c], zero_division=np.nan) for c in range(classes)]),
    }


def main(folder):
    warnings.simplefilter("error")
    for make in [scaling, whitening, linear, classify, compare, cluster, retrieve, segment, sets]:
        tensors = {name: np.ascontiguousarray(value) for name, value in make().items()}
        save_file(tensors, f"{folder}/{make.__name__}.safetensors")


main(sys.argv[1])
