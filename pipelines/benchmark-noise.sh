#!/bin/sh
# Makes a stream of grey pictures of noise, each with a label of 256.
# usage: benchmark-noise.sh COUNT SIDE FOLDER OUTPUT
#
# FOLDER gets IDX files meanwhile, and is removed. OUTPUT appears when it is whole.
set -eu
usage='usage: benchmark-noise.sh COUNT SIDE FOLDER OUTPUT'
count=${1:?$usage} side=${2:?$usage} folder=${3:?$usage} output=${4:?$usage}
for number in "$count" "$side"; do
  case $number in *[!0-9]* | 0) echo "benchmark-noise: $number: expected a number from 1" >&2; exit 64 ;; esac
done

# A number as four bytes, the highest first.
big_endian() {
  for shift in 24 16 8 0; do printf '%b' "\\0$(printf %o $(($1 >> shift & 255)))"; done
}

mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
{
  printf '\000\000\010\003'
  for size in "$count" "$side" "$side"; do big_endian "$size"; done
  dd if=/dev/urandom bs=$((side * side)) count="$count" iflag=fullblock 2>/dev/null
} >"$folder/pictures-idx3-ubyte"
{
  printf '\000\000\010\001'
  big_endian "$count"
  dd if=/dev/urandom bs="$count" count=1 iflag=fullblock 2>/dev/null
} >"$folder/labels-idx1-ubyte"
pmae-pack --quiet --overwrite --output "$output" --labels "$folder/labels-idx1-ubyte" "$folder/pictures-idx3-ubyte"
