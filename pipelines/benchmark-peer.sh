#!/bin/sh
# Prints the arguments of a peer for options of pmae-pretrain, so that both compute the same step.
# usage: benchmark-peer.sh [--compile] [--steps N] OPTION...
#
# The peer's arguments are
#   --model vit_small --batch 32 --dtype f32|bf16 [--compile] [--steps N] [field=value...]
# with the fields image patch dim depth heads dec_dim dec_depth dec_heads head_hidden head_bottleneck prototypes mask_ratio
# objective teachers reconstruction_folds label_folds match drop_path student_temp teacher_temp sinkhorn_iters lambda_m
# lambda_c lambda_p lambda_pixels. Options that change no step's work (rates, seeds, epochs, momenta) are left out; one that the peer has no
# argument for is an error.
set -eu

# The tool's own defaults.
model=vit-base batch=256 dtype=f32 compile='' steps='' fields=''
while [ $# -gt 0 ]; do
  option=$1
  shift
  if [ "$option" = --compile ]; then
    compile=' --compile'
    continue
  fi
  if [ $# -eq 0 ]; then
    echo "benchmark-peer: $option: expected a value after it" >&2
    exit 64
  fi
  value=$1
  shift
  field=
  case $option in
    --model) model=$value ;;
    --batch) batch=$value ;;
    --steps) steps=" --steps $value" ;;
    --precision)
      case $value in
        float32) dtype=f32 ;;
        bfloat16) dtype=bf16 ;;
        *) echo "benchmark-peer: --precision is $value: expected float32 or bfloat16" >&2; exit 64 ;;
      esac
      ;;
    --width) field=dim ;;
    --decoder-width) field=dec_dim ;;
    --decoder-depth) field=dec_depth ;;
    --decoder-heads) field=dec_heads ;;
    --student-temperature) field=student_temp ;;
    --teacher-temperature) field=teacher_temp ;;
    --sinkhorn-iterations) field=sinkhorn_iters ;;
    --image | --patch | --depth | --heads | --head-hidden | --head-bottleneck | --prototypes | --mask-ratio | --objective | \
      --teachers | --reconstruction-folds | --label-folds | --match | --drop-path | --lambda-m | --lambda-c | --lambda-p | \
      --lambda-pixels)
      field=$(echo "${option#--}" | tr - _)
      ;;
    --epochs | --warmup-epochs | --lr | --base-lr | --weight-decay | --seed | --label-momentum | --label-momentum-end | \
      --reconstruction-momentum | --reconstruction-momentum-end | --threads) ;;
    *) echo "benchmark-peer: $option: the peer has no argument for it" >&2; exit 64 ;;
  esac
  [ -z "$field" ] || fields="$fields $field=$value"
done
echo "--model $(echo "$model" | tr - _) --batch $batch --dtype $dtype$compile$steps$fields"
