#!/usr/bin/env python3
"""Prints a list of Flowers-102 as it is published: path, label and split of each picture, for pmae-pack.

usage: flowers.py FOLDER > list.csv    (needs scipy: Debian's python3-scipy)

FOLDER has imagelabels.mat and setid.mat. Labels are 1 to 102. The parts trnid and valid are `train`, which is what is usually
trained on; tstid is `test`. Paths start in FOLDER/jpg."""
import sys

from scipy.io import loadmat


def main(folder):
    labels = loadmat(f"{folder}/imagelabels.mat")["labels"].ravel()
    parts = loadmat(f"{folder}/setid.mat")
    print("path,label,split")
    for part, split in (("trnid", "train"), ("valid", "train"), ("tstid", "test")):
        for number in parts[part].ravel():
            print(f"image_{number:05}.jpg,{labels[number - 1]},{split}")


main(*sys.argv[1:])
