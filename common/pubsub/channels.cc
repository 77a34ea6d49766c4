#include "common/pubsub/channels.h"

#include <algorithm>

#include "common/base/text.h"

namespace vedette {

bool Channels::add(Index& index, Names& names, Subscriber& subscriber, std::string_view name) {
  if (!names.emplace(name).second) return false;
  auto it = index.find(name);
  if (it == index.end()) it = index.emplace(std::string(name), std::vector<Subscriber*>()).first;
  it->second.push_back(&subscriber);
  return true;
}

bool Channels::remove(Index& index, Names& names, Subscriber& subscriber, std::string_view name) {
  const auto own = names.find(name);
  if (own == names.end()) return false;
  const auto it = index.find(name);
  auto& listeners = it->second;
  // Order among listeners promises nothing: the last one fills the hole.
  *std::find(listeners.begin(), listeners.end(), &subscriber) = listeners.back();
  listeners.pop_back();
  if (listeners.empty()) index.erase(it);
  names.erase(own);
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

bool Channels::subscribe(Subscriber& s, std::string_view channel) { return add(channels_, s.channels, s, channel); }
bool Channels::subscribe_pattern(Subscriber& s, std::string_view p) { return add(patterns_, s.patterns, s, p); }
bool Channels::subscribe_shard(Subscriber& s, std::string_view channel) {
  return add(shard_channels_, s.shard_channels, s, channel);
}
bool Channels::unsubscribe(Subscriber& s, std::string_view channel) { return remove(channels_, s.channels, s, channel); }
bool Channels::unsubscribe_pattern(Subscriber& s, std::string_view p) { return remove(patterns_, s.patterns, s, p); }
bool Channels::unsubscribe_shard(Subscriber& s, std::string_view channel) {
  return remove(shard_channels_, s.shard_channels, s, channel);
}

void Channels::unsubscribe_all(Subscriber& s) {
  while (!s.channels.empty()) unsubscribe(s, std::string(*s.channels.begin()));
  while (!s.patterns.empty()) unsubscribe_pattern(s, std::string(*s.patterns.begin()));
  while (!s.shard_channels.empty()) unsubscribe_shard(s, std::string(*s.shard_channels.begin()));
}

size_t Channels::publish(std::string_view channel, std::string_view payload) {
  size_t delivered = 0;
  if (const auto it = channels_.find(channel); it != channels_.end())
    for (Subscriber* subscriber : it->second) {
      subscriber->deliver(Message{MessageKind::kChannel, {}, channel, payload});
      delivered++;
    }
  for (const auto& [pattern, listeners] : patterns_) {
    if (!glob_match(pattern, channel)) continue;
    for (Subscriber* subscriber : listeners) {
      subscriber->deliver(Message{MessageKind::kPattern, pattern, channel, payload});
      delivered++;
    }
  }
  return delivered;
}

size_t Channels::publish_shard(std::string_view channel, std::string_view payload) {
  const auto it = shard_channels_.find(channel);
  if (it == shard_channels_.end()) return 0;
  for (Subscriber* subscriber : it->second) subscriber->deliver(Message{MessageKind::kShard, {}, channel, payload});
  return it->second.size();
}

}  // namespace vedette
