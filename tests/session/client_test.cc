// CLIENT: its line, its filters, and what it does to other sessions.
#include <doctest/doctest.h>

#include "server/execution/client_info.h"
#include "server/execution/pause.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

class FakeTransport final : public Session::Transport {
 public:
  explicit FakeTransport(std::string peer) : peer_(std::move(peer)) {}
  std::string peer_address() const override { return peer_; }
  std::string local_address() const override { return "127.0.0.1:6379"; }
  int descriptor() const override { return 8; }
  void wake() override {}
  void flush_early() override {}

 private:
  std::string peer_;
};

size_t lines(const std::string& text) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find("id=", at)) != std::string::npos; at++)
    if (at == 0 || text[at - 1] == 'n' || text[at - 1] == '"' || text[at - 1] == '\n') count++;
  return count;
}

TEST_CASE("the line of a client has its fields in order") {
  TestServer server;
  TestClient client(server);
  FakeTransport transport("10.0.0.1:5000");
  client.session.transport = &transport;
  client("CLIENT SETNAME me");
  client("CLIENT SETINFO LIB-NAME lib");
  client("CLIENT SETINFO lib-ver 1.2");
  client("WATCH a b");
  server.advance_ms(5000);
  const std::string text = client.send(request_bytes({"CLIENT", "INFO"}));
  CAPTURE(text);
  CHECK(text.find("id=1 addr=10.0.0.1:5000 laddr=127.0.0.1:6379 fd=8 name=me age=5 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 "
                  "watch=2 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=") != std::string::npos);
  size_t at = 0;
  for (const std::string_view field : {" rbp=", " obl=", " oll=", " omem=", " tot-mem=", " events=r", " cmd=client|info", " user=default",
                                       " redir=-1", " resp=2", " lib-name=lib", " lib-ver=1.2\n"}) {
    CAPTURE(field);
    at = text.find(field, at);
    REQUIRE(at != std::string::npos);
  }
  client("HELLO 3");
  CHECK(client.send(request_bytes({"CLIENT", "LIST"})).starts_with("="));
  client.session.transport = nullptr;
}

TEST_CASE("a client that asks for its line counts the chunk that the line takes") {
  TestServer server;
  TestClient client(server);
  const std::string text = client.send(request_bytes({"CLIENT", "INFO"}));
  const size_t chunk = sizeof(OutputChunk) + ChunkPool::kChunkBytes;
  CAPTURE(text);
  CHECK(text.find(" tot-mem=" + std::to_string(client_memory_bytes(client.session) + chunk) + " ") != std::string::npos);
}

TEST_CASE("names that would break the line are refused") {
  TestServer server;
  TestClient client(server);
  CHECK(client({"CLIENT", "SETNAME", "a b"}) == "(error) ERR Client names cannot contain spaces, newlines or special characters.");
  CHECK(client({"CLIENT", "SETNAME", "\x7f"}).starts_with("(error)"));
  CHECK(client({"CLIENT", "SETINFO", "lib-ver", "1\n"}) == "(error) ERR lib-ver cannot contain spaces, newlines or special characters.");
  CHECK(client("CLIENT SETNAME x") == "OK");
  CHECK(client("CLIENT SETNAME ''") == "OK");
  CHECK(client("CLIENT GETNAME") == "nil");
}

TEST_CASE("CLIENT LIST filters") {
  TestServer server;
  TestClient client(server), reader(server), listener(server);
  FakeTransport v6("[::1]:7"), v4("10.0.0.2:9");
  reader.session.transport = &v6;
  listener.session.transport = &v4;
  reader("CLIENT SETNAME reader");
  reader("SELECT 2");
  listener("SUBSCRIBE a");
  const auto count = [&](std::string_view filter) {
    return lines(client.send(request_bytes({"CLIENT", "LIST"}).size() && filter.empty() ? "CLIENT LIST\r\n"
                                                                                        : "CLIENT LIST " + std::string(filter) + "\r\n"));
  };
  CHECK(count("") == 3);
  CHECK(count("TYPE normal") == 2);
  CHECK(count("TYPE PUBSUB") == 1);
  CHECK(count("TYPE replica") == 0);
  CHECK(count("NOT-TYPE pubsub") == 2);
  CHECK(count("ID 1 3 99") == 2);
  CHECK(count("NOT-ID 1 3") == 1);
  CHECK(count("ID 1 2 TYPE normal SKIPME yes") == 1);
  CHECK(count("NAME reader") == 1);
  CHECK(count("NOT-NAME reader") == 2);
  CHECK(count("DB 2") == 1);
  CHECK(count("NOT-DB 2") == 2);
  CHECK(count("IP ::1") == 1);
  CHECK(count("ADDR 10.0.0.2:9") == 1);
  CHECK(count("LADDR 127.0.0.1:6379") == 2);
  CHECK(count("FLAGS P") == 1);
  CHECK(count("NOT-FLAGS P") == 2);
  CHECK(count("USER default") == 3);
  server.advance_ms(3000);
  CHECK(count("MAXAGE 4") == 0);
  CHECK(count("MAXAGE 3") == 3);
  CHECK(count("IDLE 3") == 2);
  CHECK(client("CLIENT LIST TYPE") == "(error) ERR syntax error");
  CHECK(client("CLIENT LIST TYPE x") == "(error) ERR Unknown client type 'x'");
  CHECK(client("CLIENT LIST ID x") == "(error) ERR Invalid client ID");
  CHECK(client("CLIENT LIST NOSUCH x") == "(error) ERR syntax error");
  CHECK(client("CLIENT LIST USER x") == "(error) ERR No such user 'x'");
  CHECK(client("CLIENT LIST DB 99") == "(error) ERR DB index is out of range");
  CHECK(client("CLIENT LIST IDLE 0") == "(error) ERR idle should be greater than 0");
  CHECK(client("CLIENT LIST FLAGS Z").starts_with("(error) ERR Unknown flags"));
  reader.session.transport = listener.session.transport = nullptr;
}

TEST_CASE("CLIENT KILL closes others at once and oneself after the reply") {
  TestServer server;
  TestClient client(server), victim(server);
  FakeTransport address("10.0.0.2:9");
  victim.session.transport = &address;
  victim("SUBSCRIBE a");
  SUBCASE("by address") {
    CHECK(client("CLIENT KILL 1.1.1.1:1") == "(error) ERR No such client");
    CHECK(client("CLIENT KILL 10.0.0.2:9") == "OK");
    CHECK(client("CLIENT KILL 10.0.0.2:9") == "(error) ERR No such client");
  }
  SUBCASE("by filters") {
    CHECK(client("CLIENT KILL TYPE normal") == "0");
    CHECK(client("CLIENT KILL ID 2 TYPE pubsub") == "1");
    CHECK(client("CLIENT KILL ID 2") == "0");
    CHECK(client("CLIENT KILL ID 0") == "(error) ERR client-id should be greater than 0");
    CHECK(client("CLIENT KILL ID 1 SKIPME") == "(error) ERR syntax error");
  }
  CHECK(victim.session.has(kCloseNow));
  CHECK(client("PUBSUB NUMSUB a") == "[a, 0]");
  CHECK(lines(client.send("CLIENT LIST\r\n")) == 1);
  CHECK(client.send("CLIENT KILL ID 1 SKIPME no\r\nSET k v\r\n") == ":1\r\n");
  CHECK(client.session.has(kCloseAfterReply));
  CHECK(server.entry("k") == nullptr);
  victim.session.transport = nullptr;
}

TEST_CASE("the pending input of a killed client is not executed") {
  TestServer server;
  TestClient client(server), victim(server);
  server.executor.gather(client.session, "CLIENT KILL ID 2\r\n");
  server.executor.gather(victim.session, "SET k v\r\nSET k w\r\n");
  server.turn();
  CHECK(client.pending() == "1");
  CHECK(victim.pending() == "");
  CHECK(server.entry("k") == nullptr);
}

TEST_CASE("CLIENT REPLY in pipelines and transactions") {
  TestServer server;
  TestClient client(server);
  CHECK(client.send("CLIENT REPLY SKIP\r\nPING\r\nPING x\r\n") == "$1\r\nx\r\n");
  CHECK(client.send("CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nPING x\r\n") == "$1\r\nx\r\n");
  CHECK(client.send("CLIENT REPLY SKIP\r\nNOSUCH\r\nPING x\r\n") == "$1\r\nx\r\n");
  CHECK(client.send("CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\n") == "+OK\r\n");
  CHECK(client.send("CLIENT REPLY OFF\r\nPING\r\nSET k v\r\nCLIENT REPLY ON\r\nPING\r\n") == "+OK\r\n+PONG\r\n");
  CHECK(client("GET k") == "v");
  CHECK(client("CLIENT REPLY maybe") == "(error) ERR syntax error");
  // Inside EXEC the whole answer is silenced, never a part of an array.
  CHECK(client.send("MULTI\r\nPING\r\nCLIENT REPLY SKIP\r\nPING\r\nEXEC\r\nPING\r\n") ==
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+PONG\r\n");
  CHECK(client.send("MULTI\r\nCLIENT REPLY OFF\r\nPING\r\nEXEC\r\nPING\r\nCLIENT REPLY ON\r\n") == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+OK\r\n");
  CHECK(client.send("CLIENT REPLY OFF\r\nMULTI\r\nPING\r\nCLIENT REPLY ON\r\nEXEC\r\n") == "*2\r\n+PONG\r\n+OK\r\n");
}

TEST_CASE("a pause holds pipelines back and lets them go on in order") {
  TestServer server;
  TestClient client(server), one(server), two(server);
  const auto end_if_due = [&] {
    check_pause(server.state, server.executor, server.executor.now().instant);
    server.turn();
  };
  SUBCASE("of all") {
    CHECK(client("CLIENT PAUSE 100") == "OK");
    CHECK(one.send("APPEND k 1\r\nAPPEND k 2\r\nGET k\r\n") == "");
    CHECK(two.send("APPEND k 3\r\n") == "");
    CHECK(one.send("APPEND k 4\r\n") == "");
    server.advance_ms(99);
    end_if_due();
    CHECK(one.pending() == "");
    server.advance_ms(2);
    end_if_due();
    CHECK(one.pending() == "1 2 12 3");
    CHECK(two.pending() == "4");
    CHECK(client("GET k") == "1243");
  }
  SUBCASE("of writes alone") {
    client("SET k v PX 50");
    CHECK(client("CLIENT PAUSE 100 WRITE") == "OK");
    CHECK(one.send("GET k\r\nSET k w\r\nGET k\r\n") == "$1\r\nv\r\n");
    CHECK(one.session.has(kSuspended));
    CHECK(two("PUBLISH a b") == "");
    server.advance_ms(60);
    CHECK(client("GET k") == "nil");
    CHECK(server.entry("k") != nullptr);  // nothing changes meanwhile, expired or not
    client("CLIENT PAUSE 1 WRITE");       // does not shorten it
    server.advance_ms(30);
    end_if_due();
    CHECK(one.pending() == "");
    CHECK(client("CLIENT UNPAUSE") == "OK");
    CHECK(one.pending() == "OK w");
    CHECK(two.pending() == "0");
  }
  SUBCASE("a waiting client goes away") {
    client("CLIENT PAUSE 100 WRITE");
    {
      TestClient gone(server);
      gone.send("SET k v\r\n");
    }
    client("CLIENT UNPAUSE");
    CHECK(client("GET k") == "nil");
  }
  CHECK(server.state.pause.waiting.empty());
  CHECK(client("CLIENT PAUSE x") == "(error) ERR timeout is not an integer or out of range");
  CHECK(client("CLIENT PAUSE -1") == "(error) ERR timeout is negative");
  CHECK(client("CLIENT PAUSE 9223372036854775807") == "(error) ERR timeout is out of range");
  CHECK(client("CLIENT PAUSE 1 some") == "(error) ERR CLIENT PAUSE mode must be WRITE or ALL");
}

}  // namespace
}  // namespace vedette::testing
