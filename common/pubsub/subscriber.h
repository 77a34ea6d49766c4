// One listener: what it is subscribed to, and how a message reaches it. Channels (channels.h) indexes listeners; what
// stands behind one (a client's session, a sentinel's event) is not known here.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace vedette {

enum class MessageKind { kChannel, kPattern, kShard };

/// A published message on its way to its listeners. The views live during deliver().
struct Message {
  MessageKind kind;
  std::string_view pattern;  ///< kPattern: the pattern that matched
  std::string_view channel;
  std::string_view payload;
  /// For the listeners' use: the form in which they send it, built by the first and used by all that follow.
  mutable std::string encoded = {};
};

class Subscriber {
 public:
  /// Names in order, so that UNSUBSCRIBE without names answers in a defined one; each with the listener's position
  /// among those of the name, so that leaving is cheap however many they are.
  using Names = std::map<std::string, size_t, std::less<>>;

  virtual ~Subscriber() = default;
  /// Must not subscribe or unsubscribe anybody.
  virtual void deliver(const Message& message) = 0;

  /// What SUBSCRIBE and UNSUBSCRIBE answer as the count: channels and patterns; shard channels count apart.
  size_t count() const { return channels.size() + patterns.size(); }
  bool subscribed() const { return count() || !shard_channels.empty(); }

  // Kept by Channels.
  Names channels, patterns, shard_channels;
  size_t name_bytes = 0;  ///< of all names together
};

}  // namespace vedette
