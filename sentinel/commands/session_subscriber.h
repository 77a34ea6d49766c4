// A client's session as a listener to events. A message is encoded once, by the first listener it comes to; RESP2 and RESP3
// differ in its first byte only.
#pragma once

#include <memory>

#include "common/session/session.h"

namespace vedette::sentinel {

class SessionSubscriber final : public Subscriber {
 public:
  explicit SessionSubscriber(Session& session) : session_(session) {}
  void deliver(const Message& message) override;

  static Subscriber& of(Session& session) {
    if (!session.subscriber) session.subscriber = std::make_unique<SessionSubscriber>(session);
    return *session.subscriber;
  }

 private:
  Session& session_;
};

}  // namespace vedette::sentinel
