# Shared by the scripts here: the source package of Redis 7.0.15, whose tests they run. Sourced behind ../lib.sh, never run.
#
# It is Debian's, fetched at run time with a source list and state folders of its own, so that nothing of the system's package
# lists changes, and kept between runs in a cache outside of the tree. apt checks it against Debian's signature.

oracle=/usr/bin/redis-check-rdb # Redis' server under another name: it is the same binary
# Where the system takes the packages of this release from.
mirror="${VEDETTE_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' 2>/dev/null | sed -n 1p || true)}"
source_cache="${XDG_CACHE_HOME:-$HOME/.cache}/vedette/redis-source"

# fail WHY: ends the script as tests end that did not run.
fail() {
  echo "$(basename "$0"): $1" >&2
  echo "0 passed, 1 failed"
  exit 1
}

fetch_source_package() {
  mkdir -p "$source_cache/apt/lists/partial" "$source_cache/apt/cache/archives/partial"
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >"$source_cache/apt/sources.list"
  local own=(-o "Dir::Etc::sourcelist=$source_cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::Lists=$source_cache/apt/lists" -o "Dir::Cache=$source_cache/apt/cache" -o "APT::Sandbox::User=$(id -un)")
  cd "$source_cache"
  apt-get "${own[@]}" update && apt-get "${own[@]}" source --download-only redis
}

# is_whole: whether the sources are there as the package's description has them. A fetch or a copy that was cut short leaves less.
is_whole() {
  compgen -G "$source_cache/redis_7.0.15-*.dsc" >/dev/null || return 1
  (cd "$source_cache" && sed -n '/^Checksums-Sha256:/,/^[^ ]*:$/s/^ \([0-9a-f]*\) [0-9]* \(redis_7\.0\.15\.orig\.tar\.[a-z0-9]*\)$/\1  \2/p' \
    redis_7.0.15-*.dsc | sha256sum --check --status 2>/dev/null)
}

# has_source_package: whether it is there; fetches it if it is not, or not whole.
has_source_package() {
  is_whole && return
  rm -f "$source_cache"/redis_*
  (quiet "fetching the source package of redis" fetch_source_package)
}

# unpack_source_package TREE: a new copy of the sources.
unpack_source_package() {
  has_source_package || fail "the source package could not be fetched from $mirror"
  is_whole || fail "Debian's source package of redis is not 7.0.15 any more"
  rm -rf "$1"
  mkdir -p "$1"
  tar -xf "$source_cache"/redis_7.0.15.orig.tar.* -C "$1" --strip-components=1 || fail "the source package cannot be unpacked"
}
