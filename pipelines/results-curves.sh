#!/usr/bin/env bash
# Draws k-NN and logistic regression of the cells of methods.mk or ablations.mk against epochs and against computing, as SVG on standard
# output, by gnuplot. A dashed line is what raw pixels have.
# usage: results-curves.sh RESULTS.tsv COSTS.tsv STEPS
#
# RESULTS has a header, then lines of cell, seed, epoch, measure and top1; a point is the mean of the seeds. COSTS has a header, then
# lines of a cell and the GFLOP of one step of it; an epoch has STEPS. Other cells without a cost (random weights) are left out.
set -euo pipefail
usage='usage: results-curves.sh RESULTS.tsv COSTS.tsv STEPS'
results=$(realpath "${1:?$usage}") costs=$(realpath "${2:?$usage}") steps=${3:?$usage}
if ! command -v gnuplot > /dev/null; then
  echo 'results-curves: gnuplot is not in PATH: on Debian, apt-get install gnuplot-nox' >&2
  exit 66
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

pmae-evaluate table --rows cell --value gflop --scale "$steps" --spread none --format tsv --no-header "$costs" > computing
pmae-evaluate table --rows cell,epoch --columns measure --column knn --column linear --over seed --format tsv --no-header \
  "$results" > points

# One file a measure: blocks of a cell each, its name first, then epoch, TFLOP and mean, two empty lines between blocks.
measures='' cells='' pixels=''
column=3
for measure in knn linear; do
  drawn=0
  while IFS=$'\t' read -r cell gflop; do
    block=$(awk -F '\t' -v cell="$cell" -v gflop="$gflop" -v column=$column \
      '$1 == cell && $column != "-" { print $2, $2 * gflop / 1000, $column }' points)
    if [ -z "$block" ]; then continue; fi
    printf '"%s"\n%s\n\n\n' "$cell" "$block" >> $measure
    drawn=$((drawn + 1))
  done < computing
  if ((drawn)); then
    measures+="$measure " cells+="$drawn "
    pixels+="$(awk -F '\t' -v column=$column '$1 == "pixels" && $column != "-" { found = $column } END { print found ? found : "-" }' points) "
  fi
  column=$((column + 3))
done
if [ -z "$measures" ]; then
  echo "results-curves: no cell of $results has a cost in $costs" >&2
  exit 65
fi

cat > script << 'SCRIPT'
set terminal svg size 1000,760 dynamic background rgb 'white' font 'sans-serif,13'
set multiplot layout words(measures),2
set key below noenhanced
set grid
set ylabel 'top-1, %'
set samples 2
do for [m = 1:words(measures)] {
  measure = word(measures, m)
  do for [by = 1:2] {
    set title (measure eq 'knn' ? 'k-NN' : 'logistic regression') . ' against ' . (by == 1 ? 'epochs' : 'computing')
    set xlabel (by == 1 ? 'epochs' : 'TFLOP')
    if (by == 2) { set logscale x } else { unset logscale x }
    # The name of a cell is the first line of its block.
    plot for [c = 0:word(cells, m) - 1] measure index c using by:3 with linespoints pt 7 ps 0.5 lw 2 title columnheader(1), \
      word(pixels, m) eq '-' ? NaN : real(word(pixels, m)) dt 2 lc 'black' title word(pixels, m) eq '-' ? '' : 'pixels'
  }
}
unset multiplot
SCRIPT
gnuplot -e "measures = '$measures'; cells = '$cells'; pixels = '$pixels'" script
