#!/bin/sh
# Prints the command that times pmae-pretrain, once the views that it reads are there.
# usage: benchmark-command.sh FOLDER STEPS OPTION...
#
# STEPS are those that count; two more come first, which a profile leaves out of its median. FOLDER gets the views, of noise,
# all in one epoch, so that no measured step is followed by a checkpoint; in a file, so that no step waits for its views; a
# file that holds enough rows is used again. OPTION...: pmae-pretrain's, of which --image and --batch are looked at.
set -eu
usage='usage: benchmark-command.sh FOLDER STEPS OPTION...'
folder=${1:?$usage} steps=${2:?$usage}
shift 2
case $steps in *[!0-9]* | 0) echo "benchmark-command: STEPS is $steps: expected a number from 1" >&2; exit 64 ;; esac

# The tool's own defaults.
image=224 batch=256 previous=
for word; do
  case $previous in --image) image=$word ;; --batch) batch=$word ;; esac
  previous=$word
done
rows=$(((steps + 2) * batch))

views=
for file in "$folder"/views-"$image"-*.stz; do
  held=${file##*-}
  held=${held%.stz}
  case $held in *[!0-9]*) continue ;; esac
  if [ "$held" -ge "$rows" ]; then views=$file; fi
done

if [ -z "$views" ]; then
  views=$folder/views-$image-$rows.stz
  mkdir -p "$folder"
  "$(dirname "$0")/benchmark-noise.sh" "$rows" 64 "$folder/noise" "$folder/pictures.stz"
  pmae-augment --quiet --no-labels --size "$image" --output "$views" "$folder/pictures.stz"
  rm "$folder/pictures.stz"
fi

echo "pmae-pretrain $* --steps $((steps + 2)) --profile-json - --quiet --overwrite --output '$folder/run' '$views'"
