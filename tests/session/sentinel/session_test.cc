// Sessions: from bytes to replies, passwords, subscriptions, clients among clients.
#include <doctest/doctest.h>

#include <algorithm>

#include "common/base/rng.h"
#include "tests/session/sentinel/test_sentinel.h"

namespace vedette::sentinel::testing {

TEST_CASE("requests may come in any pieces") {
  TestSentinel sentinel;
  sentinel.watch("m");
  const std::string bytes = encode({"PING"}) + encode({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"}) + "ping inline\r\n\r\n" +
                            encode({"ROLE"});
  const std::string expected = "+PONG\r\n*2\r\n$9\r\n127.0.0.1\r\n$4\r\n7000\r\n$6\r\ninline\r\n*2\r\n$8\r\nsentinel\r\n*1\r\n$1\r\nm\r\n";
  const uint64_t seed = 20240817;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 50; round++) {
    SentinelClient client(sentinel);
    std::string got;
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = std::min<size_t>(bytes.size() - at, 1 + rng.below(9));
      client.send_bytes(std::string_view(bytes).substr(at, size));
      got += client.take_bytes();
      at += size;
    }
    CHECK(got == expected);
  }
}

TEST_CASE("what is no protocol ends the session after an error") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  client.send_bytes("*1\r\n:5\r\n");
  CHECK(client.take_bytes() == "-ERR Protocol error: expected '$', got ':'\r\n");
  CHECK(client.session.has(kCloseAfterReply));
  client.send_bytes(encode({"PING"}));
  CHECK(client.take_bytes() == "");
  SentinelClient browser(sentinel);
  browser.send_bytes("POST / HTTP/1.1\r\nHost: x\r\n\r\nSHUTDOWN\r\n");
  CHECK(browser.session.has(kCloseNow));
}

TEST_CASE("a long pipeline is cut into turns, and nothing of it is lost") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  std::string bytes;
  for (int i = 0; i < 2500; i++) bytes += encode({"PING"});
  client.send_bytes(bytes);
  CHECK(client.session.has(kBacklogged));
  std::string got = client.take_bytes();
  CHECK(got.size() == 1000 * 7);
  client.send_bytes(encode({"PING", "last"}));
  while (sentinel.executor.has_backlog()) {
    sentinel.executor.gather_backlog();
    sentinel.executor.execute();
  }
  got += client.take_bytes();
  CHECK(got.size() == 2500 * 7 + 10);
  CHECK(got.ends_with("$4\r\nlast\r\n"));
}

TEST_CASE("a password keeps strangers out") {
  GlobalOptions options;
  options.require_pass = "secret";
  TestSentinel sentinel(options);
  SentinelClient client(sentinel);
  CHECK(client("PING") == "(error) NOAUTH Authentication required.");
  CHECK(client("SENTINEL MASTERS") == "(error) NOAUTH Authentication required.");
  CHECK(client("SUBSCRIBE a") == "(error) NOAUTH Authentication required.");
  CHECK(client("SHUTDOWN") == "(error) NOAUTH Authentication required.");
  CHECK(client("HELLO 3").starts_with("(error) NOAUTH HELLO must be called"));
  CHECK(client("AUTH wrong") == "(error) WRONGPASS invalid username-password pair or user is disabled.");
  CHECK(client("AUTH somebody secret") == "(error) WRONGPASS invalid username-password pair or user is disabled.");
  CHECK(client("AUTH default secret") == "OK");
  CHECK(client("PING") == "PONG");
  CHECK(client("RESET") == "RESET");
  CHECK(client("PING").starts_with("(error) NOAUTH"));
  CHECK(client("HELLO 3 AUTH default secret SETNAME me").starts_with("[server, redis"));
  CHECK(client("CLIENT GETNAME") == "me");
  SentinelClient flood(sentinel);
  flood.send_bytes("*100\r\n");
  CHECK(flood.take_bytes().starts_with("-ERR Protocol error"));
}

TEST_CASE("without a password AUTH says so") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(
      client("AUTH a") ==
      "(error) ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
  CHECK(client("AUTH default x") == "OK");
  CHECK(client("AUTH nobody x") == "(error) WRONGPASS invalid username-password pair or user is disabled.");
}

TEST_CASE("a RESP2 listener may do little else") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  client.send("SUBSCRIBE a b");
  CHECK(client.take_bytes() == "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n");
  CHECK(client("PING") == "[pong, \"\"]");
  CHECK(
      client("SENTINEL MASTERS") ==
      "(error) ERR Can't execute 'sentinel|masters': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
  CHECK(client("PSUBSCRIBE x*") == "[psubscribe, x*, 3]");
  CHECK(client("UNSUBSCRIBE a") == "[unsubscribe, a, 2]");
  CHECK(client("UNSUBSCRIBE") == "[unsubscribe, b, 1]");
  CHECK(client("PUNSUBSCRIBE") == "[punsubscribe, x*, 0]");
  CHECK(client("PUNSUBSCRIBE") == "[punsubscribe, nil, 0]");
  CHECK(client("SENTINEL MASTERS") == "[]");
  client("HELLO 3");
  client.send("SUBSCRIBE a");
  CHECK(client.take_bytes() == ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  CHECK(client("SENTINEL MASTERS") == "[]");
  sentinel.state.channels.publish("a", "x");
  CHECK(client.take_bytes() == ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
}

TEST_CASE("only hellos may be published") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  CHECK(client("PUBLISH foo bar") == "(error) ERR Only HELLO messages are accepted by Sentinel instances.");
  CHECK(client("PUBLISH __sentinel__:hello nonsense") == "1");
  CHECK(client("SENTINEL SENTINELS m") == "[]");
  // The reply does not wait for the state that the hello has changed.
  client.send("PUBLISH __sentinel__:hello 127.0.0.1,7101," + std::string(40, 'a') + ",0,m,127.0.0.1,7000,0");
  CHECK(client.take() == "1");
  CHECK(client("SENTINEL SENTINELS m").starts_with("[[name, aaaa"));
}

TEST_CASE("replies can be silenced") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  client.send("CLIENT REPLY SKIP");
  client.send("PING");
  CHECK(client.take_bytes() == "");
  CHECK(client("PING") == "PONG");
  client.send("CLIENT REPLY OFF");
  client.send("PING");
  client.send("GET x");
  CHECK(client.take_bytes() == "");
  CHECK(client("SUBSCRIBE a") == "[subscribe, a, 1]");
  client("UNSUBSCRIBE");
  CHECK(client("CLIENT REPLY ON") == "OK");
}

TEST_CASE("CLIENT PAUSE lets requests wait, and the sentinel's own work go on") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient one(sentinel), two(sentinel);
  CHECK(one("CLIENT PAUSE x") == "(error) ERR timeout is not an integer or out of range");
  CHECK(one("CLIENT PAUSE -1") == "(error) ERR timeout is negative");
  CHECK(one("CLIENT PAUSE 9223372036854775807") == "(error) ERR timeout is out of range");
  CHECK(one("CLIENT PAUSE 10 READ") == "(error) ERR CLIENT PAUSE mode must be WRITE or ALL");
  CHECK(sentinel.executor.pause_ends() == kNever);
  CHECK(one("CLIENT PAUSE 1000 WRITE") == "OK");
  CHECK(one("PING") == "PONG");
  two.send("PUBLISH a b");
  CHECK(two.take() == "");
  CHECK_FALSE(sentinel.executor.has_backlog());
  CHECK(sentinel.executor.pause_ends() != kNever);
  CHECK(one("CLIENT UNPAUSE") == "OK");
  sentinel.turn();
  CHECK(two.take() == "(error) ERR Only HELLO messages are accepted by Sentinel instances.");

  CHECK(one("CLIENT PAUSE 1000") == "OK");
  CHECK(one("CLIENT PAUSE 10 WRITE") == "");  // as everything else
  two.send_bytes("PING one\r\nPING two\r\n");
  CHECK(two.take() == "");
  CHECK(one("NONSENSE") == "");  // behind what waits
  SentinelClient three(sentinel);
  CHECK(three("NONSENSE").starts_with("(error) ERR unknown command 'NONSENSE'"));
  sentinel.clock.advance_ms(999);
  CHECK_FALSE(sentinel.executor.has_backlog());
  sentinel.clock.advance_ms(1);
  CHECK(sentinel.executor.has_backlog());
  sentinel.turn();
  CHECK(one.take() == "OK");
  CHECK(one.take().starts_with("(error) ERR unknown command 'NONSENSE'"));
  CHECK(two.take() == "one");
  CHECK(two.take() == "two");
}

TEST_CASE("no keys are tracked by a sentinel") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("CLIENT GETREDIR") == "-1");
  client.send("CLIENT TRACKINGINFO");
  CHECK(client.take_bytes() == "*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n");
}

TEST_CASE("who refuses our login counts as disconnected") {
  TestSentinel sentinel;
  Group& group = sentinel.watch("m");
  sentinel.node.on_time(sentinel.clock.now());
  for (const auto& [link, to] : std::vector(sentinel.outside.opened)) sentinel.node.on_connected(link, "127.0.0.1", sentinel.clock.now());
  sentinel.node.on_time(sentinel.clock.now());
  const auto flags = [&] { return sentinel.monitor.flags(group, group.primary, sentinel.clock.now()); };
  const auto reply = [&](std::string_view bytes) {
    sentinel.node.on_bytes(group.primary.contact->command.id, bytes, sentinel.clock.now());
  };
  reply("+OK\r\n+PONG\r\n");  // to CLIENT SETNAME and PING
  CHECK(flags() == "master");
  sentinel.clock.advance_ms(1000);
  sentinel.node.on_time(sentinel.clock.now());
  for (int i = 0; i < 5; i++) reply("-NOAUTH Authentication required.\r\n");
  CHECK(flags() == "master,disconnected");
}

TEST_CASE("a disk that fails does not end the pings") {
  TestSentinel sentinel;
  Group& group = sentinel.watch("m");
  SentinelClient client(sentinel);
  sentinel.node.on_time(sentinel.clock.now());
  for (const auto& [link, to] : std::vector(sentinel.outside.opened)) sentinel.node.on_connected(link, "127.0.0.1", sentinel.clock.now());
  const LinkId command = group.primary.contact->command.id;
  client.send("SENTINEL FLUSHCONFIG");
  for (int i = 0; i < 400; i++) {
    sentinel.clock.advance_ms(1000);
    sentinel.fail_state();
    sentinel.node.on_time(sentinel.clock.now());
    int pings = 0, requests = 0;
    for (const auto& [link, bytes] : sentinel.outside.sent) {
      if (link != command) continue;
      requests += int(std::count(bytes.begin(), bytes.end(), '*'));
      for (size_t at = bytes.find("PING"); at != bytes.npos; at = bytes.find("PING", at + 1)) pings++;
    }
    CAPTURE(i);
    REQUIRE(pings > 0);
    sentinel.outside.sent.clear();
    for (; requests > 0; requests--) sentinel.node.on_bytes(command, "+PONG\r\n", sentinel.clock.now());
  }
}

TEST_CASE("clients see and close each other") {
  TestSentinel sentinel;
  SentinelClient one(sentinel), two(sentinel), listener(sentinel);
  CHECK(one("CLIENT ID") == "1");
  CHECK(one("CLIENT SETNAME \"a b\"") == "(error) ERR Client names cannot contain spaces, newlines or special characters.");
  CHECK(one("CLIENT SETNAME \"a\\nb\"").starts_with("(error) ERR Client names"));
  CHECK(one("CLIENT GETNAME") == "nil");
  CHECK(one("CLIENT SETNAME one") == "OK");
  CHECK(one("CLIENT SETINFO lib-name \"x y\"") == "(error) ERR lib-name cannot contain spaces, newlines or special characters.");
  CHECK(one("CLIENT SETINFO LIB-NAME lib") == "OK");
  CHECK(one("CLIENT INFO").starts_with("\"id=1 addr=?:0 laddr=?:0 fd=-1 name=one age=0 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 "));
  listener("SUBSCRIBE a");
  const std::string list = one("CLIENT LIST TYPE pubsub");
  CHECK(list.starts_with("\"id=3 "));
  CHECK(list.find("flags=P") != std::string::npos);
  CHECK(list.find("cmd=subscribe") != std::string::npos);
  CHECK(one("CLIENT LIST TYPE x") == "(error) ERR Unknown client type 'x'");
  CHECK(one("CLIENT LIST ID x") == "(error) ERR Invalid client ID");
  CHECK(one("CLIENT LIST ID 0") == "\"\"");
  CHECK(one("CLIENT KILL 1.2.3.4:5") == "(error) ERR No such client");
  CHECK(one("CLIENT KILL ID 99") == "0");
  CHECK(one("CLIENT KILL ID 2") == "1");
  CHECK(two.session.has(kCloseNow));
  CHECK(one("CLIENT KILL TYPE pubsub") == "1");
  CHECK(one("CLIENT KILL ID 1 SKIPME no") == "1");
  CHECK(one.session.has(kCloseAfterReply));
  SentinelClient next(sentinel);
  CHECK(next("CLIENT UNBLOCK 5") == "0");
  CHECK(next("CLIENT UNBLOCK x") == "(error) ERR value is not an integer or out of range");
  CHECK(next("CLIENT foo") == "(error) ERR unknown subcommand 'foo'. Try CLIENT HELP.");
}

TEST_CASE("the protocol is chosen by HELLO") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("HELLO") == "[server, redis, version, 7.2.4, proto, 2, id, 1, mode, sentinel, modules, []]");
  CHECK(client("HELLO 4") == "(error) NOPROTO unsupported protocol version");
  CHECK(client("HELLO x") == "(error) ERR Protocol version is not an integer or out of range");
  CHECK(client("HELLO 3 foo") == "(error) ERR Syntax error in HELLO option 'foo'");
  client.send("HELLO 3");
  CHECK(client.take_bytes().starts_with("%6\r\n"));
  CHECK(client("PING a b") == "(error) ERR wrong number of arguments for 'ping' command");
  CHECK(client("QUIT") == "OK");
  CHECK(client.session.has(kCloseAfterReply));
}

TEST_CASE("INFO tells of the primaries and of what this is") {
  TestSentinel sentinel;
  sentinel.watch("m", 1);
  sentinel.know_replica("m", 7001);
  sentinel.know_sentinel("m", 7101, 'a');
  sentinel.state.process.version = "9.8.7";
  SentinelClient client(sentinel);
  client("HELLO 3");
  client.send("INFO nothing");
  CHECK(client.take_bytes() == "$0\r\n\r\n");  // no verbatim string, unlike a server's
  client("HELLO 2");
  CHECK(client("INFO nothing") == "\"\"");
  const std::string server = client("INFO server");
  CHECK(server.find("redis_mode:sentinel\\r\\n") != std::string::npos);
  CHECK(server.find("run_id:" + std::string(TestSentinel::kRunId)) != std::string::npos);
  CHECK(server.find("vedette_version:9.8.7") != std::string::npos);
  const std::string text = client("INFO sentinel");
  CHECK(text.starts_with("\"# Sentinel\\r\\nsentinel_masters:1\\r\\nsentinel_tilt:0\\r\\nsentinel_tilt_since_seconds:-1\\r\\n"));
  CHECK(text.find("master0:name=m,status=ok,address=127.0.0.1:7000,slaves=1,sentinels=2\\r\\n") != std::string::npos);
  sentinel.monitor.find("m")->primary.sdown = true;
  CHECK(client("INFO sentinel").find("status=sdown") != std::string::npos);
  const std::string all = client("INFO");
  for (const char* section : {"# Server", "# Clients", "# Stats", "# CPU", "# Sentinel"}) CHECK(all.find(section) != std::string::npos);
}

TEST_CASE("SHUTDOWN is passed on and not answered") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  int asked = 0;
  sentinel.state.shutdown = [&] { asked++; };
  CHECK(client("SHUTDOWN foo") == "(error) ERR syntax error");
  CHECK(client("SHUTDOWN ABORT") == "(error) ERR No shutdown in progress.");
  CHECK(client("SHUTDOWN SAVE NOSAVE") == "(error) ERR syntax error");
  CHECK(asked == 0);
  CHECK(client("SHUTDOWN NOSAVE") == "");
  CHECK(asked == 1);
}

TEST_CASE("users") {
  GlobalOptions options;
  options.require_pass = "secret";
  TestSentinel locked(options);
  SentinelClient guest(locked);
  CHECK(guest("ACL WHOAMI").starts_with("(error) NOAUTH"));
  CHECK(guest("AUTH secret") == "OK");
  CHECK(guest("ACL LIST") ==
        "[\"user default on sanitize-payload "
        "#2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ~* &* +@all\"]");
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("ACL WHOAMI") == "default");
  CHECK(client("ACL USERS") == "[default]");
  CHECK(client("ACL LIST") == "[\"user default on nopass sanitize-payload ~* &* +@all\"]");
  CHECK(client("ACL CAT").starts_with("[keyspace, read, write, "));
  CHECK(client("ACL CAT pubsub") == "[subscribe, unsubscribe, psubscribe, punsubscribe, publish]");
  CHECK(client("ACL CAT nope") == "(error) ERR Unknown category 'nope'");
  CHECK(client("ACL SETUSER other +sentinel|nosuch")
            .starts_with("(error) ERR Error in ACL SETUSER modifier '+sentinel|nosuch': Unknown command"));

  // A user for another sentinel, and one that may only ask.
  CHECK(client("ACL SETUSER peer on >p &__sentinel__:hello +auth +hello +ping +publish "
               "+sentinel|is-master-down-by-addr") == "OK");
  CHECK(client("ACL SETUSER reader on >p +sentinel -sentinel|set +subscribe &+*") == "OK");
  SentinelClient peer(sentinel), reader(sentinel);
  CHECK(peer("AUTH peer wrong").starts_with("(error) WRONGPASS"));
  CHECK(peer("AUTH peer p") == "OK");
  CHECK(peer("PING") == "PONG");
  CHECK(peer("SENTINEL MASTERS") == "(error) NOPERM this user has no permissions to run the 'sentinel|masters' command");
  CHECK(peer("PUBLISH other x") == "(error) NOPERM this user has no permissions to access one of the channels used as arguments");
  CHECK(reader("HELLO 2 AUTH reader p").starts_with("[server, redis"));
  CHECK(reader("SENTINEL MASTERS") == "[]");
  CHECK(reader("SENTINEL SET m quorum 1") == "(error) NOPERM this user has no permissions to run the 'sentinel|set' command");
  CHECK(reader("SUBSCRIBE +switch-master") == "[subscribe, +switch-master, 1]");
  CHECK(client("CLIENT LIST").find("user=reader") != std::string::npos);
  CHECK(client("ACL LOG 1").find("object, sentinel|set, username, reader") != std::string::npos);
  CHECK(client("ACL DRYRUN reader SENTINEL MYID") == "OK");
  CHECK(client("ACL SETUSER reader resetchannels") == "OK");
  CHECK(reader.session.has(kCloseNow));
  CHECK(client("ACL DELUSER peer nobody") == "1");
  CHECK(peer.session.has(kCloseNow));
  CHECK(client("ACL SAVE").starts_with("(error) ERR This Redis instance is not configured to use an ACL file."));
}

TEST_CASE("COMMAND derives from the table") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("COMMAND COUNT") == std::to_string(sentinel.state.commands.commands().size()));
  CHECK(client("COMMAND INFO sentinel").starts_with("[[sentinel, -2, "));
  CHECK(client("COMMAND LIST FILTERBY PATTERN sentinel|is*") == "[sentinel|is-master-down-by-addr, sentinel|is-primary-down-by-addr]");
  CHECK(client("COMMAND").starts_with("[["));
  CHECK(client("COMMAND DOCS ping").starts_with("[ping, ["));
}

}  // namespace vedette::sentinel::testing
