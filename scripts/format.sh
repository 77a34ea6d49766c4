#!/usr/bin/env bash
# Brings every C++ source into the tree's .clang-format; with --check it changes nothing, names the files
# that differ and fails when there are any. Needs clang-format 14 (Debian package clang-format).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ! command -v clang-format >/dev/null; then
  echo "format.sh: clang-format is missing; install the package clang-format" >&2
  exit 1
fi
mode=(-i)
[ "${1:-}" = "--check" ] && mode=(--dry-run --Werror)
cd "$root"
find common server sentinel tests \( -name '*.h' -o -name '*.cc' \) -not -path '*/node_modules/*' -print0 | xargs -0 -r clang-format "${mode[@]}"
