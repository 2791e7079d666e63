#!/usr/bin/env bash
# Prints what was measured of a cell with one seed, a line each, tabs between: cell, seed, epoch, measure, top-1 in %.
# usage: ablations-result.sh CELL SEED FILE.json...
#
# A FILE is epochE.MEASURE.json, JSON lines of pmae-evaluate, of which the first counts.
set -euo pipefail
usage='usage: ablations-result.sh CELL SEED FILE.json...'
cell=${1:?$usage} seed=${2:?$usage}
shift 2
for file; do
  name=$(basename "$file" .json)
  epoch=${name%%.*}
  value=$(sed -n '1s/.*"top1":\([0-9.eE+-]*\).*/\1/p' "$file")
  if [ -z "$value" ]; then
    echo "ablations-result: $file: has no top1" >&2
    exit 65
  fi
  printf '%s\t%s\t%s\t%s\t%s\n' "$cell" "$seed" "${epoch#epoch}" "${name#*.}" "$(awk -v v="$value" 'BEGIN { printf "%.2f", 100 * v }')"
done
