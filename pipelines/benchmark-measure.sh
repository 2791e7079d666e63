#!/bin/sh
# Runs a command that says how fast it was, and prints three columns, tabs between: images/s, peak memory in MiB, GFLOP/s.
# usage: benchmark-measure.sh COMMAND
#
# Of what the command writes, to standard output or standard error, the last line counts that is JSON with images_per_second (and
# peak_memory_mib and gflop_per_second, as pmae-pretrain --profile-json - prints it); a peer, where there is no such line, may print
# `N images/s` and, on the same line, `peak N MiB` or `peak memory N GiB`, and `N GFLOP/s`. A column is `-` where it does not. Digits
# may be in groups (1,890.2). COMMAND is a line for sh. One that fails, and one without such a line, is an error, which shows the end
# of what it wrote; the exit status is the command's, or 65.
set -eu
command=${1:?usage: benchmark-measure.sh COMMAND}
[ $# -eq 1 ] || { echo 'usage: benchmark-measure.sh COMMAND' >&2; exit 64; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "benchmark-measure: $command: $2; the end of what it wrote:" >&2
  tail -n 40 "$log" >&2
  exit "$1"
}

status=0
sh -c "$command" >"$log" 2>&1 </dev/null || status=$?
[ "$status" -eq 0 ] || fail "$status" "ended with status $status"

if line=$(grep '^{.*"images_per_second"' "$log"); then
  columns=$(echo "$line" | tail -n 1 | pmae-evaluate table --rows file --value images_per_second --value peak_memory_mib \
    --value gflop_per_second --spread none --format tsv --no-header) || fail 65 'printed JSON that is no result'
  echo "$columns" | cut -f 2-
  exit
fi

awk '
  # The number in what matches, which starts a word: "1e3 images/s" is not 3.
  function number(pattern,   text) {
    if (!match(" " line, "[ (:=]" pattern)) return "-"
    text = substr(" " line, RSTART, RLENGTH)
    gsub(/[^0-9.]/, "", text)
    return text
  }
  BEGIN { digits = "[0-9][0-9,]*(\\.[0-9]+)?" }
  (" " $0) ~ ("[ (:=]" digits " images/s") { line = $0 }
  END {
    rate = number(digits " images/s")
    if (rate == "-" || rate + 0 == 0) exit 1
    peak = number("peak (memory )?" digits " MiB")
    if (peak == "-") {
      peak = number("peak (memory )?" digits " GiB")
      if (peak != "-") peak = sprintf("%.0f", 1024 * peak)
    }
    printf "%s\t%s\t%s\n", rate, peak, number(digits " GFLOP/s")
  }' "$log" || fail 65 'printed no images/s'
