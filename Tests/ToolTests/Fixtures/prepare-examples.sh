#!/bin/sh
# Makes, in the current folder, the files that the examples of the man pages start from (see ../README.md).
# usage: prepare-examples.sh FOLDER, where FOLDER is `examples` beside this script. The tools are found in PATH.
set -eu
cp -r "$1"/. .
for part in train t10k; do
  pmae-pack --quiet --output $part.stz --labels $part-labels-idx1-ubyte.gz $part-images-idx3-ubyte.gz
done
cp train.stz images.stz
mv t10k.stz test.stz
pmae-augment --quiet --views simple,complex --size 28 --epochs 2 --output views.stz images.stz
pmae-augment --quiet --views center --size 28 --output center.stz test.stz
pmae-pretrain --quiet --output run --image 28 --patch 7 --width 32 --depth 2 --heads 2 \
  --decoder-width 32 --decoder-depth 1 --decoder-heads 2 --head-hidden 32 --head-bottleneck 16 --prototypes 16 \
  --batch 16 --epochs 2 --warmup-epochs 1 --steps 4 views.stz
pmae-export --quiet --part labelling-teacher --output encoder.stz run/checkpoint.stz
