#!/usr/bin/env bash
# Installs every Debian package that building and testing needs, and those named as arguments. Safe to run again: when all is
# there it says nothing and calls no package tool. Runs as root, or through sudo.
#
# redis-tools holds the server that the differential test compares with (redis-check-rdb is the
# same binary); the package redis-server is not wanted, since it would start a service. iproute2 makes the
# networks of the sentinel tests, openssl their certificates, locales an order of texts to sort by; clang-format is
# asked whether the sources have its form.
set -euo pipefail

packages=(
  build-essential g++ meson ninja-build pkg-config
  libuv1-dev libfmt-dev libjemalloc-dev liblzf-dev libluajit-5.1-dev libmd-dev libssl-dev libxxhash-dev
  doctest-dev libhiredis-dev redis-tools
  python3 python3-redis iproute2 openssl clang-format locales
)

packages+=("$@") # what else a script needs

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

if ! command -v dpkg-query >/dev/null; then
  echo "setup.sh: this is not a Debian system (no dpkg-query). Install the equivalents of:" >&2
  echo "  ${packages[*]} nodejs npm" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
# Any Node.js with npm will do, wherever it came from.
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)

[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup.sh: these packages are missing: ${missing[*]}" >&2
    echo "Installing them needs root. Run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "installing: ${missing[*]}"
output="$(mktemp)"
trap 'rm -f "$output"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y "$@" >"$output" 2>&1 </dev/null; }
if ! apt update || ! apt install --no-install-recommends "${missing[@]}"; then
  cat "$output" >&2
  echo "setup.sh: the installation failed; apt's output is above" >&2
  exit 1
fi
