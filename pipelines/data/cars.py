#!/usr/bin/env python3
"""Prints a list of Stanford Cars as it is published: path, label and split of each picture, for pmae-pack.

usage: cars.py FOLDER > list.csv    (needs scipy: Debian's python3-scipy)

FOLDER has cars_train, cars_test, cars_test_annos_withlabels.mat, and in devkit cars_train_annos.mat and cars_meta.mat. Paths start
in FOLDER."""
import csv
import sys

from scipy.io import loadmat


def main(folder):
    names = [str(name[0]) for name in loadmat(f"{folder}/devkit/cars_meta.mat")["class_names"].ravel()]
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["path", "label", "split"])
    for file, split in (("devkit/cars_train_annos.mat", "train"), ("cars_test_annos_withlabels.mat", "test")):
        for row in loadmat(f"{folder}/{file}")["annotations"].ravel():
            rows.writerow([f"cars_{split}/{row['fname'].item()}", names[int(row["class"].item()) - 1], split])


main(*sys.argv[1:])
