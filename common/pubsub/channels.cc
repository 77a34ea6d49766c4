// Both sides of a subscription are kept here: a leaver takes the last listener of the name to its place.
#include "common/pubsub/channels.h"

#include "common/base/assert.h"
#include "common/base/text.h"

namespace vedette {

bool Channels::add(Index& index, NamesOf names, Subscriber& subscriber, std::string_view name) {
  Subscriber::Names& own = subscriber.*names;
  if (own.contains(name)) return false;
  auto it = index.find(name);
  if (it == index.end()) it = index.emplace(std::string(name), std::vector<Subscriber*>()).first;
  own.emplace(std::string(name), it->second.size());
  it->second.push_back(&subscriber);
  subscriber.name_bytes += name.size();
  return true;
}

bool Channels::remove(Index& index, NamesOf names, Subscriber& subscriber, std::string_view name) {
  Subscriber::Names& own = subscriber.*names;
  const auto at = own.find(name);
  if (at == own.end()) return false;
  const auto it = index.find(name);
  VED_ASSERT(it != index.end());
  auto& listeners = it->second;
  const size_t position = at->second;
  VED_ASSERT(position < listeners.size());
  VED_ASSERT(listeners[position] == &subscriber);
  own.erase(at);
  subscriber.name_bytes -= name.size();
  // Order among listeners promises nothing: the last one fills the hole.
  Subscriber* last = listeners.back();
  listeners.pop_back();
  if (last != &subscriber) {
    listeners[position] = last;
    (last->*names).find(name)->second = position;
  }
  if (listeners.empty()) index.erase(it);
  return true;
}

size_t Channels::size_of(const Index& index, std::string_view name) {
  const auto it = index.find(name);
  return it == index.end() ? 0 : it->second.size();
}

std::vector<std::string_view> Channels::matching_in(const Index& index, std::string_view glob) {
  std::vector<std::string_view> names;
  for (const auto& [name, listeners] : index)
    if (glob.empty() || glob_match(glob, name)) names.push_back(name);
  return names;
}

bool Channels::subscribe(Subscriber& s, std::string_view channel) { return add(channels_, &Subscriber::channels, s, channel); }
bool Channels::subscribe_pattern(Subscriber& s, std::string_view pattern) { return add(patterns_, &Subscriber::patterns, s, pattern); }
bool Channels::subscribe_shard(Subscriber& s, std::string_view channel) {
  return add(shard_channels_, &Subscriber::shard_channels, s, channel);
}
bool Channels::unsubscribe(Subscriber& s, std::string_view channel) { return remove(channels_, &Subscriber::channels, s, channel); }
bool Channels::unsubscribe_pattern(Subscriber& s, std::string_view pattern) { return remove(patterns_, &Subscriber::patterns, s, pattern); }
bool Channels::unsubscribe_shard(Subscriber& s, std::string_view channel) {
  return remove(shard_channels_, &Subscriber::shard_channels, s, channel);
}

void Channels::unsubscribe_all(Subscriber& s) {
  while (!s.channels.empty()) unsubscribe(s, std::string(s.channels.begin()->first));
  while (!s.patterns.empty()) unsubscribe_pattern(s, std::string(s.patterns.begin()->first));
  while (!s.shard_channels.empty()) unsubscribe_shard(s, std::string(s.shard_channels.begin()->first));
}

size_t Channels::deliver_to(const std::vector<Subscriber*>& listeners, const Message& message) {
  for (Subscriber* subscriber : listeners) subscriber->deliver(message);
  return listeners.size();
}

size_t Channels::publish(std::string_view channel, std::string_view payload) {
  size_t delivered = 0;
  if (const auto it = channels_.find(channel); it != channels_.end())
    delivered += deliver_to(it->second, Message{MessageKind::kChannel, {}, channel, payload});
  for (const auto& [pattern, listeners] : patterns_)
    if (glob_match(pattern, channel)) delivered += deliver_to(listeners, Message{MessageKind::kPattern, pattern, channel, payload});
  return delivered;
}

size_t Channels::publish_shard(std::string_view channel, std::string_view payload) {
  const auto it = shard_channels_.find(channel);
  if (it == shard_channels_.end()) return 0;
  return deliver_to(it->second, Message{MessageKind::kShard, {}, channel, payload});
}

}  // namespace vedette
