#!/bin/sh
# Times pmae-pretrain as the batch, the picture and the model grow, and prints a table: images/s, peak memory, GFLOP/s.
# usage: benchmark-scaling.sh FOLDER STEPS OPTIONS GROUP:MODEL:IMAGE:BATCH...
#
# A row for each GROUP:MODEL:IMAGE:BATCH, in groups; a configuration that comes twice is measured once. OPTIONS, one word for the
# shell, go to every run. FOLDER gets the views and, when all is measured, scaling.tsv; until then scaling.tsv.part.
set -eu
usage='usage: benchmark-scaling.sh FOLDER STEPS OPTIONS GROUP:MODEL:IMAGE:BATCH...'
here=$(dirname "$0")
folder=${1:?$usage} steps=${2:?$usage} options=${3?$usage}
shift 3
[ $# -gt 0 ] || { echo "$usage" >&2; exit 64; }
part=$folder/scaling.tsv.part

for row; do
  case $row in
    *:*:*:*:* | *:*:*:*[!0-9]* | *:) ;;
    *:*:*:*) continue ;;
  esac
  echo "benchmark-scaling: $row: expected GROUP:MODEL:IMAGE:BATCH" >&2
  exit 64
done

# timed MODEL:IMAGE:BATCH: the command that times it.
timed() {
  # shellcheck disable=SC2086 # OPTIONS are words.
  "$here/benchmark-command.sh" "$folder" "$steps" --model "${1%%:*}" --image "$(echo "$1" | cut -d : -f 2)" \
    --batch "${1##*:}" $options
}

# The largest batches first: their views do for the smaller ones.
mkdir -p "$folder"
for row in $(printf '%s\n' "$@" | sort -t : -k 4,4nr); do timed "${row#*:}" >"$part"; done

"$here/benchmark-head.sh" scaling "scaling, patch 16, $options, steps a run: $steps" >"$part"
printf 'group\tmodel\timage\tbatch\timages_per_second\tpeak_mib\tgflop_per_second\n' >>"$part"
tab=$(printf '\t')
for row; do
  key=$(echo "${row#*:}" | tr : '\t')
  measured=$(cut -f 2- "$part" | grep -m 1 "^$key$tab" | cut -f 4-) || measured=
  if [ -z "$measured" ]; then
    run=$(timed "${row#*:}")
    measured=$("$here/benchmark-measure.sh" "$run")
    echo "scaling: $row: $(echo "$measured" | cut -f 1) images/s" >&2
  fi
  printf '%s\t%s\t%s\n' "${row%%:*}" "$key" "$measured" >>"$part"
done
mv "$part" "$folder/scaling.tsv"
"$here/benchmark-report.sh" "$folder/scaling.tsv"
