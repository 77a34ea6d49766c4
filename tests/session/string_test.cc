// The string family, command by command: replies, errors, expiries, effects, events and encodings.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "common/base/numbers.h"
#include "common/base/rng.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kSyntax = "(error) ERR syntax error";
constexpr std::string_view kNoInteger = "(error) ERR value is not an integer or out of range";
constexpr std::string_view kNoFloat = "(error) ERR value is not a valid float";
constexpr std::string_view kSetExpiry = "(error) ERR invalid expire time in 'set' command";

struct Fixture {
  TestServer server;
  TestClient client{server};

  /// Milliseconds until the key expires; -1 without an expiry, -2 without the key.
  int64_t ttl_ms(std::string_view key) const {
    const Entry* entry = server.entry(key);
    if (!entry) return -2;
    return entry->has_expiry() ? entry->expiry_ms() - server.now_ms() : -1;
  }
  std::string_view encoding(std::string_view key) const { return string_encoding_name(*server.entry(key)); }
  /// Puts a value there that is no string, whatever types there are.
  void put_other_type(std::string_view name) {
    Database& db = server.state.keyspace.db(0);
    constexpr ValueType kNoCommandsType{5};
    Entry* entry = Entry::create(name, {kNoCommandsType, Encoding::kInteger, kNoExpiry, 0});
    entry->set_integer(0);
    db.add(db.key_of(name).hash, entry);
  }
};

TEST_CASE_FIXTURE(Fixture, "SET takes an expiry in four units and refuses what is not positive or overflows") {
  CHECK(client("SET k v EX 10") == "OK");
  CHECK(ttl_ms("k") == 10000);
  CHECK(client("SET k v px 1500") == "OK");
  CHECK(ttl_ms("k") == 1500);
  CHECK(client("SET k v EXAT 1700000100") == "OK");
  CHECK(ttl_ms("k") == 100000);
  CHECK(client("SET k v PXAT 1700000000007") == "OK");
  CHECK(ttl_ms("k") == 7);
  CHECK(client("SET k v") == "OK");
  CHECK(ttl_ms("k") == -1);
  for (const char* time : {"EX 0", "EX -1", "PX 0", "EXAT 0", "PXAT -5", "EX 9223372036854775807", "EX 9223372036854775",
                           "PX 9223372036854775807", "EXAT 9223372036854776"}) {
    CAPTURE(time);
    CHECK(client(std::string("SET k w ") + time) == kSetExpiry);
  }
  for (const char* time : {"EX x", "PX 1.5", "EX ' 1'", "EX 01", "EX ''"}) CHECK(client(std::string("SET k w ") + time) == kNoInteger);
  CHECK(client("GET k") == "v");
  CHECK(client("SET k v PXAT 9223372036854775807") == "OK");
  CHECK(client("SET k v EXAT 9223372036854775") == "OK");
}

TEST_CASE_FIXTURE(Fixture, "SET refuses options that contradict each other") {
  for (const char* options : {"NX XX", "EX 10 PX 10", "EX 10 KEEPTTL", "KEEPTTL PXAT 5", "EX", "FOO", "''", "PERSIST", "EX 10 FOO",
                              "NX IFEQ a", "IFEQ a IFNE b", "IFEQ a IFEQ a", "IFEQ", "IFDNE", "NX GET XX"}) {
    CAPTURE(options);
    CHECK(client(std::string("SET k v ") + options) == kSyntax);
  }
  CHECK(server.entry("k") == nullptr);
  CHECK(client("SET k v EX 10 EX 20 GET GET NX NX") == "nil");
  CHECK(ttl_ms("k") == 20000);
}

TEST_CASE_FIXTURE(Fixture, "NX, XX and GET answer for what was there") {
  CHECK(client("SET k a XX") == "nil");
  CHECK(client("SET k a XX GET") == "nil");
  CHECK(server.entry("k") == nullptr);
  CHECK(client("SET k a NX") == "OK");
  CHECK(client("SET k b NX") == "nil");
  CHECK(client("SET k b NX GET") == "a");
  CHECK(client("SET k b XX GET") == "a");
  CHECK(client("SET n c NX GET") == "nil");
  CHECK(client("MGET k n") == "[b, c]");
}

TEST_CASE_FIXTURE(Fixture, "KEEPTTL keeps the expiry, a plain SET removes it") {
  client("SET k v EX 10");
  CHECK(client("SET k w KEEPTTL") == "OK");
  CHECK(ttl_ms("k") == 10000);
  CHECK(client("SET new w KEEPTTL") == "OK");
  CHECK(ttl_ms("new") == -1);
  client("SET k 12 KEEPTTL");
  CHECK(ttl_ms("k") == 10000);
  for (const char* line : {"APPEND k 3", "SETRANGE k 0 4", "INCR k", "INCRBYFLOAT k 1.5", "INCREX k BYFLOAT 1"}) {
    client(line);
    CHECK(ttl_ms("k") == 10000);
  }
  CHECK(client("GETSET k x") == "426.5");
  CHECK(ttl_ms("k") == -1);
}

TEST_CASE_FIXTURE(Fixture, "a key is there through its last millisecond and gone after it") {
  client("SET k v PX 100");
  server.advance_ms(100);
  CHECK(client("GET k") == "v");
  server.advance_ms(1);
  CHECK(client("SET k w XX") == "nil");
  CHECK(client("GET k") == "nil");
  CHECK(server.entry("k") == nullptr);
  client("SET k v PXAT 1");
  CHECK(client("STRLEN k") == "0");
}

TEST_CASE_FIXTURE(Fixture, "SET compares before it sets, with the value or its digest") {
  CHECK(client("SET k b IFEQ a") == "nil");
  CHECK(client("SET k b IFDEQ 1234") == "nil");
  CHECK(server.entry("k") == nullptr);
  CHECK(client("SET k a IFNE a") == "OK");
  CHECK(client("SET k b ifeq b") == "nil");
  CHECK(client("SET k b IFEQ b GET") == "a");
  CHECK(client("SET k b IFEQ a EX 5") == "OK");
  CHECK(ttl_ms("k") == 5000);
  const std::string digest = client("DIGEST k");
  CHECK(digest.size() == 16);
  CHECK(client("SET k c IFDNE " + digest) == "nil");
  CHECK(client("SET k c IFDEQ " + digest + " GET") == "b");
  CHECK(client("SET k d IFDEQ " + digest) == "nil");
  CHECK(client("SET k d IFDEQ 12345") == "(error) ERR digest must be exactly 16 hexadecimal characters");
  CHECK(client("SET k 7") == "OK");
  CHECK(client("SET k 8 IFEQ 7") == "OK");
  CHECK(client("SET k 9 IFEQ 08") == "nil");
  CHECK(client("SET new x IFDNE 12") == "OK");
}

TEST_CASE_FIXTURE(Fixture, "the digest is XXH3's 64 bits with all its leading zeros, in either case") {
  client("SET k v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd");
  CHECK(client("DIGEST k") == "00006c38adf31777");
  CHECK(client("DELEX k IFDNE 00006C38ADF31777") == "0");
  CHECK(client("DELEX k IFDEQ 00006C38ADF31777") == "1");
  CHECK(client("DIGEST k") == "nil");
}

TEST_CASE_FIXTURE(Fixture, "DELEX looks at a condition only where there is a key") {
  CHECK(client("DELEX k") == "0");
  CHECK(client("DELEX k IFEQ") == "0");
  CHECK(client("DELEX k FOO bar") == "0");
  client("SET k v");
  CHECK(client("DELEX k IFEQ").starts_with("(error) ERR wrong number of arguments for 'delex'"));
  CHECK(client("DELEX k IFEQ v extra").starts_with("(error) ERR wrong number of arguments for 'delex'"));
  CHECK(client("DELEX k IF v").starts_with("(error) ERR Invalid condition"));
  CHECK(client("DELEX k IFDEQ v") == "(error) ERR digest must be exactly 16 hexadecimal characters");
  CHECK(client("DELEX k ifne v") == "0");
  CHECK(client("DELEX k") == "1");
}

TEST_CASE_FIXTURE(Fixture, "GETEX checks its expiry only where there is a value to give it to") {
  CHECK(client("GETEX k EX abc") == "nil");
  CHECK(client("GETEX k FOO") == kSyntax);
  CHECK(client("GETEX k PERSIST EX 3") == kSyntax);
  CHECK(client("GETEX k KEEPTTL") == kSyntax);
  client("SET k v");
  CHECK(client("GETEX k EX abc") == kNoInteger);
  CHECK(client("GETEX k EX 0") == "(error) ERR invalid expire time in 'getex' command");
  CHECK(client("GETEX k EX 10") == "v");
  CHECK(ttl_ms("k") == 10000);
  CHECK(client("GETEX k") == "v");
  CHECK(ttl_ms("k") == 10000);
  CHECK(client("GETEX k PERSIST") == "v");
  CHECK(ttl_ms("k") == -1);
  CHECK(client("GETEX k PXAT 1700000000000") == "v");
  CHECK(server.entry("k") == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "counters stop at the ends of 64 bits") {
  client("SET n 9223372036854775806");
  CHECK(client("INCR n") == "9223372036854775807");
  CHECK(client("INCR n") == "(error) ERR increment or decrement would overflow");
  CHECK(client("DECRBY n -1") == "(error) ERR increment or decrement would overflow");
  CHECK(client("DECRBY n -9223372036854775808") == "(error) ERR decrement would overflow");
  CHECK(client("INCRBY n -9223372036854775808") == "-1");
  CHECK(encoding("n") == "int");
  for (const char* number : {"9223372036854775808", "1.0", "' 1'", "01", "+1", "x", "''"}) {
    CAPTURE(number);
    CHECK(client(std::string("INCRBY n ") + number) == kNoInteger);
    client(std::string("SET bad ") + number);
    CHECK(client("INCR bad") == kNoInteger);
  }
}

TEST_CASE_FIXTURE(Fixture, "INCRBYFLOAT counts in extended precision and writes plain decimals") {
  CHECK(client("INCRBYFLOAT f 0.1") == "0.1");
  CHECK(client("INCRBYFLOAT f 0.2") == "0.3");
  CHECK(client("INCRBYFLOAT f -0.3") == "0");
  CHECK(client("INCRBYFLOAT f 3.0e3") == "3000");
  CHECK(encoding("f") == "embstr");
  CHECK(client("INCR f") == "3001");
  CHECK(encoding("f") == "int");
  for (const char* number : {"x", "''", "' 1'", "'1 '", "nan", "1e5000"}) CHECK(client(std::string("INCRBYFLOAT f ") + number) == kNoFloat);
  CHECK(client("INCRBYFLOAT f inf") == "(error) ERR increment would produce NaN or Infinity");
  CHECK(client("GET f") == "3001");
}

TEST_CASE_FIXTURE(Fixture, "INCREX refuses a result outside of its bounds, or saturates") {
  CHECK(client("INCREX k BYINT 15 UBOUND 10") == "[0, 0]");
  CHECK(server.entry("k") == nullptr);
  CHECK(client("INCREX k BYINT 15 UBOUND 10 SATURATE") == "[10, 10]");
  CHECK(client("INCREX k BYINT -15 LBOUND 0 EX 5") == "[10, 0]");
  CHECK(ttl_ms("k") == -1);
  CHECK(client("INCREX k BYINT -15 LBOUND 0 SATURATE EX 5") == "[0, -10]");
  CHECK(ttl_ms("k") == 5000);
  CHECK(client("INCREX k LBOUND 0 BYINT 10 UBOUND 10") == "[10, 10]");
  client("SET k 9223372036854775800");
  CHECK(client("INCREX k BYINT 9223372036854775800") == "[9223372036854775800, 0]");
  CHECK(client("INCREX k BYINT 9223372036854775800 SATURATE") == "[9223372036854775807, 7]");
  client("SET k -9223372036854775800");
  CHECK(client("INCREX k LBOUND 9223372036854775800 SATURATE") == "(error) ERR increment or decrement would overflow");
  client("SET f 10.5");
  CHECK(client("INCREX f BYFLOAT 100 UBOUND 42.25") == "[10.5, 0]");
  CHECK(client("INCREX f BYFLOAT 100 UBOUND 42.25 SATURATE") == "[42.25, 31.75]");
  CHECK(client("INCREX f BYINT 1") == kNoInteger);
}

TEST_CASE_FIXTURE(Fixture, "INCREX sets, keeps and removes an expiry") {
  CHECK(client("INCREX k EX 100 ENX") == "[1, 1]");
  CHECK(ttl_ms("k") == 100000);
  CHECK(client("INCREX k EX 5 ENX") == "[2, 1]");
  CHECK(ttl_ms("k") == 100000);
  CHECK(client("INCREX k EXAT 1 ENX") == "[3, 1]");
  CHECK(client("INCREX k") == "[4, 1]");
  CHECK(ttl_ms("k") == 100000);
  CHECK(client("INCREX k PERSIST") == "[5, 1]");
  CHECK(ttl_ms("k") == -1);
  CHECK(client("INCREX k PXAT 1") == "[6, 1]");
  CHECK(server.entry("k") == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "INCREX refuses what it cannot read") {
  for (const char* options : {"FOO", "BYINT", "BYINT 1 BYFLOAT 1.5", "EX 10 PX 5", "EX 10 PERSIST", "PERSIST ENX", "LBOUND",
                              "UBOUND 1 UBOUND 2", "KEEPTTL", "EX"}) {
    CAPTURE(options);
    CHECK(client(std::string("INCREX k ") + options) == kSyntax);
  }
  CHECK(client("INCREX k ENX").starts_with("(error) ERR ENX flag requires an expiration"));
  CHECK(client("INCREX k LBOUND 3 UBOUND 2") == "(error) ERR LBOUND can't be greater than UBOUND");
  CHECK(client("INCREX k BYFLOAT 1 LBOUND 3.5 UBOUND 2") == "(error) ERR LBOUND can't be greater than UBOUND");
  CHECK(client("INCREX k BYINT 1.5") == kNoInteger);
  CHECK(client("INCREX k UBOUND 1.5") == kNoInteger);
  CHECK(client("INCREX k BYFLOAT x") == kNoFloat);
  CHECK(client("INCREX k BYFLOAT inf") == "(error) ERR value or increment would produce Infinity");
  CHECK(client("INCREX k EX 0") == "(error) ERR invalid expire time in 'increx' command");
  CHECK(server.entry("k") == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "INCREX replies with doubles in RESP3 and bulk strings in RESP2") {
  CHECK(client.send("INCREX f BYFLOAT 0.1\r\n") == "*2\r\n$3\r\n0.1\r\n$3\r\n0.1\r\n");
  client.session.resp = RespVersion::k3;
  CHECK(client.send("INCREX f BYFLOAT 0.1\r\n") == "*2\r\n,0.2\r\n,0.1\r\n");
  CHECK(client.send("INCREX n\r\n") == "*2\r\n:1\r\n:1\r\n");
  CHECK(client.send("GET none\r\n") == "_\r\n");
  CHECK(client.send("LCS f f IDX\r\n") == "%2\r\n$7\r\nmatches\r\n*1\r\n*2\r\n*2\r\n:0\r\n:2\r\n*2\r\n:0\r\n:2\r\n$3\r\nlen\r\n:3\r\n");
}

TEST_CASE_FIXTURE(Fixture, "MSETEX sets all of its keys or none") {
  CHECK(client("MSETEX x a 1") == "(error) ERR invalid numkeys value");
  CHECK(client("MSETEX 0 a 1") == "(error) ERR invalid numkeys value");
  CHECK(client("MSETEX 2147483648 a 1") == "(error) ERR invalid numkeys value");
  CHECK(client("MSETEX 2147483647 a 1") == "(error) ERR wrong number of key-value pairs");
  CHECK(client("MSETEX 2 a 1 b") == "(error) ERR wrong number of key-value pairs");
  CHECK(client("MSETEX 1 a 1 b") == kSyntax);
  CHECK(client("MSETEX 1 a 1 NX XX") == kSyntax);
  CHECK(client("MSETEX 1 a 1 EX 5 KEEPTTL") == kSyntax);
  CHECK(client("MSETEX 1 a 1 EX 0") == "(error) ERR invalid expire time in 'msetex' command");
  CHECK(client("MSETEX 2 a 1 b 2 XX") == "0");
  CHECK(client("MSETEX 2 a 1 b 2 EX 5 NX") == "1");
  CHECK(ttl_ms("b") == 5000);
  CHECK(client("MSETEX 2 a 3 c 3 NX") == "0");
  CHECK(client("MSETEX 2 a 3 c 3 XX") == "0");
  CHECK(client("MSETEX 2 a 3 b 3 XX KEEPTTL") == "1");
  CHECK(ttl_ms("b") == 5000);
  CHECK(client("MSETEX 1 b 4") == "1");
  CHECK(ttl_ms("b") == -1);
  CHECK(client("MGET a b c") == "[3, 4, nil]");
}

TEST_CASE_FIXTURE(Fixture, "strings may not grow beyond proto-max-bulk-len") {
  server.state.settings.limits.bulk_bytes_max = 1000;
  client("SET k " + std::string(999, 'x'));
  CHECK(client("APPEND k y") == "1000");
  const std::string_view too_long = "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  CHECK(client("APPEND k y") == too_long);
  CHECK(client("SETRANGE k 999 z") == "1000");
  CHECK(client("SETRANGE k 1000 z") == too_long);
  CHECK(client("SETRANGE k 9223372036854775807 z") == too_long);
  CHECK(client("SETRANGE k 9223372036854775807 ''") == "1000");
  CHECK(client("SETRANGE k -1 z") == "(error) ERR offset is out of range");
  CHECK(client("SETRANGE k x z") == kNoInteger);
  CHECK(client("SETRANGE none 5 ''") == "0");
  CHECK(server.entry("none") == nullptr);
  CHECK(client("LCS k k LEN") == "(error) ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
}

TEST_CASE_FIXTURE(Fixture, "ranges count from either end and stay within the string") {
  client("SET k hello");
  CHECK(client("GETRANGE k 0 -1") == "hello");
  CHECK(client("GETRANGE k -3 100") == "llo");
  CHECK(client("GETRANGE k 3 1") == "\"\"");
  CHECK(client("GETRANGE k 0 -100") == "h");
  CHECK(client("GETRANGE k -100 -101") == "\"\"");
  CHECK(client("GETRANGE k -9223372036854775808 9223372036854775807") == "hello");
  CHECK(client("GETRANGE none 0 -1") == "\"\"");
  CHECK(client("GETRANGE k 0 x") == kNoInteger);
  CHECK(client("SETRANGE k 7 x") == "8");
  CHECK(client("GET k") == "\"hello\\x00\\x00x\"");
}

TEST_CASE_FIXTURE(Fixture, "LCS reads its options after the strings") {
  client("MSET a ohmytext b mynewtext");
  CHECK(client("LCS a b IDX") == "[matches, [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], len, 6]");
  CHECK(client("LCS a b IDX WITHMATCHLEN MINMATCHLEN -1") == "[matches, [[[4, 7], [5, 8], 4], [[2, 3], [0, 1], 2]], len, 6]");
  CHECK(client("LCS a b IDX LEN") == "(error) ERR If you want both the length and indexes, please just use IDX.");
  CHECK(client("LCS a b MINMATCHLEN") == kSyntax);
  CHECK(client("LCS a b MINMATCHLEN x") == kNoInteger);
  CHECK(client("LCS a none") == "\"\"");
  CHECK(client("LCS a none IDX") == "[matches, [], len, 0]");
}

TEST_CASE_FIXTURE(Fixture, "encodings are those that clients know") {
  client("MSET i 12 e " + std::string(44, 'x') + " r " + std::string(45, 'x') + " z 007");
  CHECK(encoding("i") == "int");
  CHECK(encoding("e") == "embstr");
  CHECK(encoding("r") == "raw");
  CHECK(encoding("z") == "embstr");
  client("APPEND new 12");
  CHECK(encoding("new") == "int");
  client("APPEND i ''");
  CHECK(encoding("i") == "raw");
  client("SET i 12");
  CHECK(encoding("i") == "int");
  client("SETRANGE i 0 ''");
  CHECK(encoding("i") == "int");
  client("SETRANGE i 0 3");
  CHECK(encoding("i") == "raw");
  client("SETRANGE none 0 12");
  CHECK(encoding("none") == "raw");
}

TEST_CASE_FIXTURE(Fixture, "replicas see effects, in absolute times and in words that all of them know") {
  RecordedEffects& effects = server.effects();
  const auto effect = [&](std::string_view line) {
    client(line);
    return effects.take();
  };
  CHECK(effect("SET k v") == "SET k v");
  CHECK(effect("SET k v XX") == "SET k v XX");
  CHECK(effect("SET k v NX") == "");
  CHECK(effect("SET k v GET") == "SET k v");
  CHECK(effect("SET k v EX 10 GET") == "SET k v PXAT 1700000010000");
  CHECK(effect("SET k v KEEPTTL") == "SET k v KEEPTTL");
  CHECK(effect("SET k v KEEPTTL GET") == "SET k v KEEPTTL");
  CHECK(effect("SET k v IFEQ v") == "SET k v");
  CHECK(effect("SET k w IFEQ v KEEPTTL") == "SET k w KEEPTTL");
  CHECK(effect("SET k v IFEQ v") == "");
  CHECK(effect("SETEX k 10 v") == "SET k v PXAT 1700000010000");
  CHECK(effect("PSETEX k 10 v") == "SET k v PXAT 1700000000010");
  CHECK(effect("GETEX k") == "");
  CHECK(effect("GETEX k EX 10") == "PEXPIREAT k 1700000010000");
  CHECK(effect("GETEX k PERSIST") == "PERSIST k");
  CHECK(effect("GETEX k PERSIST") == "");
  CHECK(effect("GETEX k EXAT 1") == "DEL k");
  CHECK(effect("GETSET k v") == "SET k v");
  CHECK(effect("GETDEL k") == "DEL k");
  CHECK(effect("GETDEL k") == "");
  CHECK(effect("SETNX k v") == "SETNX k v");
  CHECK(effect("SETNX k v") == "");
  CHECK(effect("DELEX k IFEQ w") == "");
  CHECK(effect("DELEX k IFEQ v") == "DEL k");
  CHECK(effect("INCR n") == "INCR n");
  CHECK(effect("INCRBYFLOAT n 0.5") == "SET n 1.5 KEEPTTL");
  CHECK(effect("INCREX n BYFLOAT 1.5 EX 1") == "SET n 3 PXAT 1700000001000");
  CHECK(effect("INCREX n") == "SET n 4 KEEPTTL");
  CHECK(effect("INCREX n PERSIST") == "SET n 5");
  CHECK(effect("INCREX n UBOUND 5") == "");
  CHECK(effect("INCREX n EXAT 1") == "DEL n");
  server.state.settings.lazy_expire = true;
  client("SET n 1");
  effects.take();
  CHECK(effect("INCREX n EXAT 1") == "UNLINK n");
  CHECK(effect("SET e v") == "SET e v");
  CHECK(effect("DELIFEQ e v") == "DEL e");
  CHECK(effect("APPEND a x") == "APPEND a x");
  CHECK(effect("SETRANGE a 0 ''") == "");
  CHECK(effect("MSET a 1 b 2") == "MSET a 1 b 2");
  CHECK(effect("MSETNX a 1 c 2") == "");
  CHECK(effect("MSETEX 2 a 1 b 2") == "MSET a 1 b 2");
  CHECK(effect("MSETEX 2 a 1 b 2 XX PX 5") == "{SET a 1 PXAT 1700000000005; SET b 2 PXAT 1700000000005}");
  CHECK(effect("MSETEX 1 a 1 KEEPTTL") == "SET a 1 KEEPTTL");
  CHECK(effect("MSETEX 1 a 1 NX") == "");
}

TEST_CASE_FIXTURE(Fixture, "an expired key's removal is an effect of its own before the command's") {
  RecordedEffects& effects = server.effects();
  client("SET k v PX 10");
  effects.take();
  server.advance_ms(11);
  client("APPEND k x");
  CHECK(effects.take() == "DEL k; APPEND k x");
}

TEST_CASE_FIXTURE(Fixture, "keyspace events name what happened") {
  RecordedEvents& events = server.events();
  const auto event = [&](std::string_view line) {
    client(line);
    return events.take();
  };
  CHECK(event("SET k v") == "set:k");
  CHECK(event("SET k v NX") == "");
  CHECK(event("SET k v EX 10") == "set:k expire:k");
  CHECK(event("SETEX k 10 v") == "set:k expire:k");
  CHECK(event("GETSET k v") == "set:k");
  CHECK(event("GETEX k PX 5") == "expire:k");
  CHECK(event("GETEX k PERSIST") == "persist:k");
  CHECK(event("GETEX k PERSIST") == "");
  CHECK(event("GETEX k PXAT 5") == "del:k");
  CHECK(event("SETNX k v") == "set:k");
  CHECK(event("GETDEL k") == "del:k");
  CHECK(event("APPEND k v") == "append:k");
  CHECK(event("SETRANGE k 1 v") == "setrange:k");
  CHECK(event("DELEX k") == "del:k");
  CHECK(event("DECR n") == "incrby:n");
  CHECK(event("INCRBYFLOAT n 1") == "incrbyfloat:n");
  CHECK(event("INCREX n EX 5") == "incrby:n expire:n");
  CHECK(event("INCREX n BYFLOAT 1 PERSIST") == "incrbyfloat:n persist:n");
  CHECK(event("MSET a 1 b 2") == "set:a set:b");
  CHECK(event("MSETEX 2 a 1 b 2 EX 5") == "set:a expire:a set:b expire:b");
  server.advance_ms(5001);
  CHECK(event("GET a") == "expired:a");
}

TEST_CASE_FIXTURE(Fixture, "values of other types are refused, or replaced by what sets the whole value") {
  const std::string_view wrong = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";
  put_other_type("o");
  for (const char* line :
       {"GET o",    "APPEND o x", "STRLEN o",        "GETRANGE o 0 0",  "SUBSTR o 0 0",   "SETRANGE o 0 x",     "SETRANGE o 0 ''",
        "INCR o",   "DECRBY o 1", "INCRBYFLOAT o 1", "INCRBYFLOAT o x", "INCREX o",       "INCREX o BYFLOAT 1", "GETSET o x",
        "GETDEL o", "GETEX o",    "GETEX o EX 0",    "SET o x GET",     "SET o x NX GET", "SET o x IFEQ y",     "SET o x IFDNE y",
        "DIGEST o", "DELIFEQ o x"}) {
    CAPTURE(line);
    CHECK(client(line) == wrong);
  }
  CHECK(client("INCRBY o x") == kNoInteger);
  CHECK(client("SET o x XX GET EX 0") == kSetExpiry);
  CHECK(client("SETRANGE o -1 x") == "(error) ERR offset is out of range");
  CHECK(client("LCS o k") == "(error) ERR The specified keys must contain string values");
  CHECK(client("DELEX o IFEQ x") == "(error) ERR Key should be of string type if conditions are specified");
  CHECK(client("MGET o none") == "[nil, nil]");
  CHECK(client("SETNX o x") == "0");
  CHECK(client("DELEX o") == "1");
  for (const char* line : {"SET o v", "SET o v XX", "SETEX o 10 v", "MSET o v", "MSETEX 1 o v XX"}) {
    CAPTURE(line);
    client("DELEX o");
    put_other_type("o");
    client(line);
    CHECK(client("GET o") == "v");
  }
}

TEST_CASE_FIXTURE(Fixture, "changes are counted once a key") {
  const auto dirty = [&](std::string_view line) {
    const uint64_t before = server.state.stats.dirty;
    client(line);
    return server.state.stats.dirty - before;
  };
  CHECK(dirty("SET k v EX 10") == 1);
  CHECK(dirty("SET k v NX") == 0);
  CHECK(dirty("MSET a 1 b 2 a 3") == 3);
  CHECK(dirty("MSETEX 2 a 1 b 2 EX 5") == 2);
  CHECK(dirty("GETEX k") == 0);
  CHECK(dirty("GETEX k EX 5") == 1);
  CHECK(dirty("INCREX a PERSIST") == 1);
  CHECK(dirty("SETRANGE k 0 ''") == 0);
  CHECK(dirty("APPEND k ''") == 1);
  CHECK(dirty("GETDEL none") == 0);
}

TEST_CASE_FIXTURE(Fixture, "reads count hits and misses, writes do not") {
  client("SET k v");
  client("GET k");
  client("GET none");
  client("MGET k none k");
  client("GETEX k");
  client("GETDEL none");
  client("SET k w GET");
  CHECK(server.state.keyspace.stats.hits == 5);
  CHECK(server.state.keyspace.stats.misses == 3);
}

// A model of one key as plain text; an absent key is told from an empty one.
struct Model {
  bool present = false;
  std::string text;
};

std::string random_bytes(Rng& rng) {
  if (rng.below(3) == 0) return vedette::to_text(int64_t(rng.below(2000)) - 1000);
  const size_t sizes[] = {0, 1, 20, 44, 45, 200, 600, 5000, 17000};
  std::string bytes(sizes[rng.below(9)], 0);
  for (char& byte : bytes) byte = char(rng.below(256));
  return bytes;
}

// One random command on both; the model's reply is the expected one.
void random_step(Rng& rng, Model& model, TestClient& client) {
  const std::string bytes = random_bytes(rng);
  const auto bulk = [](std::string_view text) {
    return "$" + vedette::to_text(int64_t(text.size())) + "\r\n" + std::string(text) + "\r\n";
  };
  const auto number = [](size_t n) -> std::string { return ":" + vedette::to_text(int64_t(n)) + "\r\n"; };
  const auto reply = [&](std::vector<std::string_view> argv) { return client.send(request_bytes(argv)); };
  switch (rng.below(7)) {
    case 0:
      REQUIRE(reply({"SET", "k", bytes}) == "+OK\r\n");
      model = {true, bytes};
      break;
    case 1:
      model = {true, model.text + bytes};
      REQUIRE(reply({"APPEND", "k", bytes}) == number(model.text.size()));
      break;
    case 2: {
      const size_t at = rng.below(2) ? rng.below(model.text.size() + 1) : rng.below(20000);
      if (!bytes.empty()) {
        model.present = true;
        model.text.resize(std::max(model.text.size(), at + bytes.size()), 0);
        model.text.replace(at, bytes.size(), bytes);
      }
      REQUIRE(reply({"SETRANGE", "k", vedette::to_text(int64_t(at)), bytes}) == number(model.text.size()));
      break;
    }
    case 3: {
      const size_t from = rng.below(model.text.size() + 10), to = from + rng.below(100);
      const std::string expected = from < model.text.size() ? model.text.substr(from, to - from + 1) : "";
      REQUIRE(reply({"GETRANGE", "k", vedette::to_text(int64_t(from)), vedette::to_text(int64_t(to))}) == bulk(expected));
      break;
    }
    case 4: {
      const auto held = model.present ? parse_integer(model.text) : 0;
      const std::string actual = reply({"INCR", "k"});
      REQUIRE(actual.starts_with(held ? ":" : "-ERR value is not an integer"));
      if (held) model = {true, vedette::to_text(*held + 1)};
      break;
    }
    case 5:
      if (rng.below(4)) break;
      REQUIRE(reply({"GETDEL", "k"}) == (model.present ? bulk(model.text) : "$-1\r\n"));
      model = {};
      break;
    default: REQUIRE(reply({"STRLEN", "k"}) == number(model.text.size()));
  }
  REQUIRE(reply({"GET", "k"}) == (model.present ? bulk(model.text) : "$-1\r\n"));
}

TEST_CASE("random edits of a string agree with a std::string") {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    TestServer server(seed);
    TestClient client(server);
    Model model;
    for (int step = 0; step < 300; step++) random_step(rng, model, client);
  }
}

}  // namespace
}  // namespace vedette::testing
