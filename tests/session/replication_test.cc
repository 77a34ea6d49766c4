// Replication where the test itself is the other server: what a replica may say, and what a primary may have said.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "server/snapshot/rdb_writer.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kHistory = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

std::string empty_rdb() {
  BlockLog bytes;
  RdbWriter writer(bytes, RdbWriteOptions{});
  writer.header(SnapshotFacts{});
  writer.end();
  writer.settle();
  std::string rdb;
  bytes.for_each_piece(0, [&](const char* data, size_t size) {
    rdb.append(data, size);
    return true;
  });
  return rdb;
}

// A replica of a primary that the test plays.
class Replica {
 public:
  Replica() {
    server.actions.on_connect = [this](const std::string&, int, LinkOwner& owner) {
      owner_ = &owner;
      return std::make_unique<DeafLink>();
    };
    CHECK(client("REPLICAOF 10.0.0.9 6379") == "OK");
    owner_->on_link_connected("");
  }
  void hear(std::string_view bytes) {
    owner_->on_link_bytes(bytes);
    server.turn();
    server.replication.end_turn(server.executor.now());
  }
  void be_offered(std::string_view id, uint64_t offset) { hear(fmt::format("+PONG\r\n+OK\r\n+FULLRESYNC {} {}\r\n", id, offset)); }
  /// The link breaks, and is made again.
  void be_torn() {
    owner_->on_link_closed("the test");
    server.advance_ms(10000);
    server.replication.tick(server.executor.refresh_now());
    owner_->on_link_connected("");
  }
  void take_snapshot() {
    const std::string rdb = empty_rdb();
    hear(fmt::format("${}\r\n{}", rdb.size(), rdb));
  }
  PrimaryLink& link() { return *server.replication.link(); }

  TestServer server;
  TestClient client{server};

 private:
  class DeafLink final : public OutgoingLink {
    void send(std::string_view) override {}
    size_t unsent() const override { return 0; }
    void disown() override {}
  };
  LinkOwner* owner_ = nullptr;
};

TEST_CASE("a replica that says what would be replied to is sent away, without the reply") {
  for (const char* request : {"GET k", "SET k v", "NOSUCH", "SLOWLOG GET", "PING", "WAIT 1 0", "MULTI", "REPLCONF capa eof"}) {
    CAPTURE(request);
    TestServer server;
    TestClient client(server);
    client("SET k v");
    for (const char* first : {"SYNC", "PSYNC ? -1"}) {
      CAPTURE(first);
      TestClient replica(server);
      CHECK(replica.send(fmt::format("{}\r\n", first)) == "");
      CHECK(replica.send("REPLCONF ACK 0\r\n\r\n") == "");
      CHECK_FALSE(replica.session.closing());
      CHECK(replica.send(fmt::format("{}\r\n", request)) == "");
      CHECK(replica.session.closing());
    }
    CHECK(client("GET k") == "v");
  }
}

TEST_CASE("an error that a replica causes is counted as unexpected") {
  TestServer server;
  TestClient client(server), replica(server);
  client("GET");
  CHECK(server.state.stats.unexpected_errors == 0);
  replica.send("SYNC\r\nSET k v\r\n");
  CHECK(server.state.stats.unexpected_errors == 1);
  CHECK(client("EXISTS k") == "0");
}

TEST_CASE("PSYNC with an offset that is none is an error, and the client stays one") {
  TestServer server;
  TestClient client(server);
  CHECK(client("PSYNC ? offset") == "(error) ERR value is not an integer or out of range");
  CHECK(client("PING") == "PONG");
}

TEST_CASE("beside the dataset that is loaded clients read an earlier state of it, but no other dataset") {
  Replica replica;
  ReplicationSettings& settings = replica.server.state.settings.replication;
  settings.diskless_load = DisklessLoading::kBeside;
  settings.read_only = false;
  settings.refuse_rollback_ms = 0;
  const auto says = [&](const char* line) { return replica.client("INFO persistence").find(line) != std::string::npos; };
  const std::string rdb = empty_rdb(), mark(40, 'm');
  const auto hear_half = [&] { replica.hear(fmt::format("$EOF:{}\r\n{}", mark, rdb.substr(0, rdb.size() / 2))); };
  CHECK(replica.client("SET k v") == "OK");
  replica.be_offered(kHistory, 100);
  hear_half();
  CHECK(says("\\nloading:1"));
  CHECK(says("async_loading:0"));
  CHECK(replica.client("GET k") == "(error) LOADING Redis is loading the dataset in memory");

  SUBCASE("it is torn: the old one is there again") {
    replica.be_torn();
    CHECK(says("\\nloading:0"));
    CHECK(replica.client("GET k") == "v");
  }
  SUBCASE("it is whole, and then comes again") {
    replica.hear(rdb.substr(rdb.size() / 2) + mark);
    REQUIRE(replica.link().up());
    CHECK(says("\\nloading:0"));
    CHECK(replica.client("GET k") == "nil");
    CHECK(replica.client("SET k v") == "OK");
    replica.be_torn();
    replica.be_offered(kHistory, 200);
    hear_half();
    CHECK(says("\\nloading:0"));
    CHECK(says("async_loading:1"));
    CHECK(says("loading_loaded_bytes:"));
    CHECK(replica.client("GET k") == "v");
    CHECK(replica.client("REPLICAOF NO ONE") == "(error) LOADING Redis is loading the dataset in memory");
    CHECK(replica.client("MULTI") == "OK");
    CHECK(replica.client("GET k") == "QUEUED");
    CHECK(replica.client("EXEC") == "[v]");
    replica.hear(rdb.substr(rdb.size() / 2) + mark);
    CHECK(says("async_loading:0"));
    CHECK(replica.client("GET k") == "nil");
    CHECK(replica.client("REPLICAOF NO ONE") == "OK");
  }
}

TEST_CASE("on a writable replica a command of the primary may fail, whatever is done about failures elsewhere") {
  Replica replica;
  ReplicationSettings& settings = replica.server.state.settings.replication;
  settings.on_failure = PropagationFailure::kPanic;
  settings.read_only = false;
  replica.be_offered(kHistory, 100);
  replica.take_snapshot();
  REQUIRE(replica.link().up());
  CHECK(replica.client("SET n foo") == "OK");
  replica.hear("*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*3\r\n$3\r\nSET\r\n$1\r\nm\r\n$1\r\n1\r\n");
  CHECK(replica.link().up());
  CHECK(replica.server.state.stats.unexpected_errors == 1);
  CHECK(replica.client("GET n") == "foo");
  CHECK(replica.client("GET m") == "1");
}

}  // namespace
}  // namespace vedette::testing
