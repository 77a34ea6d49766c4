#!/usr/bin/env bash
# Sets up what is missing, builds, and starts a primary, two replicas and three sentinels; local_quorum.py does that, and
# `scripts/run.sh --help` tells its options. With --single, or after --, arguments go to one server in the foreground; without
# any it reads conf/vedette.conf. BUILD names a build folder to take the programs from as they are.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build="${BUILD:-$root/build}"

# build_programs TARGET...: what is to be started, unless BUILD says where it is.
build_programs() {
  [ -z "${BUILD:-}" ] || return 0
  "$root/scripts/setup.sh" >&2
  local program
  for program in "$@"; do
    TARGET="$program" build_tree build >&2
  done
}

case "${1:-}" in
  --single | --)
    shift
    build_programs server/vedette-server
    [ $# -gt 0 ] || set -- "$root/conf/vedette.conf"
    exec "$build/server/vedette-server" "$@"
    ;;
esac

needs_programs=yes
for argument in "$@"; do
  case "$argument" in
    --stop | --status | --kill-primary | --help | -h) needs_programs=no ;;
  esac
done
[ "$needs_programs" = no ] || build_programs server/vedette-server sentinel/vedette-sentinel
exec python3 "$root/scripts/local_quorum.py" --build "$build" "$@"
