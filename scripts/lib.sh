# Shared by the scripts: where the tree is, and the build of one variant. Sourced, never run.
# Every function is quiet when all is well and shows the whole output when not.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# Compile jobs: never more than the machine has cores; VEDETTE_JOBS overrides.
jobs() { echo "${VEDETTE_JOBS:-$(nproc)}"; }

# quiet WHAT COMMAND...: runs the command, shows its output only if it fails.
quiet() {
  local what="$1" output
  shift
  output="$(mktemp)"
  echo "$what"
  if "$@" >"$output" 2>&1 </dev/null; then
    rm -f "$output"
    return 0
  fi
  cat "$output" >&2
  rm -f "$output"
  echo "failed: $what" >&2
  return 1
}

# build_tree FOLDER [meson options]: configures FOLDER once and compiles it; with TARGET set, that target alone.
build_tree() {
  local folder="$1"
  shift
  if [ ! -f "$root/$folder/build.ninja" ]; then
    rm -rf "${root:?}/$folder"
    quiet "configuring $folder" meson setup "$root/$folder" "$root" "$@" || return 1
  fi
  quiet "building $folder (ninja -j$(jobs))" ninja -C "$root/$folder" -j"$(jobs)" ${TARGET:+"$TARGET"}
}

# run_tests FOLDER: runs every test of a build; prints a line for each, the output of those that
# failed, and ends on `N passed, N failed`. Fails when one failed or when none ran.
run_tests() {
  python3 "$root/scripts/run_tests.py" "$root/$1"
}
