#!/bin/sh
# Installs the system libraries that pixelrl builds on, where they are missing.
#   ./set-up.sh              libpng, zlib and oneDNN
#   ./set-up.sh portable     libpng and zlib alone
set -eu

packages="libpng-dev zlib1g-dev"
[ "${1:-}" = portable ] || packages="$packages libdnnl-dev"

command -v swift >/dev/null || {
  echo "pixelrl needs Swift 6.2 or newer: see https://www.swift.org/install/linux/" >&2
  exit 1
}

# The headers, not the package database: other systems name their packages otherwise.
has() { echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1 || [ -e "/usr/include/$1" ]; }
missing=""
for package in $packages; do
  case $package in
    libpng-dev) has png.h ;;
    zlib1g-dev) has zlib.h ;;
    libdnnl-dev) has oneapi/dnnl/dnnl.h ;;
  esac || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "pixelrl: installing$missing"
if [ "$(id -u)" = 0 ]; then root=""; else root="sudo -n"; fi
if command -v apt-get >/dev/null && { [ -z "$root" ] || $root true 2>/dev/null; }; then
  $root apt-get update -q && $root apt-get install -y -q --no-install-recommends $missing && exit 0
fi

echo "pixelrl: cannot install$missing: run 'sudo apt-get install$missing' (other systems: the same libraries)" >&2
case $missing in
  *libpng* | *zlib*) ;;
  *) echo "pixelrl: or go without oneDNN, a good deal slower: 'make demo-portable', 'make test-portable'" >&2 ;;
esac
exit 1
