// DUMP and RESTORE: payloads, times, options, events, effects.
#include <doctest/doctest.h>

#include "common/base/text.h"
#include "server/snapshot/crc64.h"
#include "tests/session/keyspace_events.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

using namespace std::string_literals;

// What a Redis 7.0 answers to DUMP of the string "10".
const std::string kTen =
    "\x00\xc0\n\n\x00n\x9fWE\x0e\xae"
    "c\xbb"s;

TEST_CASE("DUMP gives what RESTORE takes") {
  TestServer server;
  TestClient client(server);
  CHECK(client.call({"RESTORE", "k", "0", kTen}) == "OK");
  CHECK(client("GET k") == "10");
  CHECK(client("DUMP k").size() > 0);
  CHECK(client("DUMP none") == "nil");
  const std::string long_value(50'000, 'x');
  client.call({"SET", "long", long_value});
  CHECK(client("PTTL k") == "-1");
}

TEST_CASE("RESTORE refuses in the order and the words of a Redis") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  const std::string busy = "(error) BUSYKEY Target key name already exists.";
  const std::string no_integer = "(error) ERR value is not an integer or out of range", syntax = "(error) ERR syntax error";
  const std::string bad = "(error) ERR DUMP payload version or checksum are wrong";
  const std::string idle = "(error) ERR Invalid IDLETIME value, must be >= 0";
  const std::string frequency = "(error) ERR Invalid FREQ value, must be >= 0 and <= 255";
  CHECK(client.call({"RESTORE", "k", "0", kTen}) == busy);
  CHECK(client.call({"RESTORE", "k", "x", "bad"}) == busy);
  CHECK(client.call({"RESTORE", "n", "x", kTen}) == no_integer);
  CHECK(client.call({"RESTORE", "n", "-1", kTen}) == "(error) ERR Invalid TTL value, must be >= 0");
  CHECK(client.call({"RESTORE", "n", "0", "bad"}) == bad);
  CHECK(client.call({"RESTORE", "n", "0", ""}) == bad);
  CHECK(client.call({"RESTORE", "k", "0", "bad", "REPLACE"}) == bad);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "foo"}) == syntax);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "IDLETIME"}) == syntax);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "IDLETIME", "-1"}) == idle);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "IDLETIME", "x"}) == no_integer);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "FREQ", "256"}) == frequency);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "FREQ", "-1"}) == frequency);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "FREQ", "1", "IDLETIME", "1"}) == syntax);
  CHECK(client.call({"RESTORE", "n", "0", kTen, "IDLETIME", "1", "FREQ", "1"}) == syntax);
  CHECK(client("GET k") == "v");
  CHECK(client("EXISTS n") == "0");
}

TEST_CASE("RESTORE with a good checksum and bad content changes nothing") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  std::string payload =
      "\x00\x05"
      "abc\x0a\x00"s;
  const uint64_t crc = crc64(0, payload);
  payload.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  CHECK(client.call({"RESTORE", "k", "0", payload, "REPLACE"}) == "(error) ERR Bad data format");
  CHECK(client("GET k") == "v");
}

TEST_CASE("RESTORE takes payloads with a wrong checksum where that is asked for") {
  TestServer server;
  TestClient client(server);
  const std::string payload = kTen.substr(0, kTen.size() - 8) + std::string(8, '\0');
  CHECK(client.call({"RESTORE", "k", "0", payload}).starts_with("(error) ERR DUMP payload"));
  server.state.verify_checksums = false;
  CHECK(client.call({"RESTORE", "k", "0", payload}) == "OK");
}

TEST_CASE("RESTORE tells replicas an absolute time") {
  TestServer server;
  TestClient client(server);
  KeyspaceEvents events(server, kNotifyAll | kNotifyNew);
  RecordedEffects& effects = server.effects();
  CHECK(client.call({"RESTORE", "k", "1000", kTen}) == "OK");
  CHECK(client("PTTL k") == "1000");
  CHECK(events.take() == "new:k restore:k");
  CHECK(effects.take() == "RESTORE k 1700000001000 " + quoted(kTen) + " ABSTTL");
  CHECK(client.call({"RESTORE", "k", "1700000002000", kTen, "ABSTTL", "REPLACE"}) == "OK");
  CHECK(client("PTTL k") == "2000");
  CHECK(effects.take() == "RESTORE k 1700000002000 " + quoted(kTen) + " ABSTTL REPLACE");
  CHECK(client.call({"RESTORE", "k", "0", kTen, "REPLACE"}) == "OK");
  CHECK(client("PTTL k") == "-1");
  CHECK(effects.take() == "RESTORE k 0 " + quoted(kTen) + " REPLACE");
}

TEST_CASE("RESTORE of what has expired leaves no key") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  KeyspaceEvents events(server);
  RecordedEffects& effects = server.effects();
  effects.take();
  CHECK(client.call({"RESTORE", "new", "1", kTen, "ABSTTL"}) == "OK");
  CHECK(effects.take().empty());
  CHECK(events.take().empty());
  CHECK(client.call({"RESTORE", "k", "1", kTen, "REPLACE", "ABSTTL"}) == "OK");
  CHECK(client("EXISTS k new") == "0");
  CHECK(events.take() == "del:k");
  CHECK(effects.take() == "DEL k");
}

TEST_CASE("RESTORE sets the idle time or the frequency that the policy judges by") {
  TestServer server;
  TestClient client(server);
  CHECK(client.call({"RESTORE", "k", "0", kTen, "IDLETIME", "500"}) == "OK");
  CHECK(client("OBJECT IDLETIME k") == "500");
  CHECK(client.call({"RESTORE", "k", "0", kTen, "FREQ", "77", "REPLACE"}) == "OK");
  CHECK(client("OBJECT IDLETIME k") == "0");
}

}  // namespace
}  // namespace vedette::testing
