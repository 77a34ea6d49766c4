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

void EffectBatch::restrict(size_t first, bool to_replicas, bool to_log) {
  if (to_replicas && to_log) return;
  size_t kept = first;
  for (size_t i = first; i < items_.size(); i++) {
    Item item = items_[i];
    if (!item.settled) {
      item.replicas_only |= !to_log;
      item.log_only |= !to_replicas;
    }
    if (!(item.replicas_only && item.log_only)) items_[kept++] = item;
  }
  items_.resize(kept);
}

void EffectBatch::swap(EffectBatch& other) noexcept {
  items_.swap(other.items_);
  argv_.swap(other.argv_);
  copies_.swap(other.copies_);
}

void EffectBatch::clear() {
  items_.clear();
  argv_.clear();
  copies_.clear();
}

}  // namespace vedette
