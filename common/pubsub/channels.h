// The index of who listens to which channel, pattern and shard channel.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/pubsub/subscriber.h"

namespace vedette {

class Channels {
 public:
  /// True if the subscriber was not subscribed before.
  bool subscribe(Subscriber& subscriber, std::string_view channel);
  bool subscribe_pattern(Subscriber& subscriber, std::string_view pattern);
  bool subscribe_shard(Subscriber& subscriber, std::string_view channel);
  /// True if it was subscribed.
  bool unsubscribe(Subscriber& subscriber, std::string_view channel);
  bool unsubscribe_pattern(Subscriber& subscriber, std::string_view pattern);
  bool unsubscribe_shard(Subscriber& subscriber, std::string_view channel);
  /// O(names); whoever else listens to them costs nothing.
  void unsubscribe_all(Subscriber& subscriber);

  /// Delivers to the channel's subscribers and to those of matching patterns; returns how many deliveries.
  /// O(subscribers + patterns).
  size_t publish(std::string_view channel, std::string_view payload);
  size_t publish_shard(std::string_view channel, std::string_view payload);

  bool empty() const { return channels_.empty() && patterns_.empty() && shard_channels_.empty(); }
  size_t channel_count() const { return channels_.size(); }
  size_t pattern_count() const { return patterns_.size(); }
  size_t shard_channel_count() const { return shard_channels_.size(); }
  size_t subscribers(std::string_view channel) const { return size_of(channels_, channel); }
  size_t shard_subscribers(std::string_view channel) const { return size_of(shard_channels_, channel); }
  /// Names of the channels that match the glob (all with an empty one).
  std::vector<std::string_view> matching(std::string_view glob) const { return matching_in(channels_, glob); }
  std::vector<std::string_view> matching_shard(std::string_view glob) const { return matching_in(shard_channels_, glob); }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Index = std::unordered_map<std::string, std::vector<Subscriber*>, TextHash, std::equal_to<>>;
  using NamesOf = Subscriber::Names Subscriber::*;

  static bool add(Index& index, NamesOf names, Subscriber& subscriber, std::string_view name);
  static bool remove(Index& index, NamesOf names, Subscriber& subscriber, std::string_view name);
  static size_t deliver_to(const std::vector<Subscriber*>& listeners, const Message& message);
  static size_t size_of(const Index& index, std::string_view name);
  static std::vector<std::string_view> matching_in(const Index& index, std::string_view glob);

  Index channels_, patterns_, shard_channels_;
};

}  // namespace vedette
