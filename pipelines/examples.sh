#!/usr/bin/env bash
# Sees that examples compile: those in comments of public types in Sources, which are lines that start with `///     ` after an empty
# line of the comment; and those of CONTRIBUTING.md, each as a part of the library that it is for.
# usage: examples.sh SCRATCH    the build folder, built
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
release=$(cd "$1/release" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"

flags=(-typecheck -swift-version 6 -I "$release/Modules")
for map in "$release"/C*.build/module.modulemap; do flags+=(-Xcc "-fmodule-map-file=$map"); done
for library in Sources/C*/module.modulemap; do flags+=(-I "$(dirname "$library")"); done
for flag in $(pkg-config --cflags openblas); do flags+=(-Xcc "$flag"); done

# Each in a function of its own, in a file that says where it is from.
libraries=(TensorStream Schemas Settings Parallel Ranks Compute Autodiff Networks Runs Training Pretraining Finetuning Evaluation Exporting Imaging Report Inspection)
find Sources -name '*.swift' -exec awk -v work="$work" -v libraries="${libraries[*]}" '
  function end() {
    if (file == "") return
    print "  }\n}" > file
    close(file)
    file = ""
  }
  FNR == 1 { blank = 0 }
  { line = $0; sub(/^ +/, "", line) }
  line ~ /^\/\/\/     / && (blank || file != "") {
    if (file == "") {
      file = work "/example" ++count ".swift"
      n = split(libraries, names, " ")
      for (i = 1; i <= n; i++) print "import " names[i] > file
      printf "enum Example%d {\n  static func run() throws {\n#sourceLocation(file: \"%s\", line: %d)\n", count, FILENAME, FNR > file
    }
    print substr(line, 9) > file
    next
  }
  { end(); blank = line ~ /^\/\/\/ *$/ }
  END { end() }' {} +
shopt -s nullglob
examples=("$work"/example*.swift)
if ((${#examples[@]} < 10)); then echo "examples: only ${#examples[@]} found in comments: expected 10 or more" >&2; exit 1; fi
# In one module, where each sees the types of the libraries alone.
swiftc "${flags[@]}" -module-name Examples "${examples[@]}"

# $1: the example's name, $2: the library.
within() {
  mapfile -t sources < <(find "Sources/$2" -name '*.swift')
  sed -n "/<!-- example: $1 -->/,/<!-- end: $1 -->/p" CONTRIBUTING.md | sed '/^<!--/d; /^```/d' > "$work/$1.swift"
  if ! [ -s "$work/$1.swift" ]; then echo "examples: CONTRIBUTING.md has no example $1" >&2; exit 1; fi
  swiftc "${flags[@]}" -module-name "$2" -package-name "$(basename "$root" | tr '[:upper:]' '[:lower:]' | tr -c 'a-z0-9_\n' _)" \
    -enable-experimental-feature Lifetimes "${sources[@]}" "$work/$1.swift"
}
within operation Autodiff
within objective Pretraining
within task Finetuning
echo "examples: ${#examples[@]} of comments and 3 of CONTRIBUTING.md compile"
