#!/usr/bin/env bash
# Installs those Debian packages that are not there yet; asks for nothing where nothing is missing.
# usage: install.sh PACKAGE...
set -euo pipefail

# One at a time, where the file system has locks: make -j runs several, and apt-get does not wait for another.
exec {self}<"$0"
flock "$self" 2>/dev/null || true
missing=()
for package; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if ((${#missing[@]})); then
  if ((UID)); then become=(sudo); else become=(env); fi
  "${become[@]}" apt-get update --quiet
  "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
fi
