#!/usr/bin/env bash
# Sets up what is missing, builds, and runs every test. The last line is `N passed, N failed`;
# the exit code is not 0 when one failed, or when none ran.
#
#   scripts/test.sh              the release build, in build/
#   scripts/test.sh --sanitize   AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan/
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

folder=build
options=()
case "${1:-}" in
  "") ;;
  --sanitize)
    folder=build-asan
    # Lines for the reports, and no more optimisation than halves the tests' time: the build is the longer part.
    options=(-Db_sanitize=address,undefined -Db_lto=false -Dbuildtype=plain -Doptimization=1 -Dcpp_args=-g1)
    ;;
  *)
    echo "usage: scripts/test.sh [--sanitize]" >&2
    exit 2
    ;;
esac

if ! "$root/scripts/setup.sh" || ! build_tree "$folder" "${options[@]}"; then
  echo "0 passed, 1 failed"
  exit 1
fi
run_tests "$folder"
