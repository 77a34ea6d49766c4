// DEBUG, MONITOR, SHUTDOWN and the small ones.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/base/sha1.h"
#include "common/base/text.h"
#include "tests/session/test_server.h"

using namespace vedette;
using namespace vedette::testing;

TEST_CASE("DEBUG needs its option") {
  TestServer server;
  TestClient client(server);
  client.session.unset(kInternal);
  CHECK(client("DEBUG DIGEST").starts_with("(error) ERR DEBUG command not allowed. If the enable-debug-command option is set"));
  server.state.settings.debug_command = "local";
  CHECK(client("DEBUG DIGEST").starts_with("(error) ERR DEBUG command not allowed"));
  server.state.settings.debug_command = "yes";
  CHECK(client("DEBUG DIGEST") == std::string(40, '0'));
}

TEST_CASE("equal datasets have the digest that other servers compute") {
  TestServer server;
  server.state.settings.debug_command = "yes";
  TestClient client(server);
  client("SET b hello");
  client("SET a 1");
  CHECK(client("DEBUG DIGEST") == "2539797405e828ad7a3aa48c536b3eaf2803a421");
  CHECK(client("DEBUG DIGEST-VALUE a b none") ==
        "[b4fc66738120fba0b5aa500ab5c2bf89cea1c5da, 36b23a1456b2dce2c3ed252c456761301dba8060, " + std::string(40, '0') + "]");
  client("SELECT 3");
  client("SET c x EX 10");
  CHECK(client("DEBUG DIGEST") == "1e441dd2746832fba0cdb01622bdf83bc434c48c");
  CHECK(client("DEBUG DIGEST-VALUE c") == "[0745672cb1bf060476eedeb8a28f5ffe1ff5a2be]");
}

TEST_CASE("SHA-1 agrees with its standard") {
  CHECK(to_hex(sha1("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(to_hex(sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(to_hex(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(to_hex(sha1(std::string(1000000, 'a'))) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("DEBUG POPULATE adds keys and keeps those that are there") {
  TestServer server;
  server.state.settings.debug_command = "yes";
  TestClient client(server);
  client("SET key:1 mine");
  CHECK(client("DEBUG POPULATE 3") == "OK");
  CHECK(client("MGET key:0 key:1 key:2 key:3") == "[value:0, mine, value:2, nil]");
  CHECK(client("DEBUG POPULATE 2 p 3") == "OK");
  CHECK(client("GET p:1") == "val");
  CHECK(client("DEBUG POPULATE 1 q 10") == "OK");
  CHECK(client("STRLEN q:0") == "10");
  CHECK(client("DEBUG POPULATE -1") == "(error) ERR value is out of range, must be positive");
  CHECK(client("DEBUG POPULATE x") == "(error) ERR value is out of range, must be positive");
}

TEST_CASE("DEBUG PROTOCOL writes each type in both versions") {
  TestServer server;
  server.state.settings.debug_command = "yes";
  TestClient client(server);
  const auto bytes = [&](std::string_view type) { return client.send(request_bytes({"DEBUG", "PROTOCOL", type})); };
  CHECK(bytes("map") == "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n");
  CHECK(bytes("attrib") == "$39\r\nSome real reply following the attribute\r\n");
  CHECK(bytes("push") == "-ERR RESP2 is not supported by this command\r\n");
  client.session.resp = RespVersion::k3;
  CHECK(bytes("double") == ",3.141\r\n");
  CHECK(bytes("bignum") == "(1234567999999999999999999999999999999\r\n");
  CHECK(bytes("map") == "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n");
  CHECK(bytes("attrib") ==
        "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$39\r\nSome real reply following the attribute\r\n");
  CHECK(bytes("push") == ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push reply\r\n");
  CHECK(bytes("verbatim") == "=29\r\ntxt:This is a verbatim\nstring\r\n");
}

TEST_CASE("DEBUG looks and intervenes") {
  TestServer server;
  server.state.settings.debug_command = "yes";
  TestClient client(server);
  client("SET k 12");
  CHECK(client("DEBUG OBJECT k").find("refcount:1 encoding:int serializedlength:2 ") != std::string::npos);
  CHECK(client("DEBUG OBJECT none") == "(error) ERR no such key");
  client("SET late v PX 10");
  server.advance_ms(11);
  CHECK(client("DEBUG OBJECT late").find("encoding:embstr") != std::string::npos);
  CHECK(client("EXISTS late") == "0");
  CHECK(client("DEBUG OBJECT late") == "(error) ERR no such key");
  CHECK(client("DEBUG SLEEP 0.25") == "OK");
  CHECK(server.actions.slept_us == 250000);
  CHECK(client("DEBUG SET-ACTIVE-EXPIRE 0") == "OK");
  CHECK_FALSE(server.state.active_expire);
  CHECK(client("DEBUG PAUSE-CRON 1") == "OK");
  CHECK(server.state.cron_paused);
  CHECK(client("DEBUG ERROR \"FOO bar\"") == "(error) FOO bar");
  CHECK(client("DEBUG STRINGMATCH-LEN 1000 a*b") == "0");
  CHECK(client("DEBUG HTSTATS 99") == "(error) ERR Out of range database");
  CHECK(client("DEBUG SLEEP") == "(error) ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP.");
  CHECK(client("DEBUG NOSUCH x") == "(error) ERR unknown subcommand or wrong number of arguments for 'NOSUCH'. Try DEBUG HELP.");
}

TEST_CASE("DEBUG HTSTATS counts buckets, and DICT-RESIZING keeps them as they are") {
  TestServer server;
  server.state.settings.debug_command = "yes";
  TestClient client(server);
  CHECK(client("DEBUG HTSTATS 0").find("No stats available for empty dictionaries") != std::string::npos);
  CHECK(client("DEBUG POPULATE 1000") == "OK");
  const size_t buckets = server.state.keyspace.db(0).table().bucket_count();
  const std::string stats = client("DEBUG HTSTATS 0");
  for (const char* line : {" number of elements: 1000", " different slots: ", " max chain length: ", " Chain length distribution:"})
    CHECK(stats.find(line) != std::string::npos);
  CHECK(client("DEBUG DICT-RESIZING 0") == "OK");
  CHECK(client("DEBUG POPULATE 20000") == "OK");
  CHECK(server.state.keyspace.db(0).table().bucket_count() == buckets);
  CHECK(client("GET key:19999") == "value:19999");
  CHECK(client("DEBUG DICT-RESIZING 1") == "OK");
  CHECK(client("SET one more") == "OK");
  CHECK(server.state.keyspace.db(0).table().bucket_count() > buckets);
}

TEST_CASE("DEBUG MALLCTL refuses what the allocator does not know") {
  TestServer server;
  server.state.settings.debug_command = "yes";
  TestClient client(server);
  CHECK(client("DEBUG MALLCTL no.such.control") == "(error) ERR No such file or directory");
  CHECK(client("DEBUG MALLCTL-STR no.such.control").starts_with("(error) ERR "));
  CHECK(client("DEBUG MALLCTL opt.narenas x") == "(error) ERR value is not an integer or out of range");
  CHECK(client("DEBUG CONFIG-REWRITE-FORCE-ALL").starts_with("(error) ERR "));
}

TEST_CASE("MONITOR shows what was executed, in order") {
  TestServer server;
  TestClient watcher(server), client(server);
  CHECK(watcher("MONITOR") == "OK");
  CHECK(watcher("MONITOR") == "");
  client.call({"SET", "k", std::string_view("a\0\"\n", 4)});
  client("INFO modules");
  client("SELECT 3");
  client("LATENCY LATEST");  // administration is not shown
  const std::string lines = watcher.pending_bytes();
  CHECK(lines.find(" [0 ?:0] \"SET\" \"k\" \"a\\x00\\\"\\n\"\r\n") != std::string::npos);
  CHECK(lines.find(" [3 ?:0] \"SELECT\" \"3\"\r\n") != std::string::npos);
  CHECK(lines.find("LATENCY") == std::string::npos);
  watcher.session.unset(kInternal);
  CHECK(watcher("GET k").find("(error) ERR Replica can't interact with the keyspace") == 0);
}

TEST_CASE("MONITOR shows a transaction's commands before its EXEC") {
  TestServer server;
  TestClient watcher(server), client(server);
  watcher("MONITOR");
  client("MULTI");
  client("SET a 1");
  client("EXEC");
  const std::string lines = watcher.pending_bytes();
  const size_t multi = lines.find("\"MULTI\""), set = lines.find("\"SET\""), exec = lines.find("\"EXEC\"");
  CHECK(multi < set);
  CHECK(set < exec);
  CHECK(exec != std::string::npos);
}

TEST_CASE("SHUTDOWN asks the program once") {
  TestServer server;
  TestClient client(server);
  CHECK(client("SHUTDOWN ABORT") == "(error) ERR No shutdown in progress.");
  for (const std::string_view line : {"SHUTDOWN WHAT", "SHUTDOWN SAVE NOSAVE", "SHUTDOWN ABORT NOW"})
    CHECK(client(line) == "(error) ERR syntax error");
  CHECK(client("SHUTDOWN NOSAVE NOW FORCE") == "");
  REQUIRE(server.actions.shutdowns.size() == 1);
  CHECK(server.actions.shutdowns[0].save == ShutdownSave::kNoSave);
  CHECK(server.actions.shutdowns[0].now);
  CHECK(server.actions.shutdowns[0].force);
  CHECK(client("PING") == "");  // who asked waits for the end
  TestClient other(server);
  CHECK(other("SHUTDOWN ABORT") == "OK");
}

TEST_CASE("TIME is the server's clock and LOLWUT names the version") {
  TestServer server;
  TestClient client(server);
  CHECK(client("TIME") == fmt::format("[{}, {}]", server.executor.now().wall.us / 1000000, server.executor.now().wall.us % 1000000));
  CHECK(client("LOLWUT").find("Redis ver. 7.2.4") != std::string::npos);
  CHECK(client("LOLWUT VERSION 5 10 6").find("Redis ver. 7.2.4") != std::string::npos);
  CHECK(client("LOLWUT VERSION x") == "(error) ERR value is not an integer or out of range");
}
