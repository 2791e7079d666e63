#!/bin/sh
# Runs a command, and prints how many images a second it made by the clock, as JSON for benchmark-measure.sh.
# usage: benchmark-clock.sh IMAGES COMMAND
#
# What the command writes to standard output goes nowhere.
set -eu
usage='usage: benchmark-clock.sh IMAGES COMMAND'
images=${1:?$usage} command=${2:?$usage}

start=$(date +%s%N)
sh -c "$command" >/dev/null
taken=$(($(date +%s%N) - start))
awk -v n="$images" -v t="$taken" \
  'BEGIN { printf "{\"images_per_second\":%.6g,\"peak_memory_mib\":null,\"gflop_per_second\":null}\n", n / t * 1e9 }'
