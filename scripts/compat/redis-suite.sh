#!/usr/bin/env bash
# Runs the tests that Redis 7.0.15 comes with against vedette-server, file by file.
#
#   scripts/compat/redis-suite.sh [--redis] [--tls] [--large-memory] [--if-there] [--server FILE] [--work FOLDER] [--base-port N]
#                                 [--results FOLDER] [--readme FILE] [FILE]...
#
# FILE is a name or pattern as `unit/protocol` or 'unit/type/*'; without one it is every file that applies. The tests
# come from Debian's source package of redis (source_package.sh). The server takes its place in a copy of that tree, beside Redis'
# own tools. --if-there: where the source package cannot be fetched, that is told as skipped, not as failed. --redis: Redis' own
# server instead, of which all is asked; it tells what the tests find here when all is right. --tls: all servers and clients of the
# suite speak TLS, with certificates that a script of that tree makes; the default list is then another, shorter one.
# --large-memory: also the tests that take several GiB of memory.
# --results: each file's outcome goes into that folder (else FOLDER/results), in the place of its last one. --readme: the table of all
# outcomes that are there goes into that README, between its two marks; result_table.py does that alone too.
# The table names each test, then counts by file, then names what was left out and why (redis_suite_exceptions.py), and what
# stands in that list but passes; the last line is `N passed, N failed`. The servers' files of what failed are kept in FOLDER/failed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/source_package.sh"

server="$root/build/server/vedette-server"
work="$root/build/redis-suite"
results=
readme=
redis=no
if_there=no
tls=no
words=()

usage() {
  echo "usage: scripts/compat/redis-suite.sh [--redis] [--tls] [--large-memory] [--if-there] [--server FILE] [--work FOLDER] [--base-port N] [--results FOLDER] [--readme FILE] [FILE]..." >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case "$1" in
    --redis) redis=yes ;;
    --if-there) if_there=yes ;;
    --large-memory) words+=(--large-memory) ;;
    --tls)
      tls=yes
      words+=(--tls)
      ;;
    --server | --work | --base-port | --results | --readme)
      [ $# -ge 2 ] || usage
      case "$1" in
        --server) server="$(realpath -m "$2")" ;;
        --work) work="$(realpath -m "$2")" ;;
        --base-port) words+=(--base-port "$2") ;;
        --results) results="$(realpath -m "$2")" ;;
        --readme) readme="$(realpath -m "$2")" ;;
      esac
      shift
      ;;
    -*) usage ;;
    *) words+=("$1") ;;
  esac
  shift
done

if [ $if_there = yes ] && ! has_source_package; then
  echo "1 skipped: Redis' own tests: the source package of redis could not be fetched from $mirror"
  exit 0
fi
packages=(tcl procps)
[ $tls = yes ] && packages+=(tcl-tls)
"$root/scripts/setup.sh" "${packages[@]}" || fail "the packages that the tests need could not be installed"
if [ $redis = no ] && [ ! -x "$server" ]; then
  TARGET=server/vedette-server build_tree build || fail "the build failed"
  [ -x "$server" ] || fail "$server is not there"
fi
unpack_source_package "$work/tree"

# Parameters of its own would take the suite's script minutes.
make_certificates() {
  cd "$work/tree" && mkdir -p tests/tls && openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out tests/tls/redis.dh &&
    bash utils/gen-test-certs.sh
}
if [ $tls = yes ]; then
  (quiet "making the suite's certificates" make_certificates) || fail "the suite's certificates could not be made"
fi

# The server is a symbolic link, since the title of its process names what it was called by.
if [ $redis = yes ]; then
  server=$oracle
  words+=(--all)
fi
for name in redis-server redis-sentinel; do ln -sf "$server" "$work/tree/src/$name"; done
for name in redis-cli redis-benchmark redis-check-rdb redis-check-aof; do ln -sf "/usr/bin/$name" "$work/tree/src/$name"; done

# What Redis' own server leaves is no result of ours.
[ $redis = yes ] || words+=(--results "${results:=$work/results}")
code=0
/usr/bin/python3 "$root/scripts/compat/redis_suite.py" "$work/tree" "${words[@]}" || code=$?
[ -z "$readme" ] || [ $redis = yes ] || /usr/bin/python3 "$root/scripts/compat/result_table.py" "$results" "$readme"
exit $code
