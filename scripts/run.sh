#!/usr/bin/env bash
# Sets up what is missing, builds, and starts the server in the foreground.
# Arguments go to the server; without any it reads conf/vedette.conf.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$root/scripts/setup.sh" >&2
TARGET=server/vedette-server build_tree build >&2

if [ $# -eq 0 ]; then
  set -- "$root/conf/vedette.conf"
fi
exec "$root/build/server/vedette-server" "$@"
