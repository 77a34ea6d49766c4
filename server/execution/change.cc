// The batch of effects.
#include "server/execution/change.h"

#include <cstring>

namespace vedette {

void EffectBatch::add_view(int db, std::span<const std::string_view> argv, bool replicas_only) {
  items_.push_back(Item{db, uint32_t(argv_.size()), uint32_t(argv.size()), replicas_only});
  argv_.insert(argv_.end(), argv.begin(), argv.end());
}

void EffectBatch::add_copy(int db, std::span<const std::string_view> argv, bool replicas_only) {
  size_t bytes = 0;
  for (const std::string_view arg : argv) bytes += arg.size();
  copies_.emplace_back(new char[bytes + 1]);
  char* at = copies_.back().get();
  items_.push_back(Item{db, uint32_t(argv_.size()), uint32_t(argv.size()), replicas_only});
  for (const std::string_view arg : argv) {
    std::memcpy(at, arg.data(), arg.size());
    argv_.emplace_back(at, arg.size());
    at += arg.size();
  }
}

void EffectBatch::clear() {
  items_.clear();
  argv_.clear();
  copies_.clear();
}

}  // namespace vedette
