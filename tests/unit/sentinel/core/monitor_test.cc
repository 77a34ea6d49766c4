// The monitor alone, told what happens one event at a time: what hostile or odd peers must not bring about.
#include "sentinel/core/monitor.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vedette::sentinel {
namespace {

class Harness {
 public:
  explicit Harness(const std::vector<std::vector<std::string>>& directives = {}) : monitor_(std::string(40, 'f'), GlobalOptions{}, Rng(1)) {
    REQUIRE(monitor_.configure({"monitor", "m", "127.0.0.1", "7000", "2"}, now_));
    for (const auto& words : directives) REQUIRE(monitor_.configure(words, now_));
  }

  Monitor& monitor() { return monitor_; }
  Group& group() { return *monitor_.find("m"); }
  const Now& now() const { return now_; }
  void step(const Event& event) {
    monitor_.step(event, now_);
    for (Effect& effect : monitor_.take_effects()) effects.push_back(std::move(effect));
  }
  /// Steps with a Tick at each moment that the monitor asked for; `act` sees what each step brought.
  template <class Act>
  void run_ms(int64_t ms, Act&& act) {
    const Instant end = after_ms(now_.instant, ms);
    while (monitor_.due() <= end) {
      now_.instant = later(now_.instant, monitor_.due());
      step(Tick{});
      act();
    }
    now_.instant = end;
  }
  template <class What>
  std::vector<What> taken() {
    std::vector<What> found;
    for (const Effect& effect : effects)
      if (const What* what = std::get_if<What>(&effect.what)) found.push_back(*what);
    effects.clear();
    return found;
  }
  void hello(const std::string& payload) { monitor_.hear_hello(payload, now_); }
  static std::string hello_of(char who, int port, const std::string& tail) {
    return "127.0.0.1," + std::to_string(port) + "," + std::string(40, who) + "," + tail;
  }

  std::vector<Effect> effects;

 private:
  Now now_{Instant{1000000000}, WallTime{1700000000000000}};
  Monitor monitor_;
};

TEST_CASE("whoever accepts a connection and ends it at once is called again once a period, not in a circle") {
  for (const char* fast : {"no", "yes"}) {
    CAPTURE(fast);
    Harness h({{"fast-evidence", "m", fast}});
    size_t opened = 0;
    h.run_ms(10000, [&] {
      for (std::vector<OpenLink> links = h.taken<OpenLink>(); !links.empty(); links = h.taken<OpenLink>())
        for (const OpenLink& link : links) {
          opened++;
          REQUIRE(opened < 1000);
          h.step(Connected{link.link, "127.0.0.1"});
          h.step(Closed{link.link, "ended", false, true});
        }
    });
    CHECK(opened >= 20);
    CHECK(opened <= (std::string(fast) == "yes" ? 202 : 22));  // two links, every 100 ms or every second
  }
}

// What the monitor publishes of the type `-tls-refused`.
std::vector<std::string> refusals(Harness& h) {
  std::vector<std::string> texts;
  for (const Publish& event : h.taken<Publish>())
    if (event.type == "-tls-refused") texts.push_back(event.payload);
  return texts;
}

TEST_CASE("a primary that does not agree on TLS is told of once, until it answers") {
  Harness h;
  h.step(Tick{});
  const std::string reason = "127.0.0.1:7000: TLS handshake: the answer is not TLS";
  std::vector<std::string> told;
  h.run_ms(5000, [&] {
    std::vector<OpenLink> opened;
    for (const Effect& effect : h.effects)
      if (const auto* link = std::get_if<OpenLink>(&effect.what)) opened.push_back(*link);
    for (const std::string& text : refusals(h)) told.push_back(text);
    for (const OpenLink& link : opened) h.step(Closed{.link = link.link, .reason = reason, .tls = true});
  });
  for (const std::string& text : refusals(h)) told.push_back(text);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == "master m 127.0.0.1 7000 TLS handshake: the answer is not TLS");
  CHECK(h.group().primary.contact->disconnected());
  LinkId link = 0;
  h.run_ms(2000, [&] {
    for (const OpenLink& opened : h.taken<OpenLink>())
      if (!opened.pubsub) link = opened.link;
    if (link) h.step(Connected{link, "127.0.0.1"});
  });
  Answer pong;
  pong.type = Answer::Type::kStatus;
  pong.text = "PONG";
  h.step(Replied{link, Asked::kPing, "m", pong});
  CHECK(h.group().primary.contact->trouble.empty());
}

TEST_CASE("a primary that has never answered and ends connections may want TLS") {
  for (const bool answered : {false, true}) {
    CAPTURE(answered);
    Harness h;
    h.step(Tick{});
    h.group().primary.contact->answered = answered;
    std::vector<std::string> told;
    h.run_ms(5000, [&] {
      std::vector<OpenLink> opened;
      for (const Effect& effect : h.effects)
        if (const auto* link = std::get_if<OpenLink>(&effect.what)) opened.push_back(*link);
      for (const std::string& text : refusals(h)) told.push_back(text);
      for (const OpenLink& link : opened) {
        h.step(Connected{link.link, "127.0.0.1"});
        h.step(Closed{.link = link.link, .reason = "closed by the peer", .reset = true});
      }
    });
    CHECK(told.size() == (answered ? 0 : 1));
    if (!told.empty()) CHECK(told[0].find("tls-replication yes") != std::string::npos);
  }
}

TEST_CASE("hellos that are no hellos change nothing") {
  Harness h;
  h.step(Tick{});
  const auto before = h.monitor().state_lines();
  const std::string tail = "0,m,127.0.0.1,7000,0";
  for (const std::string& bad : std::vector<std::string>{
           "", ",", ",,,,,,,", "hello", Harness::hello_of('a', 0, tail), Harness::hello_of('a', 65536, tail),
           Harness::hello_of('g', 7101, tail), Harness::hello_of('a', 7101, "-1,m,127.0.0.1,7000,0"),
           Harness::hello_of('a', 7101, "0,m,127.0.0.1,0,0"), Harness::hello_of('a', 7101, "0,m,127.0.0.1,7000,99999999999999999999"),
           Harness::hello_of('a', 7101, "0,m,127.0.0.1,7000"), Harness::hello_of('a', 7101, "18446744073709551615,m,127.0.0.1,7000,0"),
           Harness::hello_of('a', 7101, "0,m,127.0.0.1\r\nmyid x,7000,0"), Harness::hello_of('a', 7101, "0,other,127.0.0.1,7000,0"),
           Harness::hello_of('a', 7101, tail + ",0"), Harness::hello_of('f', 7101, tail), "a b,7101," + std::string(40, 'a') + "," + tail,
           std::string(100000, ',')}) {
    CAPTURE(bad.substr(0, 100));
    h.hello(bad);
    CHECK(h.monitor().state_lines() == before);
  }
}

TEST_CASE("a stale hello moves no configuration back; a newer one moves it on, once") {
  Harness h;
  h.step(Tick{});
  h.hello(Harness::hello_of('a', 7101, "5,m,127.0.0.1,7001,5"));
  CHECK(h.group().primary.address.port == 7001);
  CHECK(h.monitor().current_epoch() == 5);
  h.hello(Harness::hello_of('b', 7102, "4,m,127.0.0.1,7000,4"));
  h.hello(Harness::hello_of('b', 7102, "0,m,127.0.0.1,7002,0"));
  CHECK(h.group().primary.address.port == 7001);
  CHECK(h.group().config_epoch == 5);
  CHECK(h.monitor().current_epoch() == 5);
  CHECK(h.group().sentinels.size() == 2);
}

TEST_CASE("sentinels that nobody has seen do not come without end") {
  Harness h;
  h.step(Tick{});
  for (int i = 0; i < 3000; i++) {
    std::string id = std::to_string(i);
    id = std::string(40 - id.size(), '0') + id;
    h.hello("127.0.0.1," + std::to_string(10000 + i) + "," + id + ",0,m,127.0.0.1,7000,0");
  }
  CHECK(h.group().sentinels.size() == 1000);
}

TEST_CASE("a candidate that others stand against in later epochs is waited for only while it can have won") {
  const auto vote_of = [](Harness& h, char who, Epoch epoch) {
    return h.monitor().is_primary_down({"127.0.0.1", 7000}, epoch, std::string(40, who), h.now()).leader;
  };
  for (const char* quorum : {"3", "4", "5"}) {
    CAPTURE(quorum);
    Harness h;
    REQUIRE(h.monitor().set(h.group(), "quorum", {quorum}, h.now()));
    for (const char who : {'a', 'b', 'c', 'd'}) h.hello(Harness::hello_of(who, 7100 + who, "0,m,127.0.0.1,7000,0"));
    h.step(Tick{});
    for (const OpenLink& link : h.taken<OpenLink>()) h.step(Connected{link.link, "127.0.0.1"});
    const std::string first(40, 'a'), second(40, 'b'), third(40, 'c');
    CHECK(vote_of(h, 'a', 1) == first);
    CHECK(vote_of(h, 'b', 1) == first);                              // one vote an epoch
    CHECK(vote_of(h, 'b', 2) == (*quorum == '5' ? second : first));  // all votes were needed: it had not this one
    CHECK(vote_of(h, 'c', 3) == (*quorum == '3' ? first : third));   // with two against it, it had three at most
  }
}

TEST_CASE("a candidate that has voted for another since is waited for no longer") {
  Harness h;
  for (const char who : {'a', 'b'}) h.hello(Harness::hello_of(who, 7100 + who, "0,m,127.0.0.1,7000,0"));
  h.step(Tick{});
  const std::string first(40, 'a'), second(40, 'b');
  LinkId to_first = 0;
  for (const OpenLink& link : h.taken<OpenLink>()) {
    if (link.to.port == 7100 + 'a' && !to_first) to_first = link.link;
    h.step(Connected{link.link, "127.0.0.1"});
  }
  REQUIRE(to_first != 0);
  h.step(Replied{to_first, Asked::kInfo, "m", Answer{Answer::Type::kBulk, "# Server\r\nvedette_version:0\r\n", 0, {}}});
  const auto vote_of = [&](const std::string& who, Epoch epoch) {
    return h.monitor().is_primary_down({"127.0.0.1", 7000}, epoch, who, h.now()).leader;
  };
  const auto first_says = [&](const std::string& leader, int64_t epoch) {
    h.step(Replied{
        to_first, Asked::kDown, "m",
        Answer{Answer::Type::kArray,
               "",
               0,
               {{Answer::Type::kInteger, "", 1, {}}, {Answer::Type::kBulk, leader, 0, {}}, {Answer::Type::kInteger, "", epoch, {}}}}});
  };
  CHECK(vote_of(first, 1) == first);
  CHECK(vote_of(second, 2) == first);
  first_says(first, 1);
  CHECK(vote_of(second, 3) == first);
  first_says(first, 4);  // it stands again
  CHECK(vote_of(second, 5) == first);
  first_says(second, 5);
  CHECK(vote_of(second, 6) == second);
}

TEST_CASE("an election for one primary is not over because another's has a later epoch") {
  Harness h({{"monitor", "n", "127.0.0.1", "7001", "2"}});
  const std::string first(40, 'a'), second(40, 'b');
  CHECK(h.monitor().is_primary_down({"127.0.0.1", 7001}, 7, first, h.now()).leader == first);
  CHECK(h.monitor().current_epoch() == 7);
  const Monitor::DownAnswer answer = h.monitor().is_primary_down({"127.0.0.1", 7000}, 5, second, h.now());
  CHECK(answer.leader == second);
  CHECK(answer.leader_epoch == 5);
  CHECK(h.monitor().current_epoch() == 7);
  // A configuration that was made in that epoch or later ends it, for its own primary.
  h.hello(Harness::hello_of('c', 7102, "9,n,127.0.0.1,7001,9"));
  CHECK(h.monitor().is_primary_down({"127.0.0.1", 7001}, 8, second, h.now()).leader == first);
}

TEST_CASE("what INFO tells is believed only as far as it can be read") {
  Harness h;
  h.step(Tick{});
  const std::vector<OpenLink> links = h.taken<OpenLink>();
  REQUIRE(links.size() == 2);
  h.step(Connected{links[0].link, "127.0.0.1"});
  for (const std::string& text : std::vector<std::string>{
           "", "role", "role:", "role:emperor\r\nrun_id:", "run_id:" + std::string(4000, 'x'), "role:master\r\nslave0:ip=,port=,state=\r\n",
           "role:master\r\nslave0:ip=1.2.3.4,port=70000,state=online\r\nslave1:ip=1.2.3.4 5,port=1\r\n",
           "role:master\r\nslave0:ip=not.looked.up,port=7001,state=online\r\n", std::string(10000, '\r')}) {
    CAPTURE(text.substr(0, 100));
    h.step(Replied{links[0].link, Asked::kInfo, "m", Answer{Answer::Type::kBulk, text, 0, {}}});
    CHECK(h.group().replicas.empty());
  }
  h.step(Replied{links[0].link, Asked::kInfo, "m",
                 Answer{Answer::Type::kBulk, "role:master\r\nslave0:ip=127.0.0.1,port=7001,state=online,offset=1,lag=0\r\n", 0, {}}});
  CHECK(h.group().replicas.size() == 1);
}

TEST_CASE("answers of the wrong shape to a question about the primary are nothing") {
  Harness h;
  h.step(Tick{});
  h.hello(Harness::hello_of('a', 7101, "0,m,127.0.0.1,7000,0"));
  h.step(Tick{});
  std::vector<OpenLink> links = h.taken<OpenLink>();
  REQUIRE(!links.empty());
  const LinkId link = links.back().link;
  REQUIRE(links.back().to.port == 7101);
  h.step(Connected{link, "127.0.0.1"});
  const auto integer = [](int64_t n) { return Answer{Answer::Type::kInteger, "", n, {}}; };
  const auto bulk = [](const std::string& text) { return Answer{Answer::Type::kBulk, text, 0, {}}; };
  for (const Answer& answer : std::vector<Answer>{Answer{},
                                                  integer(1),
                                                  bulk("1"),
                                                  {Answer::Type::kArray, "", 0, {}},
                                                  {Answer::Type::kArray, "", 0, {integer(1)}},
                                                  {Answer::Type::kArray, "", 0, {bulk("1"), bulk("*"), integer(0)}},
                                                  {Answer::Type::kArray, "", 0, {integer(1), integer(1), integer(1)}},
                                                  {Answer::Type::kArray, "", 0, {integer(0), bulk(std::string(40, 'f')), integer(-1)}}}) {
    h.step(Replied{link, Asked::kDown, "m", answer});
    const Member& other = *h.group().sentinels.at(std::string(40, 'a'));
    CHECK(!other.says_down);
    CHECK(other.voted_epoch == 0);
  }
}

}  // namespace
}  // namespace vedette::sentinel
