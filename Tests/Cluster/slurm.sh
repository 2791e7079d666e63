#!/usr/bin/env bash
# Checks pipelines/slurm with Slurm's own daemons: two nodes, both of which are this machine, for as long as the check takes.
# usage: slurm.sh FOLDER, where FOLDER has the tools, built with MPI. As root.
set -euo pipefail

tools=$(cd "$1" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
((UID == 0)) || { echo 'slurm.sh: the daemons need root' >&2; exit 77; }
work=$(mktemp -d)
chmod 755 "$work"
daemons=()
finish() {
  local pid
  scancel --user root 2>/dev/null || true
  for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
  sleep 1
  # A node whose job still runs waits for it.
  for pid in "${daemons[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "slurm.sh: $*" >&2
  tail -n 20 "$work"/*.log >&2 || true
  exit 1
}

port=$((20000 + RANDOM % 20000))
host=$(hostname -s)
mkdir "$work/state"
dd if=/dev/urandom of="$work/munge.key" bs=1024 count=1 status=none
chmod 600 "$work/munge.key"
cat >"$work/slurm.conf" <<END
ClusterName=pmae
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2
ReturnToService=2
KillWait=60
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2
PartitionName=all Nodes=ALL Default=YES State=UP
END
export SLURM_CONF=$work/slurm.conf PATH=$tools:$PATH
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munged.log" --seed-file="$work/munged.seed" 2>"$work/munged.errors.log" &
daemons+=($!)
slurmctld -D -i 2>"$work/slurmctld.errors.log" &
daemons+=($!)
for node in node1 node2; do
  slurmd -D -N "$node" 2>"$work/$node.errors.log" &
  daemons+=($!)
done
for _ in $(seq 60); do
  if [[ $(sinfo --noheader --Node --format %t 2>/dev/null | sort | uniq -c) == *'2 idle'* ]]; then break; fi
  sleep 0.5
done
[[ $(sinfo --noheader --Node --format %t | sort | uniq -c) == *'2 idle'* ]] || fail 'the nodes do not come up'

# Waits until a job is in one of some states.
await() {
  local job=$1 state
  shift
  for _ in $(seq 240); do
    state=$(scontrol show job "$job" --oneliner | grep -o 'JobState=[A-Z]*' | cut -d= -f2 | sort -u)
    case " $* " in *" $state "*) return ;; esac
    case $state in FAILED | NODE_FAIL | CANCELLED) break ;; esac
    sleep 0.5
  done
  cat "$work"/*.out >&2 || true
  fail "job $job is $state: expected $*"
}

# Views that train for some seconds.
gzip -dc "$root/Tests/ToolTests/Fixtures/examples/train-images-idx3-ubyte.gz" >"$work/images"
pmae-pack --quiet --output "$work/images.stz" "$work/images"
pmae-augment --quiet --size 28 --epochs 400 --output "$work/views.stz" "$work/images.stz"
command="pmae-pretrain --image 28 --patch 7 --width 32 --depth 2 --heads 2 --decoder-width 32 --decoder-depth 1 --decoder-heads 2 \
--head-hidden 32 --head-bottleneck 16 --prototypes 16 --batch 16 --epochs 400 --threads 1 --checkpoint-every 1000000 --keep 1 \
--quiet --output run --resume $work/views.stz"
submit() {
  mkdir -p "$work/$1"
  sbatch --parsable --nodes 2 --ntasks-per-node 1 --chdir "$work/$1" --output "$work/$1.out" \
    --export "ALL,COMMAND=$command,RANK_SH=$root/pipelines/rank.sh" "$root/pipelines/slurm/train.sh"
}

whole=$(submit whole)
await "$whole" COMPLETED
[[ $(tail -n 1 "$work/whole/run/metrics.jsonl") == '{"step":1200,'* ]] || fail "the run did not end: $(cat "$work/whole.out")"
echo 'slurm.sh: a job on two nodes trains to its end'

# Fine-tuning is started in the same way.
gzip -dc "$root/Tests/ToolTests/Fixtures/examples/train-labels-idx1-ubyte.gz" >"$work/labels"
pmae-pack --quiet --output "$work/labelled.stz" --labels "$work/labels" "$work/images"
pmae-augment --quiet --size 28 --epochs 4 --output "$work/labelled-views.stz" "$work/labelled.stz"
pmae-export --quiet --output "$work/encoder.stz" "$work/whole/run"
tune="pmae-finetune --quiet --init $work/encoder.stz --batch 16 --threads 1 --run tuning --resume --overwrite --output model.stz"
mkdir "$work/tuned"
tuned=$(sbatch --parsable --nodes 2 --ntasks-per-node 1 --chdir "$work/tuned" --output "$work/tuned.out" \
  --export "ALL,COMMAND=$tune $work/labelled-views.stz,RANK_SH=$root/pipelines/rank.sh" "$root/pipelines/slurm/train.sh")
await "$tuned" COMPLETED
[[ -s $work/tuned/model.stz ]] || fail "the job left no model: $(cat "$work/tuned.out")"
echo 'slurm.sh: a job on two nodes fine-tunes'

# The warning before the end of the job's time, which Slurm sends to the batch script.
broken=$(submit broken)
for _ in $(seq 200); do
  if [[ -s $work/broken/run/metrics.jsonl ]]; then break; fi
  sleep 0.2
done
sleep 1
scancel --batch --signal TERM "$broken"
await "$broken" PENDING COMPLETED
grep -q 'back into the queue' "$work/broken.out" || fail "the job was not put back: $(cat "$work/broken.out")"
await "$broken" COMPLETED
cmp "$work/whole/run/checkpoint.stz" "$work/broken/run/checkpoint.stz" || fail 'a job that was put back ends in other bits'
echo 'slurm.sh: a job that is warned goes back into the queue, and ends in the same bits'

cat >"$work/cells.txt" <<END
echo one >$work/cell-0
pmae-inspect --check $work/images.stz >$work/cell-1
false
END
cells=$(sbatch --parsable --array 0-1 --output "$work/cell-%a.out" --export "ALL,COMMANDS=$work/cells.txt" "$root/pipelines/slurm/cells.sh")
await "$cells" COMPLETED
[[ $(cat "$work/cell-0") == one && -s $work/cell-1 ]] || fail 'cells were not run'
bad=$(sbatch --parsable --array 2-3 --output "$work/bad-%a.out" --export "ALL,COMMANDS=$work/cells.txt" "$root/pipelines/slurm/cells.sh")
for _ in $(seq 120); do
  if ! squeue --noheader --job "$bad" 2>/dev/null | grep -q .; then break; fi
  sleep 0.5
done
[[ $(scontrol show job "${bad}_2" --oneliner) == *JobState=FAILED* ]] || fail 'a command that fails is no failure of its job'
grep -q 'has no line 4' "$work/bad-3.out" || fail 'a line that is not there is not named'
echo 'slurm.sh: a job array runs a line of commands in each job'

# Packing, embedding and comparing in parts, and what is joined of them.
gzip -dc "$root/Tests/ToolTests/Fixtures/examples/t10k-images-idx3-ubyte.gz" >"$work/test-images"
gzip -dc "$root/Tests/ToolTests/Fixtures/examples/t10k-labels-idx1-ubyte.gz" >"$work/test-labels"
pmae-pack --quiet --output "$work/test.stz" --labels "$work/test-labels" "$work/test-images"
sets=()
for _ in $(seq 10); do sets+=("$work/test.stz"); done
pmae-augment --quiet --views center --size 28 --output "$work/center.stz" "${sets[@]}"
array() {
  sbatch --parsable --array 0-1 --chdir "$work" --output "$work/$1-%a.out" --export "ALL,COMMAND=$2" "$root/pipelines/slurm/parts.sh"
}
# shellcheck disable=SC2016
packed=$(array pack 'pmae-pack --quiet --part $PART --output packed$NUMBER.stz --labels test-labels test-images')
# shellcheck disable=SC2016
embedded=$(array embed 'pmae-evaluate embed --quiet --pixels --part $PART --output part$NUMBER.stz center.stz')
await "$packed" COMPLETED
await "$embedded" COMPLETED
for whole in packed part; do [[ -s $work/${whole}0.stz && -s $work/${whole}1.stz ]] || fail "no $whole of each part"; done
pmae-evaluate join --quiet --output "$work/joined.stz" "$work/part1.stz" "$work/part0.stz"
(
  cd "$work"
  pmae-evaluate embed --quiet --pixels --output features.stz center.stz
  pmae-evaluate knn --quiet --resamples 0 --k 3 features.stz features.stz | sed 's/features.stz/joined.stz/g' >whole.json
  pmae-evaluate knn --quiet --resamples 0 --k 3 joined.stz joined.stz | cmp whole.json
) || fail 'parts are not what the whole is'
echo 'slurm.sh: a job array packs and embeds in parts'
