#!/usr/bin/env bash
# Draws what methods.mk or ablations.mk measured, one or several budgets beside each other, as SVG on standard output, by gnuplot: a
# panel a measure, a line a method, best above, a mark with the deviation of its seeds. A dashed line is what raw pixels have.
# usage: results-picture.sh NAME=RESULTS.tsv ...
#
# RESULTS has a header, then lines of cell, seed, epoch, measure and top1. Of epochs the last counts.
set -euo pipefail
usage='usage: results-picture.sh NAME=RESULTS.tsv ...'
if ! command -v gnuplot > /dev/null; then
  echo 'results-picture: gnuplot is not in PATH: on Debian, apt-get install gnuplot-nox' >&2
  exit 66
fi
: "${1:?$usage}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

measures=(knn linear few tuned all) names='' rows=0
for operand in "$@"; do
  if [[ $operand != *=* ]]; then echo "results-picture: $operand: expected NAME=RESULTS.tsv" >&2; exit 64; fi
  names+="'${operand%%=*}' "
  rows=$((rows + 1))
  # A line a cell: its name, then mean, deviation and number of seeds of each measure.
  pmae-evaluate table --rows cell --columns measure "${measures[@]/#/--column=}" --over seed --last epoch --format tsv --no-header \
    "${operand#*=}" > "$work/$rows"
done

# The methods in the order of the first file's fine-tuning on few labels, and what they are called.
awk -F '\t' 'BEGIN {
    split("mae=MAE;sdae=SdAE;sdae-pixels=SdAE, pixels;pseudo-mae=Pseudo MAE;pseudo-mae-pixels=Pseudo, pixels;dino=DINO;ibot=iBOT;moco-v3=MoCo v3;beit=BEiT;cae=CAE;simmim=SimMIM;scratch=from scratch", list, ";")
    for (i in list) { split(list[i], pair, "="); called[pair[1]] = pair[2] }
  }
  $1 != "pixels" { print ($11 == "-" ? -1 : $11) "\t" $1 "\t" ($1 in called ? called[$1] : $1) }' "$work/1" \
  | sort -t "$(printf '\t')" -k 1,1n | cut -f 2,3 > "$work/order"
if [ ! -s "$work/order" ]; then echo "results-picture: ${1#*=}: no method in it" >&2; exit 65; fi

# One file a measure and budget that has it: place, mean, deviation.
series=()
for ((row = 1; row <= rows; row++)); do
  column=2
  for measure in "${measures[@]}"; do
    awk -F '\t' -v column=$column -v shift="$(((rows + 1) - 2 * row))" '
      NR == FNR { place[$1] = NR; next }
      $1 in place && $column != "-" { print place[$1] + 0.12 * shift, $column, ($(column + 1) == "-" ? 0 : $(column + 1)) }
    ' "$work/order" "$work/$row" > "$work/$row-$measure"
    if [ -s "$work/$row-$measure" ]; then series[column / 3]+="$row "; fi
    column=$((column + 3))
  done
done
awk -F '\t' '$1 == "pixels" { print $2, $5, $8 }' "$work/1" > "$work/pixels"
read -r pixels1 pixels2 pixels3 < "$work/pixels" || true

labels=$(awk -F '\t' '{ printf "%s\"%s\" %d", (NR > 1 ? ", " : ""), $2, NR }' "$work/order")
blanks=$(awk '{ printf "%s\"\" %d", (NR > 1 ? ", " : ""), NR }' "$work/order")
lines=$(wc -l < "$work/order")
cd "$work"
cat > script << SCRIPT
set terminal svg size 1200,$((140 + 30 * lines)) dynamic background rgb 'white' font 'sans-serif,13'
measures = '${measures[*]}'
array names[$rows] = [$(sed "s/' '/', '/g; s/ $//" <<< "$names")]
array titles[5] = ['k-NN', 'logistic regression', 'few labels', 'fine-tuned, few labels', 'fine-tuned, all labels']
array series[5] = ['${series[0]-}', '${series[1]-}', '${series[2]-}', '${series[3]-}', '${series[4]-}']
array pixels[5] = ['${pixels1:--}', '${pixels2:--}', '${pixels3:--}', '-', '-']
set yrange [0.4:$lines.6]
set grid x
set tmargin 3
set bmargin 5
set xtics 2
set multiplot
do for [r = 1:$rows] { set label r '●  ' . names[r] at screen 0.1 + 0.15 * (r - 1), screen 0.05 textcolor linetype r }
set label $((rows + 1)) '- -  pixels' at screen 0.1 + 0.15 * $rows, screen 0.05
do for [m = 1:5] {
  set lmargin at screen 0.095 + 0.181 * (m - 1)
  set rmargin at screen 0.095 + 0.181 * m - 0.015
  set title titles[m]
  if (m == 1) { set ytics ($labels) } else { set ytics ($blanks) }
  if (m == 3) { set xlabel 'top-1, %' } else { unset xlabel }
  unset arrow
  if (pixels[m] ne '-') { set arrow from pixels[m] + 0, graph 0 to pixels[m] + 0, graph 1 nohead dashtype 2 lw 2 lc rgb 'black' }
  if (series[m] eq '') {
    set xrange [0:100]
    plot NaN notitle
  } else {
    set xrange [*:*]
    plot for [r in series[m]] r . '-' . word(measures, m) using 2:1:3 with xerrorbars pt 7 ps 0.7 lw 1.5 linetype r + 0 notitle
  }
}
unset multiplot
SCRIPT
gnuplot script
