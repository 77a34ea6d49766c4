// Publish/subscribe over whole sessions, in both protocols.
#include <doctest/doctest.h>

#include <memory>

#include "common/base/rng.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

std::string message(char head, std::string_view channel, std::string_view payload) {
  std::string text = request_bytes({"message", channel, payload});
  text[0] = head;
  return text;
}

TEST_CASE("a message reaches channel and pattern, each once, in the listener's protocol") {
  TestServer server;
  TestClient two(server), three(server), publisher(server);
  three("HELLO 3");
  CHECK(two("SUBSCRIBE news news other") == "[subscribe, news, 1] [subscribe, news, 1] [subscribe, other, 2]");
  CHECK(two("PSUBSCRIBE n*") == "[psubscribe, n*, 3]");
  three("SUBSCRIBE news");
  CHECK(publisher("PUBLISH news hi") == "3");
  CHECK(two.pending() == "[message, news, hi] [pmessage, n*, news, hi]");
  CHECK(three.pending_bytes() == message('>', "news", "hi"));
  CHECK(publisher("PUBLISH nobody hi") == "1");
  CHECK(publisher("SPUBLISH news hi") == "0");
}

TEST_CASE("leaving everything answers name by name, and once where there is nothing") {
  TestServer server;
  TestClient client(server);
  client("SUBSCRIBE b a");
  client("PSUBSCRIBE p*");
  CHECK(client("UNSUBSCRIBE") == "[unsubscribe, a, 2] [unsubscribe, b, 1]");
  CHECK(client("UNSUBSCRIBE") == "[unsubscribe, nil, 1]");
  CHECK(client("PUNSUBSCRIBE x p*") == "[punsubscribe, x, 1] [punsubscribe, p*, 0]");
  CHECK(client("GET k") == "nil");
  CHECK(server.state.channels.empty());
}

TEST_CASE("a subscribed RESP2 session may do little, a RESP3 session everything") {
  TestServer server;
  TestClient client(server);
  for (const std::string_view join : {"SUBSCRIBE a", "PSUBSCRIBE a", "SSUBSCRIBE a"}) {
    CAPTURE(join);
    client(join);
    CHECK(client("GET k").starts_with("(error) ERR Can't execute 'get': only (P|S)SUBSCRIBE"));
    CHECK(client("HELLO 3").starts_with("(error) ERR Can't execute 'hello'"));
    CHECK(client("PING") == "[pong, \"\"]");
    CHECK(client("PING x") == "[pong, x]");
    CHECK(client("RESET") == "RESET");
    CHECK(client("GET k") == "nil");
  }
  client("SSUBSCRIBE s");
  client("SUBSCRIBE a");
  CHECK(client("SUNSUBSCRIBE") == "[sunsubscribe, s, 0]");
  CHECK(client("GET k").starts_with("(error)"));
  client("UNSUBSCRIBE a");
  CHECK(client("GET k") == "nil");
  client("HELLO 3");
  client("SUBSCRIBE a");
  CHECK(client("GET k") == "nil");
  CHECK(client("PING") == "PONG");
  client("HELLO 2");
  CHECK(client("GET k").starts_with("(error)"));
}

TEST_CASE("shard channels are apart from channels") {
  TestServer server;
  TestClient client(server), publisher(server);
  CHECK(client("SSUBSCRIBE c") == "[ssubscribe, c, 1]");
  CHECK(client("SUBSCRIBE c") == "[subscribe, c, 1]");
  CHECK(publisher("SPUBLISH c m") == "1");
  CHECK(client.pending() == "[smessage, c, m]");
  CHECK(publisher("PUBSUB NUMSUB c d") == "[c, 1, d, 0]");
  CHECK(publisher("PUBSUB SHARDNUMSUB c") == "[c, 1]");
  CHECK(publisher("PUBSUB SHARDCHANNELS") == "[c]");
  CHECK(publisher("PUBSUB CHANNELS x*") == "[]");
  CHECK(publisher("PUBSUB NUMPAT") == "0");
  CHECK(publisher("PUBSUB CHANNELS a b").starts_with("(error) ERR unknown subcommand or wrong number of arguments"));
  client("MULTI");
  client("RESET");
  client("MULTI");
  client("SSUBSCRIBE c");
  CHECK(client("EXEC") == "[(error) ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client]");
}

TEST_CASE("a message to oneself comes after the reply, and after a whole EXEC") {
  TestServer server;
  TestClient client(server);
  client("HELLO 3");
  client("SUBSCRIBE a");
  CHECK(client.send(request_bytes({"PUBLISH", "a", "m"})) == ":1\r\n" + message('>', "a", "m"));
  client("MULTI");
  client("PUBLISH a 1");
  client("PING");
  client("PUBLISH a 2");
  CHECK(client.send(request_bytes({"EXEC"})) == "*3\r\n:1\r\n+PONG\r\n:1\r\n" + message('>', "a", "1") + message('>', "a", "2"));
}

TEST_CASE("CLIENT REPLY OFF silences replies, not messages and confirmations") {
  TestServer server;
  TestClient client(server), publisher(server);
  CHECK(client("CLIENT REPLY OFF") == "");
  CHECK(client("SUBSCRIBE a") == "[subscribe, a, 1]");
  CHECK(client("PING") == "");
  publisher("PUBLISH a m");
  CHECK(client.pending() == "[message, a, m]");
  CHECK(client("UNSUBSCRIBE") == "[unsubscribe, a, 0]");
  CHECK(client("NOSUCH") == "");
  CHECK(client("GET") == "");
  CHECK(client("CLIENT REPLY ON") == "OK");
}

TEST_CASE("a thousand listeners get one message, and all may leave at once") {
  TestServer server;
  TestClient publisher(server);
  std::vector<std::unique_ptr<TestClient>> listeners;
  const std::string payload(1000, 'x');
  for (int i = 0; i < 1000; i++) {
    listeners.push_back(std::make_unique<TestClient>(server));
    if (i % 2) (*listeners.back())("HELLO 3");
    (*listeners.back())("SUBSCRIBE c");
  }
  CHECK(publisher({"PUBLISH", "c", payload}) == "1000");
  for (size_t i = 0; i < listeners.size(); i++) CHECK(listeners[i]->pending_bytes() == message(i % 2 ? '>' : '*', "c", payload));
  Rng rng(7);
  while (!listeners.empty()) {
    std::swap(listeners[rng.below(listeners.size())], listeners.back());
    listeners.pop_back();
    if (listeners.size() % 250 == 0) CHECK(publisher("PUBLISH c x") == std::to_string(listeners.size()));
  }
  CHECK(server.state.channels.empty());
}

TEST_CASE("a listener that does not read is closed at the hard limit and at the soft one") {
  TestServer server;
  TestClient slow(server), publisher(server);
  slow("SUBSCRIBE c");
  OutputLimit& limit = server.state.settings.output_limits[size_t(ClientClass::kPubSub)];
  const std::string payload(1000, 'x');
  SUBCASE("hard") {
    limit = {10000, 0, 0};
    int sent = 0;
    while (!slow.session.closing()) sent++, publisher({"PUBLISH", "c", payload});
    CHECK(sent == 10);
    CHECK(slow.session.output.size() >= 10000);
  }
  SUBCASE("soft, only after its time") {
    limit = {0, 2000, 10};
    for (int i = 0; i < 5; i++) publisher({"PUBLISH", "c", payload});
    server.advance_ms(9000);
    publisher("PUBLISH c x");
    CHECK(!slow.session.closing());
    SUBCASE("it is passed") {
      server.advance_ms(2000);
      publisher("PUBLISH c x");
      CHECK(slow.session.has(kCloseNow));
    }
    SUBCASE("unless it has read meanwhile") {
      slow.pending_bytes();
      publisher("PUBLISH c x");
      server.advance_ms(20000);
      for (int i = 0; i < 3; i++) publisher({"PUBLISH", "c", payload});
      CHECK(!slow.session.closing());
      return;
    }
  }
  CHECK(server.state.stats.output_buffer_disconnections == 1);
  const size_t held = slow.session.output.size();
  publisher("PUBLISH c x");
  CHECK(slow.session.output.size() == held);
}

}  // namespace
}  // namespace vedette::testing
