#!/usr/bin/env bash
# Prints a table of top-1 and top-5 accuracy, in %, from what pmae-evaluate printed: a row for each line of each file.
# usage: accuracy-table.sh FILE.json...
set -euo pipefail
: "${1:?usage: accuracy-table.sh FILE.json...}"
printf '%-24s %8s %8s\n' '' top-1 top-5
for file; do
  name=$(basename "$file" .json)
  while read -r line; do
    value() { sed -n "s/.*\"$1\":\\([0-9.eE+-]*\\).*/\\1/p" <<<"$line"; }
    top1=$(value top1) top5=$(value top5) k=$(value k)
    if [ -z "$top1" ] || [ -z "$top5" ]; then
      echo "accuracy-table: $file: a line without top1 and top5: $line" >&2
      exit 65
    fi
    awk -v name="$name${k:+, k = $k}" -v a="$top1" -v b="$top5" \
      'BEGIN { printf "%-24s %8.2f %8.2f\n", name, 100 * a, 100 * b }'
  done <"$file"
done
