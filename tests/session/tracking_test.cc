// Client-side caching: which reads are noted, who is told of which change, in which form and order.
#include <doctest/doctest.h>

#include "common/base/memory.h"
#include "server/execution/client_limits.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

TestClient& resp3(TestClient& client) {
  client("HELLO 3");
  return client;
}

TEST_CASE("a key that was read is told of once, when it changes") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON");
  client("GET k");
  client("MGET k l");
  other("SET k 1");
  CHECK(client.pending_bytes() == ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
  other("SET k 2");
  CHECK(client.pending() == "");
  client("GET k");
  other("DEL k l");
  CHECK(client.pending() == "[invalidate, [k]]");
  client("GET l");
  other("SET l v PX 10");
  CHECK(client.pending() == "[invalidate, [l]]");
  client("GET l");
  server.advance_ms(11);
  other("GET l");
  CHECK(client.pending() == "[invalidate, [l]]");
}

TEST_CASE("what the client does itself is told after its reply") {
  TestServer server;
  TestClient client(server);
  resp3(client)("CLIENT TRACKING ON");
  client("GET k");
  CHECK(client("SET k v") == "OK [invalidate, [k]]");
  client("GET k");
  client("MULTI");
  client("SET k w");
  client("GET k");
  CHECK(client("EXEC") == "[OK, w] [invalidate, [k]]");
  CHECK(client("SET k x") == "OK [invalidate, [k]]");
  client("CLIENT TRACKING ON NOLOOP");
  client("GET k");
  CHECK(client("SET k y") == "OK");
}

TEST_CASE("what is evicted for a command is told before its reply") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON");
  other("SET k v EX 100");
  client("GET k");
  server.state.settings.eviction_policy = EvictionPolicy::kVolatileRandom;
  SUBCASE("as a message of its own") {
    server.state.settings.memory_max = used_memory() - 100000;
    CHECK(client("GET l") == "[invalidate, [k]] nil");
  }
  SUBCASE("also if the reply is not wanted") {
    client("CLIENT REPLY SKIP");
    server.state.settings.memory_max = used_memory() - 100000;
    CHECK(client("GET l") == "[invalidate, [k]]");
  }
  CHECK(server.entry("k") == nullptr);
}

TEST_CASE("only reads are noted") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON");
  client("SET k v");
  client("PING");
  client("DBSIZE");
  other("SET k w");
  CHECK(client.pending() == "");
  CHECK(server.state.tracked_keys.empty());
}

TEST_CASE("an emptied server makes all copies void") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON");
  client("GET k");
  other("FLUSHALL");
  CHECK(client.pending_bytes() == ">2\r\n$10\r\ninvalidate\r\n_\r\n");
  CHECK(client("FLUSHDB") == "OK [invalidate, nil]");
  CHECK(server.state.tracked_keys.empty());
}

TEST_CASE("RESP2 is told by another connection that listens") {
  TestServer server;
  TestClient client(server), listener(server), other(server);
  listener("SUBSCRIBE __redis__:invalidate");
  CHECK(client({"CLIENT", "TRACKING", "ON", "REDIRECT", std::to_string(listener.session.id())}) == "OK");
  CHECK(client("CLIENT GETREDIR") == std::to_string(listener.session.id()));
  client("GET k");
  other("SET k v");
  CHECK(listener.pending_bytes() == "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n");
  other("FLUSHALL");
  CHECK(listener.pending() == "[message, __redis__:invalidate, nil]");
  CHECK(client.pending() == "");
  CHECK(client("CLIENT LIST").find(" redir=" + std::to_string(listener.session.id())) != std::string::npos);
}

TEST_CASE("RESP2 without another connection is told nothing") {
  TestServer server;
  TestClient client(server), other(server);
  client("CLIENT TRACKING ON");
  client("GET k");
  other("SET k v");
  CHECK(client.pending() == "");
}

TEST_CASE("whoever was to be told instead is gone") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client);
  uint64_t id = 0;
  {
    TestClient listener(server);
    id = listener.session.id();
    client({"CLIENT", "TRACKING", "ON", "REDIRECT", std::to_string(id)});
  }
  client("GET k");
  other("SET k v");
  CHECK(client.pending() == "[tracking-redir-broken, " + std::to_string(id) + "]");
  CHECK(client("CLIENT TRACKINGINFO") == "[flags, [on, broken_redirect], redirect, " + std::to_string(id) + ", prefixes, []]");
  CHECK(client("CLIENT LIST").find("flags=tR") != std::string::npos);
  CHECK(client({"CLIENT", "TRACKING", "ON", "REDIRECT", std::to_string(id)}) ==
        "(error) ERR The client ID you want redirect to does not exist");
}

TEST_CASE("OPTIN notes what follows CACHING YES, a transaction as a whole") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON OPTIN");
  client("GET a");
  client("CLIENT CACHING YES");
  CHECK(client("CLIENT TRACKINGINFO") == "[flags, [on, optin, caching-yes], redirect, 0, prefixes, []]");
  client("GET b");
  client("GET c");
  client("CLIENT CACHING YES");
  client("MULTI");
  client("GET d");
  client("GET e");
  client("EXEC");
  client("GET f");
  other("MSET a 1 b 1 c 1 d 1 e 1 f 1");
  CHECK(client.pending() == "[invalidate, [b]] [invalidate, [d]] [invalidate, [e]]");
  CHECK(client("CLIENT CACHING NO") == "(error) ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
}

TEST_CASE("OPTOUT leaves out what follows CACHING NO") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON OPTOUT");
  client("GET a");
  client("CLIENT CACHING NO");
  client("GET b");
  client("GET c");
  other("MSET a 1 b 1 c 1");
  CHECK(client.pending() == "[invalidate, [a]] [invalidate, [c]]");
  CHECK(client("CLIENT TRACKING ON OPTIN").starts_with("(error) ERR You can't switch OPTIN/OPTOUT mode"));
}

TEST_CASE("who broadcasts hears of all keys of its prefixes at the end of the turn") {
  TestServer server;
  TestClient client(server), own(server), other(server);
  resp3(client)("CLIENT TRACKING ON BCAST PREFIX user: PREFIX order:");
  resp3(own)("CLIENT TRACKING ON BCAST NOLOOP PREFIX user:");
  other.send("MSET user:2 b user:1 a\r\nSET order:1 c\r\nSET other d\r\nSET user:1 e\r\n");
  CHECK(client.pending() == "[invalidate, [order:1]] [invalidate, [user:1, user:2]]");
  CHECK(own.pending() == "[invalidate, [user:1, user:2]]");
  CHECK(own("SET user:3 v") == "OK");
  CHECK(own.pending() == "");
  CHECK(client.pending() == "[invalidate, [user:3]]");
  CHECK(client("SET user:4 v") == "OK [invalidate, [user:4]]");
  CHECK(other("INFO stats").find("tracking_total_prefixes:2") != std::string::npos);
  client("CLIENT TRACKING OFF");
  other("SET order:1 v");
  CHECK(client.pending() == "");
}

TEST_CASE("options that contradict each other or the present mode are refused") {
  TestServer server;
  TestClient client(server);
  CHECK(client("CLIENT TRACKING ON PREFIX a") == "(error) ERR PREFIX option requires BCAST mode to be enabled");
  CHECK(client("CLIENT TRACKING ON BCAST OPTIN") == "(error) ERR OPTIN and OPTOUT are not compatible with BCAST");
  CHECK(client("CLIENT TRACKING ON OPTIN OPTOUT") == "(error) ERR You can't use both OPTIN and OPTOUT");
  CHECK(client("CLIENT TRACKING ON REDIRECT x") == "(error) ERR value is not an integer or out of range");
  CHECK(client("CLIENT TRACKING MAYBE") == "(error) ERR syntax error");
  CHECK(client("CLIENT TRACKING ON BCAST PREFIX ab PREFIX abc") ==
        "(error) ERR Prefix 'ab' overlaps with another provided prefix 'abc'. Prefixes for a single client must not overlap.");
  CHECK(client("CLIENT TRACKING ON BCAST PREFIX ab") == "OK");
  CHECK(client("CLIENT TRACKING ON BCAST PREFIX a") ==
        "(error) ERR Prefix 'a' overlaps with an existing prefix 'ab'. Prefixes for a single client must not overlap.");
  CHECK(client("CLIENT TRACKING ON BCAST PREFIX x") == "OK");
  CHECK(client("CLIENT TRACKINGINFO") == "[flags, [on, bcast], redirect, 0, prefixes, [ab, x]]");
  CHECK(client("CLIENT TRACKING ON").starts_with("(error) ERR You can't switch BCAST mode on/off"));
}

TEST_CASE("the table keeps its limit, and tells whose keys it gives up") {
  TestServer server;
  server.state.settings.tracked_keys_max = 10;
  TestClient client(server);
  resp3(client)("CLIENT TRACKING ON");
  size_t told = 0;
  for (int i = 0; i < 100; i++) {
    const std::string text = client({"GET", "k" + std::to_string(i)});
    told += text.find("invalidate") != std::string::npos;
  }
  CHECK(server.state.tracked_keys.keys() == 10);
  CHECK(server.state.tracked_keys.items() == 10);
  CHECK(told == 90);
  server.state.settings.tracked_keys_max = 5;
  server.turn();
  CHECK(server.state.tracked_keys.keys() == 5);
}

TEST_CASE("RESET and the end of a connection end its tracking") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON BCAST");
  {
    TestClient gone(server);
    gone("CLIENT TRACKING ON");
    gone("GET k");
    CHECK(server.state.tracking_clients == 2);
  }
  CHECK(other("INFO clients").find("tracking_clients:1") != std::string::npos);
  client("RESET");
  CHECK(server.state.tracking_clients == 0);
  CHECK(server.state.broadcasts.empty());
  CHECK(client("CLIENT GETREDIR") == "-1");
  other("SET k v");  // one that is gone was noted
  CHECK(server.state.tracked_keys.empty());
}

TEST_CASE("many clients of one key are told, each once") {
  TestServer server;
  TestClient other(server);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 300; i++) {
    clients.push_back(std::make_unique<TestClient>(server));
    resp3 (*clients.back())("CLIENT TRACKING ON");
  }
  for (size_t i = 0; i < clients.size(); i++) (*clients[(i * 37) % clients.size()])("GET k");
  for (auto& client : clients) (*client)("GET k");
  CHECK(server.state.tracked_keys.keys() == 1);
  CHECK(server.state.tracked_keys.items() == 300);
  other("SET k v");
  for (auto& client : clients) REQUIRE(client->pending() == "[invalidate, [k]]");
  CHECK(server.state.tracked_keys.items() == 0);
}

TEST_CASE("the words of a key may be anywhere among the arguments") {
  TestServer server;
  TestClient client(server), other(server);
  resp3(client)("CLIENT TRACKING ON");
  client("OBJECT ENCODING o");
  client("LCS a b");
  other("MSET a 1 b 1 o 1");
  CHECK(client.pending() == "[invalidate, [a]] [invalidate, [b]] [invalidate, [o]]");
}

}  // namespace
}  // namespace vedette::testing
