// SCAN and KEYS, and keys whose time comes during a scan.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "common/base/numbers.h"
#include "tests/session/keyspace_events.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

// One SCAN: the next cursor, and the keys counted into `seen`.
std::string scan(TestClient& client, std::vector<std::string_view> argv, std::map<std::string, int>& seen) {
  const std::string bytes = client.send(request_bytes(argv));
  std::string_view rest = bytes;
  const auto reply = take_reply(rest);
  REQUIRE(reply);
  REQUIRE(reply->elements.size() == 2);
  for (const ReplyNode& key : reply->elements[1].elements) seen[key.text]++;
  return reply->elements[0].text;
}

std::map<std::string, int> scan_all(TestClient& client, const std::vector<std::string_view>& options) {
  std::map<std::string, int> seen;
  std::string cursor = "0";
  int calls = 0;
  do {
    std::vector<std::string_view> argv{"SCAN", cursor};
    argv.insert(argv.end(), options.begin(), options.end());
    cursor = scan(client, argv, seen);
    REQUIRE(calls++ < 100000);
  } while (cursor != "0");
  return seen;
}

TEST_CASE("SCAN returns every key that matches") {
  TestServer server;
  TestClient client(server);
  for (int i = 0; i < 1000; i++) client("SET key:" + std::to_string(i) + " v");
  for (const char* count : {"1", "10", "999", "100000", "9223372036854775807"}) {
    const auto seen = scan_all(client, {"COUNT", count});
    CHECK(seen.size() == 1000);
    for (const auto& [key, times] : seen) CHECK(times == 1);
  }
  CHECK(scan_all(client, {"MATCH", "key:9??", "TYPE", "STRING"}).size() == 100);
  CHECK(scan_all(client, {"TYPE", "list"}).empty());
  CHECK(scan_all(client, {"TYPE", "nosuch"}).empty());
}

TEST_CASE("SCAN ends whatever cursor it is given") {
  TestServer server;
  TestClient client(server);
  for (int i = 0; i < 300; i++) client("SET key:" + std::to_string(i) + " v");
  for (std::string cursor : {"1", "-1", "+7", "00", "18446744073709551615", "281474976710655", "281474976710656", "1152921504606846976",
                             "9223372036854775807"}) {
    CAPTURE(cursor);
    std::map<std::string, int> seen;
    int calls = 0;
    do cursor = scan(client, {"SCAN", cursor}, seen);
    while (cursor != "0" && calls++ < 1000);
    CHECK(calls < 1000);
  }
}

TEST_CASE("SCAN refuses what it cannot read") {
  TestServer server;
  TestClient client(server);
  for (const char* cursor : {"x", "1x", " 0", "0x1", "-", "18446744073709551616", "99999999999999999999"})
    CHECK(client({"SCAN", cursor}) == "(error) ERR invalid cursor");
  for (const char* torn : {"SCAN 0 COUNT", "SCAN 0 COUNT 0", "SCAN 0 COUNT -1", "SCAN 0 FOO", "SCAN 0 FOO BAR", "SCAN 0 MATCH",
                           "SCAN 0 TYPE", "SCAN 0 COUNT 1 2"})
    CHECK(client(torn) == "(error) ERR syntax error");
  CHECK(client("SCAN 0 COUNT x") == "(error) ERR value is not an integer or out of range");
}

TEST_CASE("SCAN removes keys whose time has come, KEYS passes them over") {
  TestServer server;
  TestClient client(server);
  for (int i = 0; i < 100; i++) {
    const std::string key = "key:" + std::to_string(i);
    client("SET " + key + " v");
    if (i % 2) client("PEXPIRE " + key + " 10");
  }
  server.advance_ms(11);
  CHECK(client("KEYS key:1") == "[]");
  CHECK(client("DBSIZE") == "100");
  KeyspaceEvents events(server, kNotifyExpired);
  CHECK(scan_all(client, {}).size() == 50);
  CHECK(client("DBSIZE") == "50");
  CHECK(events.take().starts_with("expired:key:"));
}

TEST_CASE("while clients are paused expired keys are hidden but stay") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  client("PEXPIRE k 10");
  server.advance_ms(11);
  const Instant now = server.executor.now().instant;
  server.state.pause.start(PauseMode::kWrites, Instant{now.ns + 1000000000}, now);
  CHECK(client("SCAN 0") == "[0, []]");
  CHECK(server.entry("k") != nullptr);
}

TEST_CASE("keys that stay are returned exactly once while the table grows and shrinks") {
  const uint64_t seed = machine_seed();
  MESSAGE("seed ", seed);
  Rng rng(seed);
  TestServer server(seed);
  TestClient client(server);
  constexpr int kStaying = 500;
  for (int i = 0; i < kStaying; i++) client("SET stays:" + std::to_string(i) + " v");
  size_t passing = 0;
  bool growing = true;
  for (int round = 0; round < 6; round++) {
    std::map<std::string, int> seen;
    std::string cursor = "0";
    do {
      const std::string count = std::to_string(1 + rng.below(20));
      cursor = scan(client, {"SCAN", cursor, "COUNT", count}, seen);
      for (uint64_t i = rng.below(60); i > 0; i--) {
        if (growing) client("SET passes:" + std::to_string(passing++) + " v");
        else if (passing) client("DEL passes:" + std::to_string(--passing));
      }
      if (passing > 6000) growing = false;
      if (passing == 0) growing = true;
    } while (cursor != "0");
    for (int i = 0; i < kStaying; i++) CHECK(seen["stays:" + std::to_string(i)] == 1);
  }
}

TEST_CASE("KEYS knows globs and answers with all of a database") {
  TestServer server;
  TestClient client(server);
  CHECK(client("KEYS *") == "[]");
  for (int i = 0; i < 1000; i++) client("SET key:" + std::to_string(i) + " v");
  const auto count = [&](std::string_view pattern) {
    const std::string bytes = client.send(request_bytes({"KEYS", pattern}));
    std::string_view rest = bytes;
    const auto reply = take_reply(rest);
    REQUIRE(reply);
    return reply->elements.size();
  };
  CHECK(count("*") == 1000);
  CHECK(count("key:?") == 10);
  CHECK(count("key:[12]00") == 2);
  CHECK(count("[") == 0);
  client("SELECT 1");
  CHECK(count("*") == 0);
}

}  // namespace
}  // namespace vedette::testing
