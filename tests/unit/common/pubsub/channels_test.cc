// The index of listeners against sets of names.
#include "common/pubsub/channels.h"

#include <doctest/doctest.h>

#include <set>

#include <memory>

#include "common/base/text.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

struct Listener final : Subscriber {
  void deliver(const Message& message) override {
    static constexpr const char* kNames[] = {"channel", "pattern", "shard"};
    heard.push_back(std::string(kNames[int(message.kind)]) + " " + std::string(message.pattern) + " " + std::string(message.channel) + " " +
                    std::string(message.payload));
  }
  std::vector<std::string> heard;
};

}  // namespace

TEST_CASE("a message reaches channels, then patterns, and shard channels apart") {
  Channels channels;
  Listener a, b;
  CHECK(channels.subscribe(a, "news"));
  CHECK_FALSE(channels.subscribe(a, "news"));
  CHECK(channels.subscribe_pattern(a, "n*"));
  CHECK(channels.subscribe_pattern(b, "*s"));
  CHECK(channels.subscribe_shard(b, "news"));
  CHECK(channels.publish("news", "hi") == 3);
  CHECK(a.heard == std::vector<std::string>{"channel  news hi", "pattern n* news hi"});
  CHECK(b.heard == std::vector<std::string>{"pattern *s news hi"});
  CHECK(channels.publish_shard("news", "ho") == 1);
  CHECK(b.heard.back() == "shard  news ho");
  CHECK(channels.publish("old", "hi") == 0);
  CHECK(a.count() == 2);
  CHECK(b.count() == 1);
  channels.unsubscribe_all(a);
  channels.unsubscribe_all(b);
  CHECK(channels.empty());
  CHECK_FALSE(a.subscribed());
}

TEST_CASE("the index does what sets of names do") {
  Rng rng(test_seed("channels"));
  Channels channels;
  constexpr size_t kListeners = 6;
  Listener listeners[kListeners];
  std::set<std::string> subscribed[kListeners], patterns[kListeners];
  for (int i = 0; i < 6000; i++) {
    const size_t who = rng.below(kListeners);
    const std::string name = "c" + std::to_string(rng.below(8));
    const std::string pattern = rng.below(2) ? "c[" + std::to_string(rng.below(8)) + "-7]" : name + "*";
    switch (rng.below(6)) {
      case 0: REQUIRE(channels.subscribe(listeners[who], name) == subscribed[who].insert(name).second); break;
      case 1: REQUIRE(channels.unsubscribe(listeners[who], name) == bool(subscribed[who].erase(name))); break;
      case 2: REQUIRE(channels.subscribe_pattern(listeners[who], pattern) == patterns[who].insert(pattern).second); break;
      case 3: REQUIRE(channels.unsubscribe_pattern(listeners[who], pattern) == bool(patterns[who].erase(pattern))); break;
      case 4:
        if (rng.below(20)) break;
        channels.unsubscribe_all(listeners[who]);
        subscribed[who].clear();
        patterns[who].clear();
        break;
      default: {
        size_t expected = 0, direct = 0;
        for (size_t l = 0; l < kListeners; l++) {
          listeners[l].heard.clear();
          direct += subscribed[l].count(name);
          for (const std::string& p : patterns[l]) expected += glob_match(p, name);
        }
        REQUIRE(channels.publish(name, "x") == expected + direct);
        size_t heard = 0;
        for (const Listener& listener : listeners) heard += listener.heard.size();
        REQUIRE(heard == expected + direct);
        REQUIRE(channels.subscribers(name) == direct);
      }
    }
    std::set<std::string> names, globs;
    for (size_t l = 0; l < kListeners; l++) {
      names.insert(subscribed[l].begin(), subscribed[l].end());
      globs.insert(patterns[l].begin(), patterns[l].end());
    }
    REQUIRE(channels.channel_count() == names.size());
    REQUIRE(channels.pattern_count() == globs.size());
    REQUIRE(channels.matching("").size() == names.size());
    REQUIRE(channels.matching("c0").size() == names.count("c0"));
  }
  for (Listener& listener : listeners) channels.unsubscribe_all(listener);
}
