#include "server/scripting/script_cache.h"

#include <cstring>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/base/assert.h"

namespace vedette {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = char(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint64_t hash_of(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

// A digest is as good as random already.
size_t ScriptCache::Hash::operator()(const Sha1Digest& digest) const {
  size_t hash;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

bool ScriptCache::parse(std::string_view hexadecimal, Sha1Digest& digest) {
  if (hexadecimal.size() != 2 * digest.size()) return false;
  for (size_t i = 0; i < digest.size(); i++) {
    const int high = digit_of(hexadecimal[2 * i]), low = digit_of(hexadecimal[2 * i + 1]);
    if ((high | low) < 0) return false;
    digest[i] = uint8_t(high << 4 | low);
  }
  return true;
}

CachedScript* ScriptCache::find(std::string_view hexadecimal) {
  Sha1Digest digest;
  if (!parse(hexadecimal, digest)) return nullptr;
  const auto found = scripts_.find(digest);
  return found == scripts_.end() ? nullptr : &found->second;
}

CachedScript* ScriptCache::find_text(std::string_view text) {
  const auto [begin, end] = texts_.equal_range(hash_of(text));
  for (auto at = begin; at != end; ++at)
    if (at->second->text == text) return at->second;
  return nullptr;
}

void ScriptCache::keep(CachedScript& script) {
  if (std::exchange(script.loaded, true)) return;
  unloaded_.erase(script.place);
}

CachedScript& ScriptCache::add(CachedScript script) {
  Sha1Digest digest;
  const bool whole = parse(script.digest, digest);
  VED_ASSERT(whole);
  const auto [at, fresh] = scripts_.emplace(digest, std::move(script));
  VED_ASSERT(fresh);
  CachedScript& added = at->second;
  texts_.emplace(hash_of(added.text), &added);
  memory_ += added.memory_bytes();
  if (!added.loaded) {
    unloaded_.push_front(&added);
    added.place = unloaded_.begin();
  }
  return added;
}

void ScriptCache::forget_text(const CachedScript& script) {
  const auto [begin, end] = texts_.equal_range(hash_of(script.text));
  for (auto at = begin; at != end; ++at)
    if (at->second == &script) {
      texts_.erase(at);
      return;
    }
}

bool ScriptCache::take_superfluous(CachedScript& out) {
  if (unloaded_.size() <= kEvalScriptsMax) return false;
  CachedScript& script = *unloaded_.back();
  unloaded_.pop_back();
  memory_ -= script.memory_bytes();
  forget_text(script);
  Sha1Digest digest;
  parse(script.digest, digest);
  out = std::move(script);
  scripts_.erase(digest);
  return true;
}

void ScriptCache::clear() {
  unloaded_.clear();
  texts_.clear();
  scripts_.clear();
  memory_ = 0;
}

}  // namespace vedette
