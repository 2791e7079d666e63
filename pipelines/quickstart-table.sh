#!/usr/bin/env bash
# Prints the quickstart's table from the JSON lines in a folder: three encoders by three measures, top-1 accuracy in %.
# usage: quickstart-table.sh FOLDER LABELS-A-CLASS
set -euo pipefail
folder=${1:?usage: quickstart-table.sh FOLDER LABELS-A-CLASS}
few=${2:?usage: quickstart-table.sh FOLDER LABELS-A-CLASS}

# Every "top1" of a file, a line each, in %.
top1() {
  sed -n 's/.*"top1":\([0-9.eE+-]*\).*/\1/p' "$folder/$1.json" | awk '{ printf "%.2f\n", 100 * $1 }'
}

# Mean and deviation over seeds: 71.30 ± 0.42.
spread() {
  awk '{ n++; s += $1; q += $1 * $1 }
    END { m = s / n; v = n > 1 ? (q - n * m * m) / (n - 1) : 0; printf "%.2f ± %.2f", m, sqrt(v > 0 ? v : 0) }'
}

labels=$(sed -n '1s/.*"train_images":\([0-9]*\).*/\1/p' "$folder/random.knn.json")
printf '%-22s %8s %14s %22s\n' 'encoder' 'k-NN' 'linear probe' 'fine-tuned'
printf '%-22s %8s %14s %22s\n' '' 'k = 20' "$labels labels" "$few labels a class"
for row in 'random:random weights' 'teacher:labelling teacher' 'student:student'; do
  name=${row%%:*}
  printf '%-22s %8s %14s %22s\n' "${row#*:}" "$(top1 "$name.knn")" "$(top1 "$name.probe")" "$(top1 "$name.finetune" | spread)"
done
