#!/usr/bin/env bash
#SBATCH --job-name=pmae-train
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@180
# Pretrains or fine-tunes on all tasks of a job, and goes back into the queue where its time is over.
# usage: sbatch --nodes 8 --ntasks-per-node 1 --export ALL,COMMAND='pmae-pretrain … --resume views.stz' train.sh
#   COMMAND   what each rank runs, pmae-pretrain or pmae-finetune with --resume: a command, or a pipeline that knows its PART
#   RANK_SH   pipelines/rank.sh, as all nodes see it (default: beside this script's folder in the checkout that sbatch was called from)
#   MPI_FLAGS more options for mpirun
set -euo pipefail

RANK_SH=${RANK_SH:-$SLURM_SUBMIT_DIR/pipelines/rank.sh}
[[ -n ${COMMAND:-} ]] || { echo 'train.sh: COMMAND is not set: what each rank runs' >&2; exit 64; }
[[ -x $RANK_SH ]] || { echo "train.sh: $RANK_SH: no such script: set RANK_SH" >&2; exit 66; }
read -ra flags <<<"${MPI_FLAGS:-}"

mpirun --map-by node --bind-to none ${flags[@]+"${flags[@]}"} "$RANK_SH" "$COMMAND" &
launcher=$!
ends=0
# By the trap below. SIGTERM would have mpirun end the ranks after a second. This one it passes on, and they end after their step.
# shellcheck disable=SC2317
stop() {
  ends=1
  kill -USR2 "$launcher"
}
trap stop TERM
status=0
wait "$launcher" || status=$?
# A trap ends the wait, not the launcher.
while kill -0 "$launcher" 2>/dev/null; do
  status=0
  wait "$launcher" || status=$?
done
if ((ends)); then
  echo "train.sh: the job's time is over: back into the queue"
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
fi
exit "$status"
