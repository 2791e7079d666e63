#!/bin/sh
# Prints the first lines of a file of results: what was measured, when, and on what machine.
# usage: benchmark-head.sh KIND TITLE
set -eu
kind=${1:?usage: benchmark-head.sh KIND TITLE} title=${2:?usage: benchmark-head.sh KIND TITLE}
machine=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)
printf '# kind\t%s\n# title\t%s\n# date\t%s\n# machine\t%s, %s cores\n' \
  "$kind" "$title" "$(date -u +%Y-%m-%dT%H:%MZ)" "${machine:-$(uname -m)}" "$(getconf _NPROCESSORS_ONLN)"
