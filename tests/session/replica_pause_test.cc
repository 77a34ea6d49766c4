// CLIENT PAUSE on a replica: the primary's stream waits, and goes on in its order.
#include <doctest/doctest.h>

#include "common/base/text.h"
#include "server/execution/pause.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

class SentBytes final : public OutgoingLink {
 public:
  explicit SentBytes(std::string& sent) : sent_(sent) {}
  void send(std::string_view bytes) override { sent_ += bytes; }
  size_t unsent() const override { return 0; }
  void disown() override {}

 private:
  std::string& sent_;
};

/// A replica whose primary is the test.
struct Replica {
  Replica() {
    server.actions.on_connect = [this](const std::string&, int, LinkOwner& own) {
      owner = &own;
      return std::make_unique<SentBytes>(sent);
    };
    server.replication.resume(std::string(40, 'a'), 1000, 0);
    client("REPLICAOF 127.0.0.1 1");
    attach();
  }
  void attach() {
    sent.clear();
    owner->on_link_connected("");
    owner->on_link_bytes("+PONG\r\n");
    while (sent.find("PSYNC") == std::string::npos) owner->on_link_bytes("+OK\r\n");
    owner->on_link_bytes("+CONTINUE\r\n");
    REQUIRE(link().up());
  }
  PrimaryLink& link() { return *server.replication.link(); }
  uint64_t applied() { return server.replication.history().offset; }
  void stream(std::string_view line) {
    const auto words = split_words(line);
    owner->on_link_bytes(request_bytes({words->begin(), words->end()}));
    turn();
  }
  void turn() {
    server.turn();
    server.replication.end_turn(server.executor.now());
    server.turn();
  }
  void after_ms(int64_t ms) {
    server.advance_ms(ms);
    server.executor.start_turn();
    check_pause(server.state, server.executor, server.executor.now().instant);
    server.replication.tick(server.executor.now());
    turn();
  }

  TestServer server;
  TestClient client{server};
  LinkOwner* owner = nullptr;
  std::string sent;
};

TEST_CASE("a pause holds the stream of a replica's primary") {
  Replica r;
  r.stream("SET k 1");
  const uint64_t before = r.applied();
  CHECK(r.link().read_offset() == before);
  SUBCASE("until it is taken back") {
    r.client("CLIENT PAUSE 100000 WRITE");
    r.stream("APPEND k 2");
    r.stream("MULTI");
    r.stream("APPEND k 3");
    r.stream("EXEC");
    CHECK(r.applied() == before);
    CHECK(r.link().read_offset() > before + 50);
    CHECK(r.client("GET k") == "1");
    r.client("CLIENT UNPAUSE");
    r.turn();
    CHECK(r.client("GET k") == "123");
    CHECK(r.applied() == r.link().read_offset());
  }
  SUBCASE("until its time is over") {
    r.client("CLIENT PAUSE 100");
    r.stream("PING");
    r.stream("APPEND k 2");
    r.after_ms(99);
    CHECK(r.applied() == before);
    r.after_ms(2);
    CHECK(r.client("GET k") == "12");
    r.stream("APPEND k 3");
    CHECK(r.client("GET k") == "123");
  }
  SUBCASE("from the first write on, if only writes are paused") {
    r.client("CLIENT PAUSE 100000 WRITE");
    r.stream("PING");
    CHECK(r.applied() > before);
    r.stream("MULTI");
    const uint64_t whole = r.applied();
    r.stream("APPEND k 2");
    r.stream("PING");
    CHECK(r.applied() == whole);
    r.client("CLIENT UNPAUSE");
    r.turn();
    r.stream("EXEC");
    CHECK(r.client("GET k") == "12");
    CHECK(r.applied() == r.link().read_offset());
  }
  SUBCASE("in the middle of a transaction") {
    r.stream("MULTI");
    r.stream("APPEND k 2");
    r.client("CLIENT PAUSE 100000 WRITE");
    r.stream("EXEC");
    CHECK(r.applied() == before);
    CHECK(r.client("GET k") == "1");
    r.client("CLIENT UNPAUSE");
    r.turn();
    CHECK(r.client("GET k") == "12");
  }
  SUBCASE("and what waited is asked for again if the link is lost") {
    r.client("CLIENT PAUSE 100000 WRITE");
    r.stream("APPEND k 2");
    r.owner->on_link_closed("the end");
    r.after_ms(1);
    r.attach();
    CHECK(r.sent.find(std::to_string(before + 1)) != std::string::npos);
    CHECK(r.link().read_offset() == before);
    r.stream("APPEND k 3");
    CHECK(r.client("GET k") == "1");
    r.client("CLIENT UNPAUSE");
    r.turn();
    CHECK(r.client("GET k") == "13");
  }
}

TEST_CASE("a paused replica reads up to a bound, and is not silent for its not reading") {
  Replica r;
  r.client("CLIENT PAUSE 1000000 WRITE");
  r.stream("SET k 1");
  const std::string value(1 << 20, 'x');
  for (int i = 0; i < 64; i++) {
    CHECK(r.owner->wants_link_bytes());
    r.owner->on_link_bytes(request_bytes({"SET", "l", value}));
  }
  r.turn();
  CHECK(!r.owner->wants_link_bytes());
  for (int i = 0; i < 10; i++) r.after_ms(r.server.state.settings.replication.timeout_ms / 2);
  CHECK(r.link().up());
  r.client("CLIENT UNPAUSE");
  r.turn();
  CHECK(r.owner->wants_link_bytes());
  CHECK(r.client("STRLEN l") == "1048576");
}

TEST_CASE("what holds writes for a replica's sake does not hold the stream") {
  Replica r;
  hold_writes(r.server.state, r.server.executor, ClientPause::kSlowReplica, true);
  r.stream("SET k 1");
  CHECK(r.client("GET k") == "1");
}

}  // namespace
}  // namespace vedette::testing
