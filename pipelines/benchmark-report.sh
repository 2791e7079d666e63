#!/bin/sh
# Prints the results of benchmark.mk from the files they are kept in.
# usage: benchmark-report.sh [--memory] FILE.tsv...
#
# For pairs, each run, then median, least and most, of the ratios too: a ratio is that of the two runs of a pair, and its
# median that of these ratios (of an even number, the mean of the middle two). For the scaling table, its rows. `-` is what a
# command did not say. --memory: of each file of pairs, the peak memory alone, on a line.
set -eu
memory=0
if [ "${1-}" = --memory ]; then memory=1; shift; fi
[ $# -gt 0 ] || { echo 'usage: benchmark-report.sh [--memory] FILE.tsv...' >&2; exit 64; }

if [ "$memory" = 1 ]; then
  printf '%-28s %14s %14s   %-s\n' 'peak memory, MiB' pmae-pretrain peer 'ratio (least..most)'
fi
for file; do
  awk -F '\t' -v memory="$memory" '
    # The runs of one column, in order: value[column, 1...count]; "-" in any of them leaves the column out.
    function sorted(column,   i, j, v) {
      for (i = 1; i <= count; i++) {
        if (value[column, i] == "-" || value[column, i] == "") return 0
        v = value[column, i] + 0
        for (j = i - 1; j > 0 && order[j] > v; j--) order[j + 1] = order[j]
        order[j + 1] = v
      }
      return count > 0
    }
    function median(column,   half) {
      if (!sorted(column)) return "-"
      half = int((count + 1) / 2)
      return count % 2 ? order[half] : (order[half] + order[half + 1]) / 2
    }
    function least(column) { return sorted(column) ? order[1] : "-" }
    function most(column) { return sorted(column) ? order[count] : "-" }
    function ratio(a, b) { return a == "-" || b == "-" || b + 0 == 0 ? "-" : a / b }
    function show(v, format) { return v == "-" ? v : sprintf(format, v) }
    function rate(v) { return show(v, v < 100 ? "%.3f" : "%.1f") }
    function spread(column) {
      return show(median(column), "%.3f") " (" show(least(column), "%.3f") ".." show(most(column), "%.3f") ")"
    }
    # One line of the table; `of` is 1...count for a run, or the name of a statistic.
    function cell(column, of) {
      return of == "median" ? median(column) : of == "least" ? least(column) : of == "most" ? most(column) : value[column, of]
    }
    function side(s, of) {
      return sprintf("%12s %9s %9s", rate(cell(s "rate", of)), show(cell(s "peak", of), "%.0f"), show(cell(s "flop", of), "%.1f"))
    }
    function line(of) {
      printf "%-7s%s", of, side("a", of)
      if (two) printf "  %s%12s %7s", side("b", of), show(cell("rate", of), "%.3f"), show(cell("peak", of), "%.3f")
      print ""
    }
    $1 == "# kind" { kind = $2 }
    $1 == "# title" { title = $2 }
    $1 == "# date" { date = $2 }
    $1 == "# machine" { machine = $2 }
    $1 == "# a" { name["a"] = $2 }
    $1 == "# b" { name["b"] = $2; two = 1 }
    /^#/ { next }
    kind == "pairs" && $1 ~ /^[0-9]+$/ {
      value[$2 "rate", $1] = $3; value[$2 "peak", $1] = $4; value[$2 "flop", $1] = $5
      if ($2 == (two ? "b" : "a")) count = $1
    }
    kind == "scaling" && $4 ~ /^[0-9]+$/ {
      if (!rows++) {
        print title "\n" date ", " machine
        printf "%-12s %6s %6s %12s %9s %9s\n", "model", "image", "batch", "images/s", "peak MiB", "GFLOP/s"
      }
      if ($1 != group) print "as the " (group = $1) " grows"
      printf "%-12s %6s %6s %12s %9s %9s\n", $2, $3, $4, rate($5), show($6, "%.0f"), show($7, "%.1f")
    }
    END {
      if (kind != "pairs") exit(rows == 0)
      if (!count) exit 1
      for (i = 1; i <= count; i++) {
        value["rate", i] = two ? ratio(value["arate", i], value["brate", i]) : "-"
        value["peak", i] = two ? ratio(value["apeak", i], value["bpeak", i]) : "-"
      }
      if (memory) {
        sub(/,.*/, "", title)
        other = two ? show(median("bpeak"), "%.0f") : "-"
        printf "%-28s %14s %14s   %s\n", title, show(median("apeak"), "%.0f"), other, two ? spread("peak") : "-"
        exit
      }
      print title "\n" date ", " machine
      printf "%-7s%32s%s\n", "", name["a"], two ? sprintf("  %32s%20s", name["b"], "ratio") : ""
      columns = sprintf("%12s %9s %9s", "images/s", "peak MiB", "GFLOP/s")
      printf "%-7s%s%s\n", "run", columns, two ? sprintf("  %s%12s %7s", columns, "images/s", "peak") : ""
      for (i = 1; i <= count; i++) line(i)
      line("median"); line("least"); line("most")
      if (two) {
        printf "%s over %s, median of %d pairs (least..most): images/s %s", name["a"], name["b"], count, spread("rate")
        print median("peak") == "-" ? "" : ", peak memory " spread("peak")
      }
    }' "$file" || { echo "benchmark-report: $file: holds no results" >&2; exit 65; }
  [ "$memory" = 1 ] || echo
done
