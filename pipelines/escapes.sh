#!/usr/bin/env bash
# Sees that the compiler rejects what lets a matrix outlive its tensor: each case of Tests/AutodiffTests/Fixtures/Escapes.swift.
# usage: escapes.sh SCRATCH    the build folder, built
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
release=$(cd "$1/release" && pwd)
cases=$root/Tests/AutodiffTests/Fixtures/Escapes.swift
openblas=()
for flag in $(pkg-config --cflags openblas); do openblas+=(-Xcc "$flag"); done

compile() {
  swiftc -swift-version 6 -emit-sil -o /dev/null "$@" -I "$release/Modules" -I "$root/Sources/COpenBLAS" \
    -I "$root/Sources/COneDNN" -I "$root/Sources/CZstd" -Xcc "-fmodule-map-file=$release/CKernels.build/module.modulemap" "${openblas[@]}" "$cases"
}

# That the case without a mistake compiles shows that the others fail for theirs.
compile
sed -nE 's/^#(else)?if ([A-Z_]+)$/\2/p' "$cases" | while read -r name; do
  if output=$(compile -D "$name" 2>&1); then
    echo "escapes: $name compiles" >&2
    exit 1
  fi
  grep -qE "error: (lifetime-dependent|.*to 'Escapable'|.*~Escapable|value of type 'Tensor' has no member)" <<<"$output" || {
    printf 'escapes: %s fails for another reason:\n%s\n' "$name" "$output" >&2
    exit 1
  }
done
