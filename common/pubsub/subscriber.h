// One listener: what it is subscribed to, and how a message reaches it. Channels (channels.h) indexes listeners; what
// stands behind one (a client's session, a sentinel's event) is not known here.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace vedette {

enum class MessageKind { kChannel, kPattern, kShard };

/// A published message on its way to one listener. The views live during deliver().
struct Message {
  MessageKind kind;
  std::string_view pattern;  ///< kPattern: the pattern that matched
  std::string_view channel;
  std::string_view payload;
};

class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void deliver(const Message& message) = 0;

  /// What SUBSCRIBE and UNSUBSCRIBE answer as the count: channels and patterns; shard channels count apart.
  size_t count() const { return channels.size() + patterns.size(); }
  bool subscribed() const { return count() || !shard_channels.empty(); }

  // Sorted, so that UNSUBSCRIBE without names answers in a defined order. Kept by Channels.
  std::set<std::string, std::less<>> channels, patterns, shard_channels;
};

}  // namespace vedette
