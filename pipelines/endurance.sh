#!/bin/bash
# Kills a stage of endurance.mk at random moments, and compares what it leaves with a run that was left alone.
# usage: endurance.sh SCRIPT STAGE FOLDER KILLS SEED [VARIABLE=VALUE …]
set -euo pipefail
script=$1 stage=$2 out=$3 kills=$4
RANDOM=$((10#$5 % 32768))
shift 5
variables=("$@")
trainer=pmae-$stage

# The stage, by make, in a process group of its own.
start() {
  mkdir -p "$1"
  (cd "$1" && exec env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS setsid make -s -f "$script" "${variables[@]}" "$stage.done") \
    2>>"$out/$stage.log" &
  group=$!
}

# Processes of the group with one of these names.
processes() {
  local file pid name state parent of
  for file in /proc/[0-9]*/stat; do
    read -r pid name state parent of _ 2>/dev/null <"$file" || continue
    [ "$of" = "$group" ] || continue
    case " $* " in *" ${name//[()]/} "*) echo "$pid" ;; esac
  done
  : "$state$parent"
}

# Of each step of a run all that its metrics say but how fast it was.
case $stage in
  pretrain)
    metrics=(epoch loss loss_m loss_c loss_p lr label_momentum reconstruction_momentum entropy_c entropy_p used_c used_p cosine_teacher) ;;
  *) metrics=(epoch loss accuracy lr) ;;
esac
steps() { pmae-evaluate table --rows step "${metrics[@]/#/--value=}" --spread none --format tsv "$1"; }

# All files but for how fast the steps were. Of older checkpoints those of both: a trainer whose augmenter was killed writes
# one more, at the step that it has come to.
compare() {
  local whole="$out/$stage-whole" killed="$out/$stage-killed" file same=yes one two
  for file in "$killed"/*.* "$killed"/run/*; do
    file=${file#"$killed/"}
    case $file in
      */checkpoint-*) if ! [ -e "$whole/$file" ]; then continue; fi ;;
      */metrics.jsonl)
        one=$(steps "$whole/$file")
        two=$(steps "$killed/$file")
        if [ "$one" != "$two" ]; then
          echo "$whole/$file and $killed/$file differ" >&2
          same=no
        fi
        continue ;;
    esac
    cmp "$whole/$file" "$killed/$file" >&2 || same=no
  done
  [ -e "$killed/run/checkpoint.stz" ] && ! compgen -G "$killed/run/.*.partial" >/dev/null || same=no
  [ $same = yes ] || { echo "$stage: a killed run differs" >&2; exit 1; }
}

# What is there of a checkpoint that is being written, or was.
partial() { compgen -G "$out/$stage-killed/run/.checkpoint.*" || true; }

rm -rf "$out/$stage-whole" "$out/$stage-killed"
start "$out/$stage-whole"
begun=$(date +%s%N)
wait "$group"
length=$((($(date +%s%N) - begun) / 1000000))

done=0 unfinished=0 runs=0
while [ "$done" -lt "$kills" ]; do
  before=$(partial)
  start "$out/$stage-killed"
  if [ $((done % 3)) = 2 ]; then
    # Into the writing of a checkpoint.
    while kill -0 "$group" 2>/dev/null; do
      now=$(partial)
      if [ -n "$now" ] && [ "$now" != "$before" ]; then break; fi
    done
  else
    pause=$((RANDOM % (length * 2 / 3 + 1)))
    sleep "$(printf '%d.%03d' $((pause / 1000)) $((pause % 1000)))"
  fi
  case $((RANDOM % 3)) in
    0) victims=$(processes pmae-augment) ;;
    1) victims=$(processes "$trainer") ;;
    *) victims=$(processes pmae-augment "$trainer") ;;
  esac
  hit=no
  for pid in $victims; do if kill -9 "$pid" 2>/dev/null; then hit=yes; fi; done
  if [ $hit = yes ]; then done=$((done + 1)); fi
  status=0
  wait "$group" || status=$?
  if [ $hit = no ] && [ $status != 0 ]; then
    echo "$stage: failed, though nothing killed it: see $out/$stage.log" >&2
    exit 1
  fi
  # It stays where the trainer was killed at it.
  now=$(partial)
  if [ -n "$now" ] && [ "$now" != "$before" ]; then unfinished=$((unfinished + 1)); fi
  if [ $status = 0 ]; then
    compare
    runs=$((runs + 1))
    rm -rf "$out/$stage-killed"
  fi
done
start "$out/$stage-killed"
wait "$group"
compare
echo "$stage: $done kills in $((runs + 1)) runs of $length ms, $unfinished of them in the writing of a checkpoint: the same files"
