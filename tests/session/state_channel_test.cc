// The state channel: who is told what, and when.
#include <doctest/doctest.h>

#include "common/base/text.h"
#include "tests/session/test_server.h"

using namespace vedette;
using namespace vedette::testing;

namespace {

struct Listener {
  TestServer server;
  TestClient sentinel{server}, client{server};

  void subscribe() { sentinel("SUBSCRIBE __vedette__:state"); }
  /// The bytes of what is told after so many milliseconds; empty: nothing.
  std::string after_ms(int64_t ms) {
    server.advance_ms(ms);
    server.state.now = server.executor.now();
    server.replication.end_turn(server.executor.now());
    return sentinel.pending_bytes();
  }
  ~Listener() { server.turn(); }
};

bool tells(const std::string& text, std::string_view line) { return text.find(std::string(line) + "\r\n") != std::string::npos; }

}  // namespace

TEST_CASE("who subscribes is told at once, then once a second, and nobody else costs anything") {
  Listener l;
  CHECK_FALSE(l.server.replication.state_channel.next_deadline());
  CHECK(l.after_ms(5000).empty());
  l.subscribe();
  const std::string first = l.after_ms(0);
  CHECK(first.find("__vedette__:state") != std::string::npos);
  for (const std::string_view line :
       {"role:master", "loading:0", "run_id:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "vedette_version:0.0.0", "master_repl_offset:0",
        "connected_slaves:0", "master_failover_state:no-failover", "shutdown_requested:0", "lease_state:none", "replica_zone:"}) {
    CAPTURE(line);
    CHECK(tells(first, line));
  }
  CHECK_FALSE(tells(first, "slave_priority:100"));
  CHECK(l.after_ms(0).empty());
  CHECK(l.after_ms(999).empty());
  CHECK_FALSE(l.after_ms(1).empty());
  l.sentinel("UNSUBSCRIBE __vedette__:state");
  CHECK(l.after_ms(1000).empty());
  CHECK_FALSE(l.server.replication.state_channel.next_deadline());
}

TEST_CASE("what a sentinel may act upon is told at once") {
  Listener l;
  l.subscribe();
  l.after_ms(0);
  l.server.state.shutdown_requested = true;
  CHECK(tells(l.after_ms(1), "shutdown_requested:1"));
  l.client("LEASE aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 500 1 -");
  CHECK(tells(l.after_ms(1), "lease_state:lost"));
  l.server.state.set_condition(kLoadingDataset, true);
  CHECK(tells(l.after_ms(1), "loading:1"));
  l.server.state.set_condition(kLoadingDataset, false);
  CHECK(tells(l.after_ms(1), "loading:0"));
  l.server.state.settings.replication.zone = "north";
  CHECK(tells(l.after_ms(1), "replica_zone:north"));
  l.client("REPLICAOF 127.0.0.1 1");
  const std::string replica = l.after_ms(1);
  for (const std::string_view line : {"role:slave", "master_host:127.0.0.1", "master_port:1", "master_link_status:down",
                                      "slave_priority:100", "replica_announced:1", "replica_refuses_rollback:0"}) {
    CAPTURE(line);
    CHECK(tells(replica, line));
  }
  CHECK(replica.find("slave_repl_offset:") != std::string::npos);
  CHECK(replica.find("master_link_down_since_seconds:") != std::string::npos);
  CHECK(l.after_ms(1).empty());
  l.client("REPLICAOF NO ONE");
  CHECK(tells(l.after_ms(1), "role:master"));
  CHECK(l.after_ms(1).empty());
}

TEST_CASE("a stream that grows is told ten times a second at the most") {
  Listener l;
  l.client("REPLICAOF 127.0.0.1 1");
  l.client("REPLICAOF NO ONE");  // from now on it has a stream
  l.subscribe();
  l.after_ms(0);
  l.client("SET k v");
  CHECK(l.after_ms(50).empty());
  CHECK_FALSE(l.after_ms(50).empty());
  CHECK(l.after_ms(100).empty());
}

TEST_CASE("it is no part of the stream") {
  Listener l;
  auto& effects = l.server.effects();
  l.subscribe();
  CHECK_FALSE(l.after_ms(1000).empty());
  CHECK(effects.take().empty());
}

TEST_CASE("of a second listener both hear at once, of a pattern nobody does") {
  Listener l;
  TestClient other(l.server);
  other("PSUBSCRIBE __vedette__:*");
  CHECK(l.after_ms(2000).empty());
  CHECK(other.pending_bytes().empty());
  other("PUNSUBSCRIBE");
  l.subscribe();
  l.after_ms(0);
  other("SUBSCRIBE __vedette__:state");
  CHECK_FALSE(l.after_ms(1).empty());
  CHECK_FALSE(other.pending_bytes().empty());
}
