#!/usr/bin/env bash
#SBATCH --job-name=pmae-cells
#SBATCH --ntasks=1
#SBATCH --requeue
#SBATCH --open-mode=append
# One line of a file of commands in each job of an array.
# usage: sbatch --array 0-11 --export ALL,COMMANDS=cells.txt cells.sh
set -euo pipefail

[[ -r ${COMMANDS:-} ]] || { echo "cells.sh: COMMANDS is \"${COMMANDS:-}\": expected a file of commands, one a line" >&2; exit 66; }
command=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$COMMANDS")
[[ -n $command ]] || { echo "cells.sh: $COMMANDS: has no line $((SLURM_ARRAY_TASK_ID + 1))" >&2; exit 65; }
echo "cells.sh: $command"
exec bash -euo pipefail -c "$command"
