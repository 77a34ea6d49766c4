// The scripts of EVAL by their digests. What was only ever sent by EVAL makes room for others when there are many (programs
// that put their values into the text would fill the memory with scripts that are run once); what SCRIPT LOAD has brought stays.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/sha1.h"

namespace vedette {

struct CachedScript {
  std::string digest;  ///< 40 hexadecimal digits
  std::string text;
  int function = 0;       ///< in the interpreter
  uint32_t flags = 0;     ///< ScriptFlag
  bool declared = false;  ///< has a header
  bool loaded = false;    ///< by SCRIPT LOAD
  int last_return = 1;

  std::list<CachedScript*>::iterator place{};  ///< among those that may go, unless `loaded`
  size_t memory_bytes() const { return sizeof(*this) + digest.capacity() + text.capacity() + kIndexBytes; }

 private:
  static constexpr size_t kIndexBytes = 96;
};

class ScriptCache {
 public:
  static constexpr size_t kEvalScriptsMax = 500;

  /// By its digest in any case; null if there is none of it.
  CachedScript* find(std::string_view hexadecimal);
  /// By its text.
  CachedScript* find_text(std::string_view text);
  /// The script is used: it is the last to go.
  void touch(CachedScript& script) {
    if (!script.loaded) unloaded_.splice(unloaded_.begin(), unloaded_, script.place);
  }
  /// From here on it stays.
  void keep(CachedScript& script);

  CachedScript& add(CachedScript script);
  /// The one that must go, if there are too many; it is no longer in the cache.
  bool take_superfluous(CachedScript& out);
  void clear();

  size_t size() const { return scripts_.size(); }
  size_t memory_bytes() const { return memory_; }

 private:
  struct Hash {
    size_t operator()(const Sha1Digest& digest) const;
  };
  static bool parse(std::string_view hexadecimal, Sha1Digest& digest);
  void forget_text(const CachedScript& script);

  std::unordered_map<Sha1Digest, CachedScript, Hash> scripts_;
  std::unordered_multimap<uint64_t, CachedScript*> texts_;  // by a quicker hash than the digest
  std::list<CachedScript*> unloaded_;                       // the last used first
  size_t memory_ = 0;
};

}  // namespace vedette
