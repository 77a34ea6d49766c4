// Records keyspace events, as a client that listens to all of them would see them.
#pragma once

#include "tests/session/test_server.h"

namespace vedette::testing {

class KeyspaceEvents final : public Subscriber {
 public:
  explicit KeyspaceEvents(TestServer& server, uint32_t classes = kNotifyAll | kNotifyNew) : server_(server) {
    server.state.settings.notify_classes = classes | kNotifyKeyevent;
    server.state.channels.subscribe_pattern(*this, "__keyevent@*");
  }
  ~KeyspaceEvents() override { server_.state.channels.unsubscribe_all(*this); }

  void deliver(const Message& message) override {
    const size_t at = message.channel.find('@') + 1;
    const size_t end = message.channel.find("__:", at);
    if (!text_.empty()) text_ += ' ';
    text_ += message.channel.substr(end + 3);
    text_ += ':';
    if (message.channel.substr(at, end - at) != "0") text_ += std::string(message.channel.substr(at, end - at)) + "/";
    text_ += message.payload;
  }
  /// "set:k del:k move_to:1/k": the events since the last call, the database before the key if it is not 0.
  std::string take() {
    std::string text;
    text.swap(text_);
    return text;
  }

 private:
  TestServer& server_;
  std::string text_;
};

}  // namespace vedette::testing
