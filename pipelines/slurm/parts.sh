#!/usr/bin/env bash
#SBATCH --job-name=pmae-parts
#SBATCH --ntasks=1
#SBATCH --requeue
#SBATCH --open-mode=append
# One command in each job of an array, which knows by PART (3/8) and NUMBER (3) what it is to do.
# usage: sbatch --array 0-7 --export ALL,COMMAND='pmae-evaluate embed --part $PART --output part$NUMBER.stz encoder.stz views.stz' parts.sh
#   PARTS     how many there are, where some of them run again (default: the jobs of the array)
set -euo pipefail

[[ -n ${COMMAND:-} ]] || { echo 'parts.sh: COMMAND is not set: what each job runs' >&2; exit 64; }
NUMBER=$SLURM_ARRAY_TASK_ID
PARTS=${PARTS:-$((SLURM_ARRAY_TASK_MAX + 1))}
if ! [[ $PARTS =~ ^[0-9]+$ ]] || ((NUMBER >= PARTS)); then
  echo "parts.sh: job $NUMBER of PARTS \"$PARTS\": expected 0 to PARTS - 1" >&2
  exit 64
fi
PART=$NUMBER/$PARTS
export NUMBER PART PARTS
echo "parts.sh: part $PART: $COMMAND"
exec bash -euo pipefail -c "$COMMAND"
