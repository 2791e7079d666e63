#!/usr/bin/env bash
# Draws k-NN and linear probe of ablations.mk's cells against epochs and against computing, as SVG on standard output, by gnuplot.
# usage: ablations-curves.sh RESULTS.tsv COSTS.tsv
#
# RESULTS has a header, then lines of cell, seed, epoch, measure and value; a point is the mean of the seeds. COSTS has lines of
# a cell and the GFLOP of one epoch of it. Cells without a cost (random weights) are left out.
set -euo pipefail
usage='usage: ablations-curves.sh RESULTS.tsv COSTS.tsv'
results=${1:?$usage} costs=${2:?$usage}
if ! command -v gnuplot > /dev/null; then
  echo 'ablations-curves: gnuplot is not in PATH: on Debian, apt-get install gnuplot-nox' >&2
  exit 66
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One file a measure: blocks of a cell each, its name first, then epoch, TFLOP and mean, two empty lines between blocks.
awk -F '\t' -v folder="$work" '
  function refuse(expected) {
    printf "ablations-curves: %s: line %d: expected %s, tabs between\n", FILENAME, FNR, expected > "/dev/stderr"
    failed = 1
    exit 65
  }
  FNR == 1 { files++ }
  files == 1 {
    if (NF != 2 || $2 !~ /^[0-9.]+$/) refuse("a cell and the GFLOP of an epoch")
    cost[$1] = $2
    next
  }
  FNR == 1 { next }
  NF != 5 || $5 !~ /^[0-9.]+$/ { refuse("cell, seed, epoch, measure and value") }
  ($4 == "knn" || $4 == "probe") && $1 in cost {
    if (!($1 in known)) { known[$1] = 1; cell[++cells] = $1 }
    if (!($3 in seen)) { seen[$3] = 1; epoch[++epochs] = $3 + 0 }
    sum[$4, $1, $3 + 0] += $5
    count[$4, $1, $3 + 0]++
  }
  END {
    if (failed) exit 65
    if (!cells) { print "ablations-curves: no cell has both a result and a cost" > "/dev/stderr"; exit 65 }
    for (i = 2; i <= epochs; i++)
      for (j = i; j > 1 && epoch[j - 1] > epoch[j]; j--) { t = epoch[j]; epoch[j] = epoch[j - 1]; epoch[j - 1] = t }
    measures = split("knn probe", measure, " ")
    for (m = 1; m <= measures; m++)
      for (c = 1; c <= cells; c++) {
        points = ""
        for (e = 1; e <= epochs; e++) {
          n = count[measure[m], cell[c], epoch[e]]
          if (n)
            points = points sprintf("%d %g %.3f\n", epoch[e], epoch[e] * cost[cell[c]] / 1000, \
              sum[measure[m], cell[c], epoch[e]] / n)
        }
        if (points != "") printf "\"%s\"\n%s\n\n", cell[c], points > (folder "/" measure[m])
      }
  }' "$costs" "$results"

cd "$work"
cat > script << 'SCRIPT'
set terminal svg size 1000,760 dynamic background rgb 'white' font 'sans-serif,13'
set multiplot layout words(measures),2
set key bottom right noenhanced
set grid
set ylabel 'top-1, %'
do for [m = 1:words(measures)] {
  measure = word(measures, m)
  do for [by = 1:2] {
    set title (measure eq 'knn' ? 'k-NN' : 'linear probe') . ' against ' . (by == 1 ? 'epochs' : 'computing')
    set xlabel (by == 1 ? 'epochs' : 'TFLOP')
    if (by == 2) { set logscale x } else { unset logscale x }
    # The name of a cell is the first line of its block.
    plot for [c = 0:word(cells, m) - 1] measure index c using by:3 with linespoints pt 7 ps 0.5 lw 2 title columnheader(1)
  }
}
unset multiplot
SCRIPT
measures='' cells=''
for measure in knn probe; do
  if [ -e $measure ]; then measures+="$measure " cells+="$(grep -c '^"' $measure) "; fi
done
gnuplot -e "measures = '$measures'; cells = '$cells'" script
