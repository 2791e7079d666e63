#!/usr/bin/env bash
# Prints the tables of ablations.mk from its results: mean and deviation over the seeds of top-1 accuracy, in %.
# usage: ablations-table.sh [--tsv] RESULT.tsv...
#
# A RESULT has lines of cell, seed, epoch, measure and value. --tsv: all of them as one table with a header, sorted. Without it, the
# paper's tables, each of the cells that are there; then k-NN and linear probe against epochs. A deviation is that of a sample
# (n - 1); of one seed there is none. A mean of fewer seeds than the most that a cell has says of how many.
set -euo pipefail
usage='usage: ablations-table.sh [--tsv] RESULT.tsv...'
tsv=0
if [ "${1-}" = --tsv ]; then tsv=1; shift; fi
: "${1:?$usage}"

if ((tsv)); then
  printf 'cell\tseed\tepoch\tmeasure\ttop1\n'
  cat "$@" | LC_ALL=C sort -t $'\t' -k 1,1 -k 2,2n -k 3,3n -k 4,4
  exit
fi

awk -F '\t' '
  function key(cell, epoch, measure) { return cell SUBSEP epoch SUBSEP measure }
  function spread(cell, epoch, measure,   k, m, v) {
    k = key(cell, epoch, measure)
    if (!n[k]) return "-"
    m = s[k] / n[k]
    # About the first value, so that little is lost when the mean is taken off.
    v = n[k] > 1 ? (q[k] - n[k] * (m - first[k]) ^ 2) / (n[k] - 1) : 0
    return sprintf("%.2f", m) (n[k] > 1 ? sprintf(" ± %.2f", sqrt(v > 0 ? v : 0)) : "") (n[k] < most ? " (" n[k] ")" : "")
  }
  # printf counts bytes: ± has two.
  function padded(text, width,   length_) {
    length_ = length(text) - (index(text, "±") && length("±") > 1 ? 1 : 0)
    while (length_++ < width) text = " " text
    return text
  }
  function heading(title) {
    printf "%s%s\n%-42s", lines++ ? "\n" : "", title, ""
    for (i = 1; i <= measures; i++) printf "%s", padded(label[i], 17)
    print ""
  }
  function row(cell, text) {
    if (!(cell in last)) return
    printf "%-42s", text
    for (i = 1; i <= measures; i++) printf "%s", padded(spread(cell, last[cell], measure[i]), 17)
    print ""
  }
  NF != 5 || $5 !~ /^[0-9.]+$/ {
    printf "ablations-table: %s: line %d: expected cell, seed, epoch, measure and value, tabs between\n", FILENAME, FNR > "/dev/stderr"
    failed = 1
    exit 65
  }
  {
    k = key($1, $3, $4)
    if (!n[k]++) first[k] = $5
    if (n[k] > most) most = n[k]
    s[k] += $5
    q[k] += ($5 - first[k]) ^ 2
    if (!($1 in last) || $3 + 0 > last[$1]) last[$1] = $3 + 0
    if (!($3 in seen)) { seen[$3] = 1; epoch[++epochs] = $3 + 0 }
    if ($1 ~ /^momentum-/ && !($1 in known)) { known[$1] = 1; momentum[++momenta] = substr($1, 10) }
  }
  END {
    if (failed) exit 65
    measures = split("knn probe few all", measure, " ")
    split("k-NN;linear probe;few labels;all labels", label, ";")
    for (i = 2; i <= epochs; i++)
      for (j = i; j > 1 && epoch[j - 1] > epoch[j]; j--) { t = epoch[j]; epoch[j] = epoch[j - 1]; epoch[j - 1] = t }

    heading("Methods")
    row("scratch", "random weights, from scratch"); row("mae", "MAE"); row("sdae", "SdAE"); row("disentangled", "Pseudo MAE")
    heading("Teachers (table 6)")
    row("single-iteration", "single, each iteration"); row("single-epoch", "single, each epoch"); row("disentangled", "disentangled")
    heading("Label momentum at the start (table 7)")
    momentum[++momenta] = "0.996"
    for (i = 2; i <= momenta; i++)
      for (j = i; j > 1 && momentum[j - 1] + 0 > momentum[j] + 0; j--) {
        t = momentum[j]; momentum[j] = momentum[j - 1]; momentum[j - 1] = t
      }
    for (m = 1; m <= momenta; m++)
      row(momentum[m] == "0.996" && !("momentum-0.996" in last) ? "disentangled" : "momentum-" momentum[m], momentum[m])
    heading("Losses (table 8)")
    row("sdae", "L_m"); row("lambda-c", "L_m, L_c"); row("lambda-p", "L_m, L_p"); row("disentangled", "L_m, L_c, L_p")
    row("lambda-1", "L_m, L_c, L_p, each with weight 1")
    heading("Labels (table 9)")
    row("simple-1fold", "simple view, one fold"); row("simple-3fold", "simple view, multifold")
    row("complex-1fold", "complex view, one fold"); row("disentangled", "complex view, multifold")

    for (m = 1; m <= 2; m++) {
      printf "\n%s against epochs\n%-42s", label[m], ""
      for (e = 1; e <= epochs; e++) printf "%s", padded(epoch[e], 17)
      print ""
      for (cell in last) order[++cells] = cell
      for (i = 2; i <= cells; i++)
        for (j = i; j > 1 && order[j - 1] > order[j]; j--) { t = order[j]; order[j] = order[j - 1]; order[j - 1] = t }
      for (c = 1; c <= cells; c++) {
        printf "%-42s", order[c]
        for (e = 1; e <= epochs; e++) printf "%s", padded(spread(order[c], epoch[e], measure[m]), 17)
        print ""
      }
      cells = 0
      delete order
    }
  }' "$@"
