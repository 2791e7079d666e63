#!/bin/sh
# Prints the results of benchmark.mk from the files they are kept in.
# usage: benchmark-report.sh [--memory] FILE.tsv...
#
# For pairs, each run, then the median with least and most, of the ratios too: a ratio is that of the two runs of a pair, and its
# median that of these ratios. For the scaling table, its rows. `-` is what a command did not say. --memory: of files of pairs, the
# peak memory alone.
set -eu
memory=0
if [ "${1-}" = --memory ]; then memory=1; shift; fi
[ $# -gt 0 ] || { echo 'usage: benchmark-report.sh [--memory] FILE.tsv...' >&2; exit 64; }

# said FILE KEY: what the first lines of a file say.
said() { sed -n "s/^# $2\t\([^\t]*\).*/\1/p" "$1"; }

if [ "$memory" = 1 ]; then
  pmae-evaluate table --title 'Peak memory, MiB: median (least..most)' --rows file --columns side --value peak_mib \
    --spread range --digits 0 --column "a=$(said "$1" a)" --column "b=$(said "$1" b)" "$@"
  [ -z "$(said "$1" b)" ] || pmae-evaluate table --rows file --ratio side=a/b --over pair --value peak_mib=ratio \
    --spread range --digits 3 "$@"
  exit
fi

rate='--value images_per_second=images/s' peak='--value peak_mib=MiB' flop='--value gflop_per_second=GFLOP/s'
for file; do
  said "$file" title
  echo "$(said "$file" date), $(said "$file" machine)"
  a=$(said "$file" a) b=$(said "$file" b)
  # shellcheck disable=SC2086 # Options are words.
  case $(said "$file" kind) in
    pairs)
      pmae-evaluate table --rows pair --heading run --columns side --column "a=$a" ${b:+--column "b=$b"} $rate $peak $flop \
        --spread none --significant 4 "$file"
      pmae-evaluate table --title 'median (least..most)' --rows side --row "a=$a" ${b:+--row "b=$b"} $rate $peak $flop \
        --spread range --significant 4 "$file"
      [ -z "$b" ] || pmae-evaluate table --rows side --ratio side=a/b --over pair --row "a/b=$a over $b" $rate \
        --value peak_mib=memory --spread range --digits 3 "$file"
      ;;
    scaling)
      for group in $(sed '/^#/d' "$file" | cut -f 1 | sed 1d | uniq); do
        pmae-evaluate table --title "as the $group grows" --where "group=$group" --rows model,image,batch $rate $peak $flop \
          --spread none --significant 4 "$file"
      done
      ;;
    *) echo "benchmark-report: $file: holds no results" >&2; exit 65 ;;
  esac
  echo
done
