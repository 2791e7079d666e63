#!/bin/sh
# Runs two commands in turn (A B A B ...), keeps what each run says of its speed, and prints it with the ratios of A to B.
# usage: benchmark-pairs.sh FILE.tsv TITLE PAIRS NAME-A COMMAND-A [NAME-B COMMAND-B]
#
# In turn, so that a machine that slows down (heat, neighbours) slows both; the ratio is taken within each pair. At least five
# pairs: fewer say nothing about the spread. Without B, A runs PAIRS times (at least once). What a command has to print is in
# benchmark-measure.sh; the table, and how to print it again, in benchmark-report.sh. FILE.tsv is written when all runs are
# done; until then, and after a failure, what was measured is in FILE.tsv.part.
set -eu
usage='usage: benchmark-pairs.sh FILE.tsv TITLE PAIRS NAME-A COMMAND-A [NAME-B COMMAND-B]'
here=$(dirname "$0")
case $# in 5 | 7) ;; *) echo "$usage" >&2; exit 64 ;; esac
file=$1 title=$2 pairs=$3 name_a=$4 command_a=$5 name_b=${6-} command_b=${7-}

case $pairs in '' | *[!0-9]*) echo "benchmark-pairs: PAIRS is $pairs: expected a number" >&2; exit 64 ;; esac
least=1
if [ -n "$name_b" ]; then least=5; fi
if [ "$pairs" -lt "$least" ]; then
  echo "benchmark-pairs: PAIRS is $pairs: expected $least or more" >&2
  exit 64
fi

"$here/benchmark-head.sh" pairs "$title" >"$file.part"
printf '# a\t%s\t%s\n' "$name_a" "$command_a" >>"$file.part"
[ -z "$name_b" ] || printf '# b\t%s\t%s\n' "$name_b" "$command_b" >>"$file.part"
printf 'pair\tside\timages_per_second\tpeak_mib\tgflop_per_second\n' >>"$file.part"

# run SIDE NAME COMMAND: measures, keeps, and tells how far it is.
run() {
  measured=$("$here/benchmark-measure.sh" "$3")
  printf '%s\t%s\t%s\n' "$pair" "$1" "$measured" >>"$file.part"
  echo "$title: run $pair of $pairs: $2: $(echo "$measured" | cut -f 1) images/s" >&2
}
pair=1
while [ "$pair" -le "$pairs" ]; do
  run a "$name_a" "$command_a"
  [ -z "$name_b" ] || run b "$name_b" "$command_b"
  pair=$((pair + 1))
done
mv "$file.part" "$file"
"$here/benchmark-report.sh" "$file"
