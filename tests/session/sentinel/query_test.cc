// What clients and other sentinels ask.
#include <doctest/doctest.h>

#include "tests/session/sentinel/test_sentinel.h"

namespace vedette::sentinel::testing {
namespace {

const std::string kOther(40, 'a'), kThird(40, 'b');

std::string ask_vote(int64_t epoch, const std::string& candidate, const std::string& port = "7000") {
  return "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 " + port + " " + std::to_string(epoch) + " " + candidate;
}

}  // namespace

TEST_CASE("clients are told where the primary is") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL GET-MASTER-ADDR-BY-NAME m") == "[127.0.0.1, 7000]");
  CHECK(client("sentinel get-primary-addr-by-name m") == "[127.0.0.1, 7000]");
  client.send("SENTINEL GET-MASTER-ADDR-BY-NAME nobody");
  CHECK(client.take_bytes() == "*-1\r\n");
  CHECK(client("HELLO 3").starts_with("[server, redis"));
  client.send("SENTINEL GET-MASTER-ADDR-BY-NAME nobody");
  CHECK(client.take_bytes() == "_\r\n");
}

TEST_CASE("a primary is told with the fields that clients know, in their order") {
  TestSentinel sentinel;
  sentinel.watch("m", 2);
  sentinel.know_replica("m", 7001);
  sentinel.know_sentinel("m", 7101, 'a');
  sentinel.clock.advance_ms(250);
  SentinelClient client(sentinel);
  const std::string expected =
      "[name, m, ip, 127.0.0.1, port, 7000, runid, \"\", flags, \"master,disconnected\", link-pending-commands, 0, link-refcount, 1, "
      "last-ping-sent, ";
  const std::string one = client("SENTINEL MASTER m");
  CHECK(one.substr(0, expected.size()) == expected);
  CHECK(
      one.find(
          "down-after-milliseconds, 30000, info-refresh, 0, role-reported, master, role-reported-time, 250, config-epoch, 0, num-slaves, 1, "
          "num-other-sentinels, 1, quorum, 2, failover-timeout, 180000, parallel-syncs, 1]") != std::string::npos);
  CHECK(client("SENTINEL PRIMARY m") == one);
  CHECK(client("SENTINEL MASTERS") == "[" + one + "]");
  CHECK(client("SENTINEL PRIMARIES") == "[" + one + "]");
  client("HELLO 3");
  client.send("SENTINEL MASTER m");
  CHECK(client.take_bytes().starts_with("%20\r\n$4\r\nname\r\n"));
  CHECK(client("SENTINEL SET m lease-milliseconds 0 fast-evidence yes") == "OK");
  CHECK(client("SENTINEL MASTER m").ends_with("parallel-syncs, 1, fast-evidence, yes]"));
}

TEST_CASE("replicas and sentinels are told with theirs") {
  TestSentinel sentinel;
  sentinel.watch("m");
  sentinel.know_replica("m", 7001);
  sentinel.know_sentinel("m", 7101, 'a');
  SentinelClient client(sentinel);
  const std::string replicas = client("SENTINEL REPLICAS m");
  CHECK(replicas.starts_with("[[name, 127.0.0.1:7001, ip, 127.0.0.1, port, 7001, runid, \"\", flags, \"slave,disconnected\", "));
  CHECK(replicas.find("role-reported, slave, role-reported-time, 0, master-link-down-time, 0, master-link-status, err, master-host, ") !=
        std::string::npos);
  CHECK(replicas.ends_with("slave-priority, 100, slave-repl-offset, 0, replica-announced, 1]]"));
  CHECK(client("SENTINEL SLAVES m") == replicas);
  const std::string sentinels = client("SENTINEL SENTINELS m");
  CHECK(sentinels.starts_with("[[name, " + kOther + ", ip, 127.0.0.1, port, 7101, runid, " + kOther +
                              ", flags, \"sentinel,disconnected\", "));
  CHECK(sentinels.ends_with("voted-leader, ?, voted-leader-epoch, 0]]"));
  sentinel.monitor.find("m")->find_replica({"127.0.0.1", 7001})->announced = false;
  CHECK(client("SENTINEL REPLICAS m") == "[]");
}

TEST_CASE("an unknown name, word or count is an error") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  for (const char* line : {"SENTINEL MASTER x", "SENTINEL REPLICAS x", "SENTINEL SLAVES x", "SENTINEL SENTINELS x", "SENTINEL CKQUORUM x",
                           "SENTINEL FAILOVER x", "SENTINEL REMOVE x", "SENTINEL SET x quorum 1", "SENTINEL EXPLAIN x",
                           "SENTINEL HISTORY x", "SENTINEL FORGET x y"})
    CHECK_MESSAGE(client(line) == "(error) ERR No such master with that name", line);
  CHECK(client("SENTINEL") == "(error) ERR wrong number of arguments for 'sentinel' command");
  CHECK(client("SENTINEL foo") == "(error) ERR unknown subcommand 'foo'. Try SENTINEL HELP.");
  CHECK(client("SENTINEL MASTERS x") == "(error) ERR wrong number of arguments for 'sentinel|masters' command");
  CHECK(client("SENTINEL RESET") == "(error) ERR wrong number of arguments for 'sentinel|reset' command");
  CHECK(client("GET a") == "(error) ERR unknown command 'GET', with args beginning with: 'a' ");
  CHECK(client("SENTINEL HELP x") == "(error) ERR wrong number of arguments for 'sentinel|help' command");
  CHECK(client("SENTINEL HELP").starts_with("[\"SENTINEL <subcommand>"));
}

TEST_CASE("a vote leaves when it is on disk, and what was asked after it waits behind it") {
  TestSentinel sentinel;
  sentinel.watch("m");
  sentinel.know_sentinel("m", 7101, 'a');
  SentinelClient asking(sentinel), other(sentinel);
  asking.send(ask_vote(5, kOther));
  asking.send("PING");
  CHECK(asking.take() == "");
  CHECK(asking.session.has(kHoldOutput));
  CHECK(other("PING") == "PONG");
  CHECK(asking.take() == "[0, " + kOther + ", 5]");
  CHECK(asking.take() == "PONG");
  // The same epoch: the first answer again, and nothing to wait for.
  asking.send(ask_vote(5, kThird));
  CHECK(asking.take() == "[0, " + kOther + ", 5]");
}

TEST_CASE("a vote does not leave while the disk fails") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient asking(sentinel);
  asking.send(ask_vote(5, kOther));
  sentinel.fail_state();
  CHECK(asking.take() == "");
  sentinel.clock.advance_ms(1500);
  sentinel.node.on_time(sentinel.clock.now());
  CHECK(asking.take() == "");
  sentinel.write_state();
  CHECK(asking.take() == "[0, " + kOther + ", 5]");
}

TEST_CASE("a client that leaves while its vote is being written is forgotten") {
  TestSentinel sentinel;
  sentinel.watch("m");
  {
    SentinelClient asking(sentinel);
    asking.send(ask_vote(5, kOther));
  }
  sentinel.write_state();
  SentinelClient next(sentinel);
  CHECK(next("PING") == "PONG");
}

TEST_CASE("the question whether a primary is down may be badly put") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  CHECK(client(ask_vote(0, "*")) == "[0, *, 0]");
  CHECK(client(ask_vote(0, "*", "x")) == "(error) ERR value is not an integer or out of range");
  CHECK(client("SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 7000 x *") == "(error) ERR value is not an integer or out of range");
  CHECK(client("SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 7000 1") ==
        "(error) ERR wrong number of arguments for 'sentinel|is-master-down-by-addr' command");
  CHECK(client(ask_vote(-5, "*")) == "[0, *, 0]");
  CHECK(client(ask_vote(5, kOther, "99999999999")) == "[0, *, 0]");
  CHECK(client(ask_vote(5, kOther, "7009")) == "[0, *, 0]");
  // What is no run id gets no vote: it would be told to others, and written.
  CHECK(client(ask_vote(5, "\"a\\nb\"")) == "[0, *, 0]");
  CHECK(client(ask_vote(5, "short")) == "[0, *, 0]");
  CHECK(sentinel.monitor.current_epoch() == 0);
}

TEST_CASE("quorum and majority are checked") {
  TestSentinel sentinel;
  sentinel.watch("m", 1);
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL CKQUORUM m") == "\"OK 1 usable Sentinels. Quorum and failover authorization can be reached\"");
  sentinel.know_sentinel("m", 7101, 'a');
  CHECK(client("SENTINEL CKQUORUM m") ==
        "(error) NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority and authorize a failover");
  CHECK(client("SENTINEL SET m quorum 2") == "OK");
  CHECK(client("SENTINEL CKQUORUM m") ==
        "(error) NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master. Not enough "
        "available Sentinels to reach the majority and authorize a failover");
}

TEST_CASE("the identity is told") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL MYID") == std::string(TestSentinel::kRunId));
  CHECK(client("ROLE") == "[sentinel, []]");
  sentinel.watch("m");
  CHECK(client("ROLE") == "[sentinel, [m]]");
}

TEST_CASE("what is seen now and what has happened is explained") {
  TestSentinel sentinel;
  Group& group = sentinel.watch("m");
  sentinel.know_replica("m", 7001);
  SentinelClient client(sentinel);
  const std::string text = client("SENTINEL EXPLAIN m");
  CHECK(
      text.starts_with("[state, \"the primary is up\", blockers, [\"no replica can be promoted\"], replicas, [[address, 127.0.0.1:7001, "
                       "verdict, rejected, reason, "));
  CHECK(client("SENTINEL HISTORY m") == "[]");
  FailoverRecord record;
  record.epoch = 3;
  record.began = WallTime{5000000};
  record.led = true;
  record.from = {"127.0.0.1", 7000};
  record.votes = {{"v", "c"}};
  record.phases = {{"elected", 12}};
  group.history.push_back(record);
  CHECK(
      client("SENTINEL HISTORY m") ==
      "[[epoch, 3, began, 5000, mode, down, part, leader, leader, \"\", from, 127.0.0.1:7000, to, \"\", outcome, \"under way\", reason, \"\", "
      "votes, [v, c], phases, [elected, 12], rejected, []]]");
  record.epoch = 4;
  group.history.push_back(record);
  CHECK(client("SENTINEL HISTORY m 1").starts_with("[[epoch, 4, "));
  CHECK(client("SENTINEL HISTORY m 99") == client("SENTINEL HISTORY m"));
  CHECK(client("SENTINEL HISTORY m 0") == "[]");
  for (const char* count : {"-1", "x", "1.5", "''", "18446744073709551616"})
    CHECK_MESSAGE(client(std::string("SENTINEL HISTORY m ") + count) == "(error) ERR value is out of range, must be positive", count);
  CHECK(client("SENTINEL HISTORY m 1 2") == "(error) ERR wrong number of arguments for 'sentinel|history' command");
}

TEST_CASE("a name is looked up for each new link, and what it stood for holds while nobody answers") {
  TestSentinel sentinel;
  sentinel.monitor.options().resolve_hostnames = true;
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL MONITOR m db.example 7000 1") == "OK");
  sentinel.node.on_time(sentinel.clock.now());
  CHECK(sentinel.outside.looked_up == std::vector<std::string>{"db.example"});
  const auto known_at = [&](const std::string& ip) { return sentinel.monitor.find_by_address({ip, 7000}) != nullptr; };
  sentinel.node.on_resolved("db.example", "", sentinel.clock.now());
  CHECK(!known_at("10.0.0.1"));
  const auto link_lost = [&] {
    sentinel.clock.advance_ms(5000);
    for (const auto& [link, to] : std::exchange(sentinel.outside.opened, {}))
      sentinel.node.on_closed({link, "refused", true}, sentinel.clock.now());
    sentinel.clock.advance_ms(5000);
    sentinel.node.on_time(sentinel.clock.now());
  };
  link_lost();
  CHECK(sentinel.outside.looked_up.size() == 2);
  link_lost();
  CHECK(sentinel.outside.looked_up.size() == 2);  // no answer yet: it is not asked for twice
  sentinel.node.on_resolved("db.example", "10.0.0.1", sentinel.clock.now());
  CHECK(known_at("10.0.0.1"));
  link_lost();
  sentinel.node.on_resolved("db.example", "", sentinel.clock.now());
  CHECK(known_at("10.0.0.1"));
  link_lost();
  sentinel.node.on_resolved("db.example", "10.0.0.2", sentinel.clock.now());
  CHECK(known_at("10.0.0.2"));
  CHECK(!known_at("10.0.0.1"));
}

TEST_CASE("names are told as their IP, unless names are to be announced") {
  GlobalOptions options;
  options.resolve_hostnames = true;
  TestSentinel sentinel(options);
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL MONITOR n some.host 7000 1") == "OK");
  CHECK(client("SENTINEL GET-MASTER-ADDR-BY-NAME n") == "[some.host, 7000]");  // not known yet
  sentinel.node.on_resolved("some.host", "10.0.0.9", sentinel.clock.now());
  CHECK(client("SENTINEL GET-MASTER-ADDR-BY-NAME n") == "[10.0.0.9, 7000]");
  CHECK(client("INFO sentinel").find("address=10.0.0.9:7000") != std::string::npos);
  CHECK(client("SENTINEL CONFIG SET announce-hostnames yes") == "OK");
  CHECK(client("SENTINEL GET-MASTER-ADDR-BY-NAME n") == "[some.host, 7000]");
}

TEST_CASE("a refused login is told in INFO") {
  TestSentinel sentinel;
  Group& group = sentinel.watch("m");
  SentinelClient client(sentinel);
  CHECK(client("INFO sentinel").find("auth_refused") == std::string::npos);
  group.primary.contact->trouble = "WRONGPASS invalid username-password pair";
  CHECK(client("INFO sentinel").find("sentinels=1,auth_refused=1") != std::string::npos);
  group.primary.contact->trouble = "BUSY a script runs";
  CHECK(client("INFO sentinel").find("auth_refused") == std::string::npos);
}

TEST_CASE("a hello with a name for a host is taken where names are looked up, one with a wrong address nowhere") {
  TestSentinel sentinel;
  Group& group = sentinel.watch("m");
  SentinelClient client(sentinel);
  const auto hello = [&](const std::string& host) {
    return client("PUBLISH __sentinel__:hello " + host + ",7101," + std::string(40, 'a') + ",0,m,127.0.0.1,7000,0");
  };
  hello("some.host");
  CHECK(group.sentinels.empty());
  sentinel.monitor.options().resolve_hostnames = true;
  for (const char* host : {"1.2.3.4.5", "a;b", "a:b", "a%b", "-"}) hello(host);
  CHECK(group.sentinels.empty());
  hello("some.host");
  CHECK(group.sentinels.size() == 1);
}

TEST_CASE("the last INFO of a group is kept for those who ask") {
  TestSentinel sentinel;
  Group& group = sentinel.watch("m");
  sentinel.know_replica("m", 7001);
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL INFO-CACHE x") == "[]");
  CHECK(client("SENTINEL INFO-CACHE m m") == "[m, [[0, nil], [0, nil]]]");
  group.primary.info_text = "role:master";
  group.primary.info_at = sentinel.clock.now().instant;
  sentinel.clock.advance_ms(40);
  CHECK(client("SENTINEL INFO-CACHE m") == "[m, [[40, role:master], [0, nil]]]");
}

TEST_CASE("scripts that run or wait are listed") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL PENDING-SCRIPTS") == "[]");
  sentinel.state.scripts = [] { return std::vector<ScriptView>{{{"/bin/a", "x"}, true, 42, 7, 0, 1}, {{"/bin/b"}, false, 0, 0, 900, 2}}; };
  CHECK(client("SENTINEL PENDING-SCRIPTS") ==
        "[[argv, [/bin/a, x], flags, running, pid, 42, run-time, 7, retry-num, 1], [argv, [/bin/b], flags, scheduled, pid, 0, run-delay, "
        "900, retry-num, 2]]");
  CHECK(client("INFO sentinel").find("sentinel_running_scripts:1\\r\\nsentinel_scripts_queue_length:2\\r\\n") != std::string::npos);
}

}  // namespace vedette::sentinel::testing
