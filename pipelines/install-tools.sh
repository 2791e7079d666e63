#!/usr/bin/env bash
# The work of install-tools.mk. usage: install-tools.sh install|uninstall|check
# Environment: PREFIX; DESTDIR; TOOLS, the folder of the built tools.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${PREFIX:=/usr/local}" "${DESTDIR:=}" "${TOOLS:=$root/.build/release}"

die() {
  echo "install-tools: $2" >&2
  exit "$1"
}

[[ $PREFIX == /* ]] || die 64 "PREFIX is \"$PREFIX\"; expected a path from the root, such as /usr/local"
PREFIX=${PREFIX%/}
there=$DESTDIR$PREFIX
# The list of what was installed, as paths from PREFIX: files, then the folders that were made for them, which end in a slash.
list=$there/share/pmae/installed

# Makes a folder under PREFIX. Prints it and those above it that were not there, the deepest first.
make_folder() {
  local folder=$1
  while [[ $folder != . && ! -d $there/$folder ]]; do
    echo "$folder/"
    folder=$(dirname "$folder")
  done
  mkdir -p "$there/$1"
}

# put MODE SOURCE FOLDER. A tool that is running is replaced, not written over.
put() {
  local name
  name=$(basename "$2")
  install -m "$1" "$2" "$there/$3/.$name.new"
  mv -f "$there/$3/.$name.new" "$there/$3/$name"
  echo "$3/$name"
}

install_all() {
  local pages=("$root"/man/*.[1-9]) tools=() page tool folder
  for page in "$root"/man/*.1; do tools+=("$TOOLS/$(basename "$page" .1)"); done
  for tool in "${tools[@]}"; do
    [[ -x $tool ]] || die 66 "$tool: no such program; build the tools, or name the folder that they are in by BIN"
  done
  if ! mkdir -p "$there" 2>/dev/null || [[ ! -w $there ]]; then
    die 73 "$there: cannot be written to; run this as root, or give another PREFIX"
  fi

  local folders=(bin share/pmae) new
  for page in "${pages[@]}"; do folders+=("share/man/man${page##*.}"); done
  new=$(for folder in "${folders[@]}"; do make_folder "$folder"; done)
  new+=$'\n'$(
    for tool in "${tools[@]}"; do put 755 "$tool" bin; done
    for page in "${pages[@]}"; do put 644 "$page" "share/man/man${page##*.}"; done
  )
  # What an earlier version installed stays on the list. The deepest paths come first, so that folders are empty in their turn.
  local old=''
  [[ ! -e $list ]] || old=$(<"$list")
  printf '%s\n%s\n' "$old" "$new" | grep . | sort -ru >"$list.new"
  mv -f "$list.new" "$list"
  echo "installed ${#tools[@]} tools and ${#pages[@]} man pages under $there"
}

uninstall_all() {
  [[ -r $list ]] || die 66 "$list: no such file; nothing was installed under $there by install-tools.mk"
  local paths=() path
  mapfile -t paths <"$list"
  for path in "${paths[@]}"; do
    [[ $path =~ ^(bin|share)/ && $path != *..* ]] || die 65 "$list: \"$path\": expected a path under bin or share"
  done
  rm -f "$list"
  for path in "${paths[@]}"; do [[ $path == */ ]] || rm -f "$there/$path"; done
  # A folder that holds something of somebody else stays.
  for path in "${paths[@]}"; do
    [[ $path != */ || ! -d $there/$path ]] || rmdir --ignore-fail-on-non-empty "$there/$path"
  done
  echo "removed what was installed under $there"
}

# In a folder that is removed in the end: what is installed is whole and runs, and uninstalling leaves what was there.
check_all() {
  local folder page name before
  folder=$(mktemp -d)
  # shellcheck disable=SC2064  # The folder is known now.
  trap "rm -rf '$folder'" EXIT
  DESTDIR=$folder PREFIX=/usr
  there=$DESTDIR$PREFIX list=$there/share/pmae/installed
  mkdir -p "$there/bin" "$there/share/man/man1"
  echo other >"$there/bin/pmae-other"
  before=$(cd "$folder" && find . | sort)

  install_all
  install_all
  for page in "$root"/man/*.[1-9]; do
    name=$(basename "$page")
    cmp "$page" "$there/share/man/man${name##*.}/$name"
    [[ $name != *.1 ]] || "$there/bin/${name%.1}" --version
  done
  if command -v man >/dev/null; then MANPATH=$there/share/man man -w pmae-pack pmae-stream pmae >/dev/null; fi

  uninstall_all
  diff <(echo "$before") <(cd "$folder" && find . | sort) || die 70 "uninstalling left or took something (see above)"
  if (uninstall_all) 2>/dev/null; then die 70 "uninstalling twice is not an error"; fi

  # A prefix that is not there yet is made, and is gone again but for itself.
  there=$folder/home/.local list=$folder/home/.local/share/pmae/installed
  install_all
  uninstall_all
  [[ -z $(ls -A "$there") ]] || die 70 "uninstalling left something in $there"
  echo "install-tools: all is well"
}

case ${1:-} in
  install) install_all ;;
  uninstall) uninstall_all ;;
  check) check_all ;;
  *) die 64 "usage: install-tools.sh install|uninstall|check" ;;
esac
