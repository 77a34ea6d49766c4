// The rules of history.h.
#include "server/replication/history.h"

#include <algorithm>

#include "common/base/assert.h"

namespace vedette {

void History::advance(uint64_t bytes) {
  offset += bytes;
  if (bytes) as_resumed = false;
}

void History::fork(std::string new_id) {
  // What was resumed and never went on is still the saved history: that is the one others may know, not ours.
  if (!as_resumed) id2 = std::move(id);
  second_offset = int64_t(offset) + 1;
  id = std::move(new_id);
  as_resumed = false;
}

void History::restart(std::string new_id) {
  id = std::move(new_id);
  id2.clear();
  second_offset = -1;
  as_resumed = false;
}

void History::adopt(std::string primary_id, uint64_t primary_offset) {
  restart(std::move(primary_id));
  offset = primary_offset;
}

void History::continue_as(std::string new_id) {
  HistoryPoint was = reported();
  if (as_resumed) {
    // The own id was never used: it is the saved history that goes on.
    id2.clear();
    second_offset = -1;
    as_resumed = false;
  }
  if (new_id.empty() || new_id == was.id) {
    id = std::move(was.id);
    return;
  }
  id2 = std::move(was.id);
  second_offset = int64_t(offset) + 1;
  id = std::move(new_id);
}

void History::resumed(std::string loaded_id, uint64_t loaded_offset, std::string new_id) {
  VED_ASSERT(!loaded_id.empty());
  id = std::move(new_id);
  id2 = std::move(loaded_id);
  offset = loaded_offset;
  second_offset = int64_t(loaded_offset) + 1;
  as_resumed = true;
}

HistoryPoint History::reported() const {
  VED_ASSERT(id2.empty() == (second_offset < 0));
  VED_ASSERT(!as_resumed || second_offset == int64_t(offset) + 1);
  return {as_resumed ? id2 : id, offset};
}

bool is_history_id(std::string_view text) {
  return text.size() == 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

}  // namespace vedette
