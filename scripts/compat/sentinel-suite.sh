#!/usr/bin/env bash
# Runs the sentinel tests that Redis 7.0.15 comes with against vedette-sentinel and vedette-server.
#
#   scripts/compat/sentinel-suite.sh [--redis] [--server FILE] [--sentinel FILE] [--work FOLDER] [--base-port N]
#                                    [--results FOLDER] [--readme FILE] [--single PATTERN]...
#
# The tests come from Debian's source package of redis (source_package.sh). The programs take their places in a copy of that tree.
# --redis: Redis' own programs instead, which tells what the tests find here when all is right. --single: only the units
# whose file name contains PATTERN. --results, --readme: as of redis-suite.sh. The table names each test, then counts by unit,
# then names what was left out and why (DIFFERENT in sentinel_suite.py); the last line is `N passed, N failed`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/source_package.sh"

server="$root/build/server/vedette-server"
sentinel="$root/build/sentinel/vedette-sentinel"
work="$root/build/sentinel-suite"
results=
readme=
redis=no
units=()

usage() {
  echo "usage: scripts/compat/sentinel-suite.sh [--redis] [--server FILE] [--sentinel FILE] [--work FOLDER] [--base-port N] [--results FOLDER] [--readme FILE] [--single PATTERN]..." >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case "$1" in
    --redis) redis=yes ;;
    --server | --sentinel | --work | --base-port | --results | --readme | --single)
      [ $# -ge 2 ] || usage
      case "$1" in
        --server) server="$(realpath -m "$2")" ;;
        --sentinel) sentinel="$(realpath -m "$2")" ;;
        --work) work="$(realpath -m "$2")" ;;
        --base-port) units+=(--base-port "$2") ;;
        --results) results="$(realpath -m "$2")" ;;
        --readme) readme="$(realpath -m "$2")" ;;
        --single) units+=(--single "$2") ;;
      esac
      shift
      ;;
    *) usage ;;
  esac
  shift
done

"$root/scripts/setup.sh" tcl procps || fail "the packages that the tests need could not be installed"
if [ $redis = no ] && { [ ! -x "$server" ] || [ ! -x "$sentinel" ]; }; then
  build_tree build || fail "the build failed"
  [ -x "$server" ] || fail "$server is not there"
  [ -x "$sentinel" ] || fail "$sentinel is not there"
fi

unpack_source_package "$work/tree"

# place NAME PROGRAM [ARGUMENT]: PROGRAM takes the place of NAME. The tests kill it by the id of what they started.
place() {
  rm -f "$work/tree/src/$1"
  printf '#!/bin/sh\nexec "%s" "$@"\n' "$2" >"$work/tree/src/$1"
  chmod +x "$work/tree/src/$1"
}
if [ $redis = yes ]; then
  ln -sf "$oracle" "$work/tree/src/redis-server"
  ln -sf "$oracle" "$work/tree/src/redis-sentinel"
else
  place redis-server "$server"
  place redis-sentinel "$sentinel"
fi
place redis-cli /usr/bin/redis-cli
place redis-benchmark /usr/bin/redis-benchmark

if [ $redis = yes ]; then
  units+=(--all) # of Redis everything is expected
else
  units+=(--results "${results:=$work/results}")
fi
code=0
/usr/bin/python3 "$root/scripts/compat/sentinel_suite.py" "$work/tree" "${units[@]}" || code=$?
[ -z "$readme" ] || [ $redis = yes ] || /usr/bin/python3 "$root/scripts/compat/result_table.py" "$results" "$readme"
exit $code
