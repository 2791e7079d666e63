#!/bin/sh
# Runs a command, and prints how many images a second it made by the clock, its peak memory and its GFLOP/s, as JSON for
# benchmark-measure.sh.
# usage: benchmark-process.sh IMAGES GFLOP COMMAND [ARGUMENT...]
#
# IMAGES and GFLOP are those of the whole run. The peak is the process's own VmHWM, read twenty times a second. What the command
# writes to standard output goes nowhere.
set -eu
usage='usage: benchmark-process.sh IMAGES GFLOP COMMAND [ARGUMENT...]'
images=${1:?$usage} gflop=${2:?$usage}
: "${3:?$usage}"
shift 2

start=$(date +%s%N)
"$@" >/dev/null &
child=$!
trap 'kill "$child" 2>/dev/null; exit 143' INT TERM
peak=0
while kill -0 "$child" 2>/dev/null; do
  # The process ends at any moment: what was read last counts.
  now=$(awk '/^VmHWM:/ { print $2 }' "/proc/$child/status" 2>/dev/null) || now=
  peak=${now:-$peak}
  sleep 0.05
done
wait "$child"
taken=$(($(date +%s%N) - start))
awk -v n="$images" -v g="$gflop" -v k="$peak" -v t="$taken" 'BEGIN {
  printf "{\"images_per_second\":%.6g,\"peak_memory_mib\":%.6g,\"gflop_per_second\":%.6g}\n", n / t * 1e9, k / 1024, g / t * 1e9 }'
