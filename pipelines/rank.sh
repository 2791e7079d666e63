#!/usr/bin/env bash
# Runs a pipeline for one rank of those that mpirun or srun started. The pipeline knows it by RANK, RANKS and PART (RANK/RANKS).
# usage: mpirun -n 8 rank.sh 'pmae-augment --part "$PART" --batch 768 images.stz | pmae-pretrain --batch 768 --output run -'
set -euo pipefail

(($# == 1)) || { echo 'rank.sh: expected one argument: the pipeline, as one word' >&2; exit 64; }
RANK=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-${SLURM_PROCID:-0}}}
RANKS=${OMPI_COMM_WORLD_SIZE:-${PMI_SIZE:-${SLURM_STEP_NUM_TASKS:-1}}}
PART=$RANK/$RANKS
export RANK RANKS PART

# A signal of the launcher goes to the pipeline too, and is the trainer's matter: this shell waits for its end.
exec bash -o pipefail -c "trap : INT TERM USR1 USR2
$1"
