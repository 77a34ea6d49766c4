// Groups, consumers and pending entries, and what they weigh.
#include "server/store/stream_groups.h"

#include <algorithm>

#include "common/base/memory.h"

namespace vedette {
namespace {

// A pending entry, and its pointers in chunks that are three quarters full.
constexpr size_t kPendingBytes = allocation_size(sizeof(StreamPending)) + 2 * 11;

template <class Named>
auto place_of(const std::vector<std::unique_ptr<Named>>& all, std::string_view name) {
  return std::lower_bound(all.begin(), all.end(), name, [](const auto& one, std::string_view wanted) { return one->name < wanted; });
}

template <class Named>
Named* find_named(const std::vector<std::unique_ptr<Named>>& all, std::string_view name) {
  const auto place = place_of(all, name);
  return place != all.end() && (*place)->name == name ? place->get() : nullptr;
}

template <class Named>
size_t named_bytes(const Named& one) {
  const size_t name = one.name.size() > 15 ? one.name.size() + 1 : 0;  // shorter ones lie in the object
  return allocation_size(sizeof(Named)) + name + sizeof(void*);
}

StreamPending* new_pending(const StreamPending& from) { return new (allocate(sizeof(StreamPending))) StreamPending(from); }
void free_pending(StreamPending* pending) { release(pending, sizeof *pending); }

void free_all_pending(StreamGroup& group) {
  for (auto place = group.pending.begin(); place != group.pending.end(); place = group.pending.next(place))
    free_pending(group.pending.at(place));
}

}  // namespace

StreamConsumer* StreamGroup::find_consumer(std::string_view consumer) const { return find_named(consumers, consumer); }

StreamGroups::~StreamGroups() {
  for (const auto& group : groups_) free_all_pending(*group);
}

StreamGroup* StreamGroups::find(std::string_view name) const { return find_named(groups_, name); }

StreamGroup* StreamGroups::create(std::string_view name, StreamId last_id, int64_t entries_read) {
  const auto place = place_of(groups_, name);
  if (place != groups_.end() && (*place)->name == name) return nullptr;
  std::unique_ptr<StreamGroup> group(new StreamGroup{std::string(name), last_id, entries_read});
  memory_bytes_ += named_bytes(*group);
  return groups_.insert(place, std::move(group))->get();
}

bool StreamGroups::destroy(std::string_view name) {
  const auto place = place_of(groups_, name);
  if (place == groups_.end() || (*place)->name != name) return false;
  StreamGroup& group = **place;
  free_all_pending(group);
  memory_bytes_ -= named_bytes(group) + group.pending.size() * kPendingBytes;
  for (const auto& consumer : group.consumers) memory_bytes_ -= named_bytes(*consumer);
  groups_.erase(place);
  return true;
}

StreamConsumer* StreamGroups::create_consumer(StreamGroup& group, std::string_view name, int64_t now_ms) {
  const auto place = place_of(group.consumers, name);
  if (place != group.consumers.end() && (*place)->name == name) return nullptr;
  std::unique_ptr<StreamConsumer> consumer(new StreamConsumer{std::string(name), now_ms});
  memory_bytes_ += named_bytes(*consumer);
  return group.consumers.insert(place, std::move(consumer))->get();
}

void StreamGroups::remove_consumer(StreamGroup& group, StreamConsumer& consumer) {
  for (auto place = consumer.pending.begin(); place != consumer.pending.end(); place = consumer.pending.next(place)) {
    StreamPending* pending = consumer.pending.at(place);
    group.pending.erase(group.pending.find_place(pending->id));
    free_pending(pending);
  }
  memory_bytes_ -= named_bytes(consumer) + consumer.pending.size() * kPendingBytes;
  group.consumers.erase(place_of(group.consumers, consumer.name));
}

StreamPending* StreamGroups::add_pending(StreamGroup& group, StreamConsumer* owner, const StreamPending& from) {
  StreamPending* pending = new_pending(from);
  pending->owner = owner;
  group.pending.insert(pending);
  if (owner) owner->pending.insert(pending);
  memory_bytes_ += kPendingBytes;
  return pending;
}

void StreamGroups::give(StreamPending& pending, StreamConsumer* owner) {
  if (pending.owner == owner) return;
  if (pending.owner) pending.owner->pending.erase(pending.owner->pending.find_place(pending.id));
  pending.owner = owner;
  if (owner) owner->pending.insert(&pending);
}

StreamPendings::Place StreamGroups::remove_pending(StreamGroup& group, StreamPendings::Place place) {
  StreamPending* pending = group.pending.at(place);
  give(*pending, nullptr);
  const auto following = group.pending.erase(place);
  free_pending(pending);
  memory_bytes_ -= kPendingBytes;
  return following;
}

bool StreamGroups::acknowledge(StreamGroup& group, StreamId id) {
  const auto place = group.pending.find_place(id);
  if (place == group.pending.end()) return false;
  remove_pending(group, place);
  return true;
}

bool StreamGroups::refer_to(StreamId id) const {
  for (const auto& group : groups_)
    if (group->last_id < id || group->pending.find(id)) return true;
  return false;
}

bool StreamGroups::drop_references(StreamId id) {
  bool dropped = false;
  for (const auto& group : groups_) dropped |= acknowledge(*group, id);
  return dropped;
}

void StreamGroups::copy_from(const StreamGroups& other) {
  for (const auto& group : other.groups_) {
    StreamGroup& copy = *create(group->name, group->last_id, group->entries_read);
    for (const auto& consumer : group->consumers) create_consumer(copy, consumer->name, consumer->seen_ms)->active_ms = consumer->active_ms;
    for (auto place = group->pending.begin(); place != group->pending.end(); place = group->pending.next(place)) {
      const StreamPending& pending = *group->pending.at(place);
      add_pending(copy, pending.owner ? copy.find_consumer(pending.owner->name) : nullptr, pending);
    }
  }
}

}  // namespace vedette
