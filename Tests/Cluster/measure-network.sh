#!/usr/bin/env bash
# Times steps of pmae-pretrain on ranks that are connected by networks of several speeds: what the model of pmae-pretrain --plan
# was fitted to, and what it is checked against. As root, on an idle machine; about ten minutes.
# usage: measure-network.sh FOLDER OUTPUT, where FOLDER has the tools, built with MPI
#
# A row of OUTPUT is a run: whether it is to fit or to check, model, ranks, rate, delay in microseconds, wire, images of a rank,
# weights that are trained, seconds of a step and MiB of as many processes that do not speak with each other, and those of a rank. There may be more ranks
# than cores: those that do not speak are slowed as much. Rows that are there already are not measured again.
set -euo pipefail

tools=$(cd "$1" && pwd) output=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH=$tools:$PATH
work=$(mktemp -d)
trap '"$here/network.sh" down; rm -rf "$work"' EXIT
steps=6

# Whatever views: all are noise.
"$here/../../pipelines/benchmark-noise.sh" 256 96 "$work/noise" "$work/pictures.stz"
pmae-augment --quiet --no-labels --size 96 --output "$work/views.stz" "$work/pictures.stz"

# set_command MODEL BATCH: a run.
set_command() {
  command=(pmae-pretrain --model "$1" --image 96 --batch "$2" --threads 1 --epochs 1 --warmup-epochs 0 --steps "$steps" --overwrite --quiet)
}
# A field of profiles, the mean of all.
mean() { cat "${@:2}" | grep -o "\"$1\":[0-9.]*" | awk -F : '{ sum += $2 } END { print sum / NR }'; }

# The weights that a run trained: each has two moments.
weights() {
  pmae-inspect --json "$1" | tr '{' '\n' | sed -n 's/.*"name":"optimizer\.[^"]*","shape":\[\([0-9,]*\)\].*/\1/p' \
    | awk -F , '{ n = 1; for (i = 1; i <= NF; i++) n *= $i; sum += n } END { printf "%d\n", sum / 2 }'
}

# alone MODEL IMAGES PROCESSES: weights, seconds of a step and MiB of processes that do not speak.
alone() {
  local i pids=()
  set_command "$1" "$2"
  for ((i = 1; i <= $3; i++)); do
    "${command[@]}" --output "$work/alone$i" --profile-json "$work/alone$i.json" "$work/views.stz" &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i"; done
  printf '%s\t%.4f\t%.0f\n' "$(weights "$work/alone1/checkpoint.stz")" "$(mean seconds_per_step "$work"/alone?.json)" \
    "$(mean peak_memory_mib "$work"/alone?.json)"
  rm -rf "$work"/alone*
}

[[ -e $output ]] || printf '%s\t' use model ranks rate microseconds wire images weights alone alone_mib seconds mib | sed 's/\t$/\n/' >"$output"
while read -r use model ranks rate delay wire images; do
  row=$(printf '%s\t' "$use" "$model" "$ranks" "$rate" "$delay" "$wire" "$images")
  grep -qF "$row" "$output" && continue
  base=$work/base-$model-$ranks-$images
  [[ -e $base ]] || alone "$model" "$images" "$ranks" >"$base"
  "$here/network.sh" up "$ranks" "$rate" "$delay"
  # The first rank alone writes a profile.
  set_command "$model" $((images * ranks))
  "$here/network.sh" mpirun -n "$ranks" "${command[@]}" --wire "$wire" --output "$work/run" \
    --profile-json "$work/profile.json" "$work/views.stz" </dev/null
  printf '%s%s\t%.4f\t%.0f\n' "$row" "$(<"$base")" "$(mean seconds_per_step "$work/profile.json")" \
    "$(mean peak_memory_mib "$work/profile.json")" | tee -a "$output"
  rm -rf "$work/run" "$work/profile.json"
done <<'ROWS'
fit vit-tiny 2 none 0 float32 8
fit vit-tiny 2 10gbit 0 float32 8
fit vit-tiny 2 2500mbit 0 float32 8
fit vit-tiny 2 1gbit 0 float32 8
fit vit-tiny 2 500mbit 0 float32 8
fit vit-tiny 2 10gbit 50 float32 8
fit vit-tiny 2 10gbit 500 float32 8
fit vit-tiny 2 1gbit 500 float32 8
fit vit-tiny 4 10gbit 0 float32 8
fit vit-tiny 4 1gbit 0 float32 8
fit vit-tiny 4 10gbit 500 float32 8
check vit-small 2 25gbit 50 float32 8
check vit-small 2 10gbit 50 float32 8
check vit-small 2 10gbit 500 float32 8
check vit-small 2 1gbit 0 float32 8
check vit-small 2 1gbit 0 bfloat16 8
check vit-small 3 2500mbit 50 float32 8
check vit-small 4 10gbit 50 float32 8
check vit-small 4 1gbit 500 float32 8
ROWS
