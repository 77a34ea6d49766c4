// A session's subscriptions as its client sees them: the kinds of names, leaving them, and a message in the form in which it
// is sent.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/pubsub/channels.h"
#include "common/session/session.h"

namespace vedette {

/// A kind of names that one can listen to, and the words that confirm it.
struct SubscriptionKind {
  std::string_view joined, left;
  Subscriber::Names Subscriber::*names;
  bool (Channels::*join)(Subscriber&, std::string_view);
  bool (Channels::*leave)(Subscriber&, std::string_view);
};
inline constexpr SubscriptionKind kChannelKind{"subscribe", "unsubscribe", &Subscriber::channels, &Channels::subscribe,
                                               &Channels::unsubscribe};
inline constexpr SubscriptionKind kPatternKind{"psubscribe", "punsubscribe", &Subscriber::patterns, &Channels::subscribe_pattern,
                                               &Channels::unsubscribe_pattern};
inline constexpr SubscriptionKind kShardChannelKind{"ssubscribe", "sunsubscribe", &Subscriber::shard_channels, &Channels::subscribe_shard,
                                                    &Channels::unsubscribe_shard};

/// Leaves `names`, or with none all of this kind. `confirm(const std::string_view* name)` is called after each, and once with null
/// if there was nothing to leave.
template <class Confirm>
void leave_names(Channels& channels, Subscriber* subscriber, const SubscriptionKind& kind, std::span<const std::string_view> names,
                 Confirm&& confirm) {
  const auto leave_one = [&](std::string_view name) {
    if (subscriber) (channels.*kind.leave)(*subscriber, name);
    confirm(&name);
  };
  if (!names.empty()) {
    for (const std::string_view name : names) leave_one(name);
  } else if (!subscriber || (subscriber->*kind.names).empty()) {
    confirm(nullptr);
  } else {
    while (!(subscriber->*kind.names).empty()) leave_one(std::string((subscriber->*kind.names).begin()->first));
  }
}

/// To be called when the session's subscriptions or its RESP version have changed.
inline void note_subscriptions(Session& session) {
  session.set(kSubscribedResp2, session.resp == RespVersion::k2 && session.subscriber && session.subscriber->subscribed());
}

/// The message as it is sent but for its first byte, which is '>' in RESP3 and '*' in RESP2. Encoded by the first who asks.
const std::string& encoded(const Message& message);

}  // namespace vedette
