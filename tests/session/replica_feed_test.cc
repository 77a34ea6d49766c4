// What the backlog keeps for an attached replica, and until when.
#include <doctest/doctest.h>

#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

/// A primary with a replica that reads nothing.
struct Primary {
  Primary() {
    server.state.settings.replication.backlog_bytes = 10 * 1024;
    server.replication.resume(std::string(40, 'a'), 1000, 0);
    replica("REPLCONF listening-port 7 capa psync2");
    REQUIRE(replica.send("PSYNC " + std::string(40, 'a') + " 1001\r\n").starts_with("+CONTINUE"));
    REQUIRE(replica.session.source);
  }
  void write(int times) {
    for (int i = 0; i < times; i++) client({"SET", "k", std::string(1000, 'x')});
    end_turn();
  }
  void end_turn() { server.replication.end_turn(server.executor.now()); }
  uint64_t first_kept() { return server.replication.backlog()->first_offset(); }

  TestServer server;
  TestClient client{server};
  TestClient replica{server};
};

TEST_CASE("what a replica needs is held beyond the backlog's size, and told") {
  Primary p;
  p.write(5);
  CHECK(p.server.replication.held_for_replicas() == 0);
  p.write(95);
  CHECK(p.first_kept() == 1001);
  CHECK(p.server.replication.held_for_replicas() > 90'000);
  CHECK(p.server.replication.held_for_replicas() + 10 * 1024 == p.server.replication.backlog()->memory_bytes());
  p.server.replication.forget(p.replica.session);
  CHECK(p.server.replication.held_for_replicas() == 0);
  CHECK(p.server.replication.backlog()->histlen() == 10 * 1024);
}

TEST_CASE("pieces that are under way to a replica stay until it is gone") {
  Primary p;
  p.write(5);
  std::string_view pieces[1];
  REQUIRE(p.replica.session.source->pieces(pieces, 1000) == 1);
  const std::string sent(pieces[0]);
  p.replica.session.close(true);
  REQUIRE(p.replica.session.has(kCloseAfterReply));
  p.write(100);
  CHECK(p.first_kept() == 1001);
  CHECK(pieces[0] == sent);
  SUBCASE("at once") { p.replica.session.close(false); }
  SUBCASE("after its timeout") {
    p.server.advance_ms(p.server.state.settings.replication.timeout_ms + 1);
    p.server.executor.start_turn();
    p.server.replication.tick(p.server.executor.now());
  }
  CHECK(p.replica.session.has(kCloseNow));
  p.write(1);
  CHECK(p.first_kept() > 1001);
}

}  // namespace
}  // namespace vedette::testing
