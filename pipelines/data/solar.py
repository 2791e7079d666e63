"""The solar cells of PyPI's elpv-dataset: lists for pmae-pack, and classifiers of their pixels to compare with.
usage: solar.py lists OUT REPEATS [SEED]           OUT/cells (a link to the pictures), OUT/all.csv, OUT/split0/train.csv, OUT/split0/test.csv, …
       solar.py pixels MODEL TRAIN.csv TEST.csv SIDE          a line a test picture: its name, its label, its class (tabs between)

A cell whose probability of a defect is 1/2 or more is defective, any other functional. Splits are stratified by probability and by the
kind of the cell (mono- or polycrystalline); a quarter is for the test.
MODEL is logistic (logistic regression, its C chosen on a fifth of the training cells) or svm (C-SVM, RBF, C = 10), both scikit-learn's,
on the grey pixels of the picture made SIDE x SIDE, standardised by the training cells."""
import csv, sys
from pathlib import Path

import numpy as np


def lists(out, repeats, seed):
    import elpv_dataset
    from sklearn.model_selection import StratifiedShuffleSplit

    data = Path(elpv_dataset.__file__).parent / "data"
    rows = [line.split() for line in (data / "labels.csv").read_text().splitlines()]
    if len(rows) != 2624 or any(len(row) != 3 for row in rows): raise SystemExit(f"solar.py: {data}/labels.csv: expected 2,624 lines of a picture, a probability and a kind")
    labelled = [(path, "defective" if float(p) >= 0.5 else "functional") for path, p, _ in rows]

    def write(path, chosen):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="") as file: csv.writer(file).writerows([("path", "label")] + [labelled[i] for i in chosen])

    link = out / "cells"
    link.unlink(missing_ok=True)
    link.symlink_to(data)
    write(out / "all.csv", range(len(rows)))
    splits = StratifiedShuffleSplit(repeats, test_size=0.25, random_state=seed)
    for k, (train, test) in enumerate(splits.split(rows, [f"{p} {kind}" for _, p, kind in rows])):
        write(out / f"split{k}" / "train.csv", sorted(train))
        write(out / f"split{k}" / "test.csv", sorted(test))


def pixels(model, train, test, side):
    from PIL import Image
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    def read(path):
        with open(path, newline="") as file: rows = list(csv.reader(file))[1:]
        cells = path.parents[1] / "cells"
        return np.stack([np.asarray(Image.open(cells / name).convert("L").resize((side, side), Image.Resampling.BICUBIC)).ravel() / 255 for name, _ in rows]), rows

    (x, rows), (asked, test_rows) = read(train), read(test)
    y, scale = [label for _, label in rows], StandardScaler().fit(x)
    x, asked = scale.transform(x), scale.transform(asked)
    if model == "svm":
        fitted = SVC(C=10).fit(x, y)
    else:
        a, b, ya, yb = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
        c = max((1e-5, 1e-4, 1e-3, 1e-2), key=lambda c: LogisticRegression(C=c, max_iter=300).fit(a, ya).score(b, yb))
        fitted = LogisticRegression(C=c, max_iter=300).fit(x, y)
    print("name\tlabel\tclass")
    for (name, label), found in zip(test_rows, fitted.predict(asked)): print(name, label, found, sep="\t")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["lists", out, repeats, *seed]: lists(Path(out), int(repeats), int(*seed))
        case ["pixels", ("logistic" | "svm") as model, train, test, side]: pixels(model, Path(train), Path(test), int(side))
        case _: raise SystemExit(__doc__)
