#!/usr/bin/env bash
# Checks runs on two hosts of a slow network, while gradients are on their way: ranks that are killed at random moments, and a host that is
# cut off. usage: network-faults.sh FOLDER [KILLS], where FOLDER has the tools, built with MPI. As root.
set -euo pipefail

tools=$(cd "$1" && pwd) kills=${2:-6}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH=$tools:$PATH
work=$(mktemp -d)
trap '"$here/network.sh" down; rm -rf "$work"' EXIT
fail() {
  echo "network-faults.sh: $*" >&2
  exit 1
}

"$here/../../pipelines/benchmark-noise.sh" 128 96 "$work/noise" "$work/pictures.stz"
pmae-augment --quiet --no-labels --size 96 --output "$work/views.stz" "$work/pictures.stz"
"$here/network.sh" up 2 1gbit 500
# Ten buckets of gradients a step.
run() {
  mkdir -p "$work/$1"
  cd "$work/$1"
  "$here/network.sh" mpirun -n 2 pmae-pretrain --model vit-tiny --image 96 --batch 8 --threads 1 --epochs 1 --warmup-epochs 0 --steps 8 \
    --checkpoint-every 1 --resume --quiet --timeout "${2:-60}" --output run ../views.stz
}
# rank NUMBER: its process.
rank() {
  local file
  for file in /proc/[0-9]*/environ; do
    if grep -zqsx "OMPI_COMM_WORLD_RANK=$1" "$file" && grep -qsx pmae-pretrain "${file%environ}comm"; then basename "${file%/environ}"; fi
  done
}

run whole
for ((kill = 0; kill < kills; kill++)); do
  run killed 2>"$work/errors" &
  sleep "$((1 + RANDOM % 5)).$((RANDOM % 10))"
  for process in $(rank $((kill % 2))); do kill -KILL "$process" || true; done
  wait $! || true
done
run killed
cmp "$work/whole/run/checkpoint.stz" "$work/killed/run/checkpoint.stz" || fail 'a run that was killed ends in other bits'
echo "network-faults.sh: $kills ranks killed while gradients travel: the same bits"

run cut 4 2>"$work/errors" &
until [[ -s $work/cut/run/checkpoint.stz ]]; do sleep 0.1; done
ip -n pmae2 link set eth0 down
start=$SECONDS
# The launcher itself waits for the other host as long as TCP does.
until [[ -z $(rank 0)$(rank 1) ]]; do
  ((SECONDS - start < 30)) || fail 'a host that is cut off: the ranks wait'
  sleep 0.2
done
grep -q '^pmae-pretrain: rank 1 on pmae2: not heard of for 4 seconds' "$work/errors" \
  || { cat "$work/errors" >&2; fail 'a host that is cut off is not named'; }
pmae-inspect --check "$work/cut/run/checkpoint.stz" >/dev/null || fail 'a host that is cut off leaves a broken checkpoint'
echo "network-faults.sh: a host that is cut off is named, and all ranks end, after $((SECONDS - start)) seconds"
