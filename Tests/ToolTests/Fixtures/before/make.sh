#!/usr/bin/env bash
# Files as the tools of commit e04154a wrote them, before configurations had a version: run it in this folder with those tools in PATH.
# usage: make.sh EXAMPLES
#   EXAMPLES: the folder of the examples (../examples)
set -euo pipefail

tiny=(--image 14 --patch 7 --width 8 --depth 1 --heads 2)
decoder=(--decoder-width 8 --decoder-depth 1 --decoder-heads 2)
head=(--head-hidden 8 --head-bottleneck 4 --prototypes 8)

rm -rf images.stz views.stz run whole tuned tuned.stz whole-tuned.stz encoder.stz
pmae-pack --quiet --limit 8 "$1/photos" --output images.stz
pmae-augment --quiet --size 14 --epochs 2 --output views.stz images.stz
pmae-pretrain --quiet "${tiny[@]}" "${decoder[@]}" "${head[@]}" --batch 4 --output whole views.stz
pmae-pretrain --quiet "${tiny[@]}" "${decoder[@]}" "${head[@]}" --batch 4 --steps 3 --output run views.stz
pmae-export --quiet --part student --output encoder.stz whole
pmae-finetune --quiet --init encoder.stz --view simple --batch 4 --run whole-tuned --output whole-tuned.stz views.stz
# A run of fine-tuning stops early by a signal alone; one that has had its views is resumed with more epochs instead.
pmae-finetune --quiet --init encoder.stz --view simple --batch 4 --epochs 1 --warmup-epochs 0.2 --run tuned --output tuned.stz views.stz
rm -rf whole/config.json run/config.json tuned/config.json whole-tuned whole-tuned.stz tuned.stz ./*/.lock ./*/checkpoint-*.stz
