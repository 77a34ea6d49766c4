// What operators order.
#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>

#include "tests/session/sentinel/test_sentinel.h"

namespace vedette::sentinel::testing {
namespace {

bool has_line(const TestSentinel& sentinel, const std::string& line) {
  const auto& lines = sentinel.outside.state;
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

struct Exchange {
  std::string request, reply;
};
// `prefix`: comes before each request.
void check_replies(SentinelClient& client, const std::string& prefix, std::initializer_list<Exchange> exchanges) {
  for (const Exchange& exchange : exchanges) {
    CAPTURE(exchange.request);
    CHECK(client(prefix + exchange.request) == exchange.reply);
  }
}

}  // namespace

TEST_CASE("options of a primary are set, written, and then answered") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  client.send("SENTINEL SET m down-after-milliseconds 1234 quorum 3 rename-command config cfg");
  CHECK(client.take() == "");
  CHECK(has_line(sentinel, "down-after-milliseconds m 1234"));
  CHECK(has_line(sentinel, "monitor m 127.0.0.1 7000 3"));
  sentinel.write_state();
  CHECK(client.take() == "OK");
}

TEST_CASE("a wrong option of a primary is refused by name, and what stood before it holds") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  check_replies(client, "SENTINEL SET m ",
                {{"quorum", "(error) ERR wrong number of arguments for 'sentinel|set' command"},
                 {"quorum 0", "(error) ERR Invalid argument '0' for SENTINEL SET 'quorum'"},
                 {"quorum x", "(error) ERR Invalid argument 'x' for SENTINEL SET 'quorum'"},
                 {"foo 1", "(error) ERR Unknown option or number of arguments for SENTINEL SET 'foo'"},
                 {"down-after-milliseconds 5000 quorum 1 parallel-syncs",
                  "(error) ERR Unknown option or number of arguments for SENTINEL SET 'parallel-syncs'"},
                 {"rename-command a", "(error) ERR Unknown option or number of arguments for SENTINEL SET 'rename-command'"},
                 {"rename-command '' b", "(error) ERR Invalid argument '' for SENTINEL SET 'rename-command'"}});
  CHECK(client("SENTINEL SET m notification-script /bin/true")
            .starts_with("(error) ERR Reconfiguration of scripts path is denied for security"));
  // A password may be anything, and is one word of a line all the same.
  CHECK(client("SENTINEL SET m auth-pass \"a\\r\\nb\"") == "OK");
  CHECK(sentinel.monitor.find("m")->options.auth_pass == "a\r\nb");
  CHECK(has_line(sentinel, "auth-pass m \"a\\r\\nb\""));
  CHECK(client("SENTINEL SET m auth-pass secret") == "OK");
  CHECK(client("SENTINEL SET m auth-pass ''") == "OK");
  CHECK(sentinel.monitor.find("m")->options.down_after_ms == 5000);
}

TEST_CASE("primaries come and go") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL MONITOR a 127.0.0.1 6379 2") == "OK");
  CHECK(has_line(sentinel, "monitor a 127.0.0.1 6379 2"));
  check_replies(client, "SENTINEL MONITOR ",
                {{"a 127.0.0.1 6379 2", "(error) ERR Duplicate master name."},
                 {"b 127.0.0.1 x 1", "(error) ERR Invalid port"},
                 {"b 127.0.0.1 70000 1", "(error) ERR Invalid port number."},
                 {"b 127.0.0.1 1 0", "(error) ERR Quorum must be 1 or greater."},
                 {"b 127.0.0.1 1 99999999999", "(error) ERR Quorum must be 1 or greater."},
                 {"b 127.0.0.1 1 x", "(error) ERR Invalid quorum"},
                 {"b some.host 1 1", "(error) ERR Invalid IP address or hostname specified"},
                 {"b 127.0.0.1 1", "(error) ERR wrong number of arguments for 'sentinel|monitor' command"}});
  for (const char* name : {"\"a\\nb\"", "\"a b\"", "\"a,b\"", "''", "\"a\\x00\"", "\"a\\\"b\"", "\"a'b\"", "\"a\\\\b\""})
    CHECK_MESSAGE(client(std::string("SENTINEL MONITOR ") + name + " 127.0.0.1 1 1").starts_with("(error) ERR Invalid master name"), name);
  sentinel.monitor.options().resolve_hostnames = true;
  CHECK(client("SENTINEL MONITOR b some.host 1 1") == "OK");
  CHECK(client("SENTINEL MONITOR c \"some\\r\\nhost\" 1 1") == "(error) ERR Invalid IP address or hostname specified");
  CHECK(client("SENTINEL REMOVE a") == "OK");
  CHECK(client("SENTINEL REMOVE a") == "(error) ERR No such master with that name");
  CHECK(client("SENTINEL RESET b*") == "1");
  CHECK(client("SENTINEL RESET x*") == "0");
}

TEST_CASE("events of an order come after its reply, to all who listen") {
  TestSentinel sentinel;
  SentinelClient client(sentinel), listener(sentinel);
  listener("SUBSCRIBE +monitor");
  CHECK(client("HELLO 3").starts_with("[server"));
  client("PSUBSCRIBE *");
  client.send("SENTINEL MONITOR a 127.0.0.1 6379 2");
  sentinel.write_state();
  CHECK(client.take() == "OK");
  CHECK(client.take() == "[pmessage, *, +monitor, \"master a 127.0.0.1 6379 quorum 2\"]");
  CHECK(listener.take() == "[message, +monitor, \"master a 127.0.0.1 6379 quorum 2\"]");
}

TEST_CASE("a failover that cannot be is refused") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  check_replies(client, "SENTINEL FAILOVER m ",
                {{"", "(error) NOGOODSLAVE No suitable replica to promote"},
                 {"COORDINATED", "(error) NOGOODSLAVE No suitable replica to promote"},
                 {"x", "(error) ERR wrong number of arguments for 'sentinel|failover' command"},
                 {"COORDINATED x", "(error) ERR wrong number of arguments for 'sentinel|failover' command"}});
}

TEST_CASE("a member can be forgotten") {
  TestSentinel sentinel;
  sentinel.watch("m");
  sentinel.know_replica("m", 7001);
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL FORGET m 127.0.0.1:7002").starts_with("(error) ERR No such node"));
  CHECK(client("SENTINEL FORGET m 127.0.0.1:7000").starts_with("(error) ERR The primary cannot be forgotten"));
  CHECK(client("SENTINEL FORGET m 127.0.0.1:7001") == "OK");
  CHECK(client("SENTINEL REPLICAS m") == "[]");
}

TEST_CASE("the state is written on demand, and the answer waits for it") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  client.send("SENTINEL FLUSHCONFIG");
  CHECK(client.take() == "");
  sentinel.write_state();
  CHECK(client.take() == "OK");
}

TEST_CASE("a state that cannot be written is told, and told off again") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel), other(sentinel);
  client.send("SENTINEL FLUSHCONFIG");
  sentinel.fail_state();
  CHECK(sentinel.node.write_error() != "");
  CHECK(client.take() == "(error) ERR Failed to save config file. Check server logs.");
  other.send("INFO sentinel");
  CHECK(other.take().find("sentinel_state_write_error:disk full") != std::string::npos);
  other.send("SENTINEL FLUSHCONFIG");
  CHECK(other.take() == "");  // until the next attempt
  sentinel.clock.advance_ms(1001);
  sentinel.node.on_time(sentinel.clock.now());
  sentinel.write_state();
  CHECK(other.take() == "OK");
  CHECK(other("INFO sentinel").find("sentinel_state_write_error:") == std::string::npos);
}

TEST_CASE("an order that cannot be saved is an error, and holds") {
  const std::string failed = "(error) ERR Failed to save config file. Check server logs.";
  for (const char* order :
       {"SENTINEL SET m quorum 2", "SENTINEL MONITOR b 127.0.0.1 7001 1", "SENTINEL CONFIG SET announce-port 7", "SENTINEL REMOVE m"}) {
    CAPTURE(order);
    TestSentinel sentinel;
    sentinel.watch("m");
    SentinelClient client(sentinel);
    client.send(order);
    client.send("PING");  // waits behind it
    CHECK(client.take() == "");
    sentinel.fail_state();
    CHECK(client.take() == failed);
    sentinel.turn();
    CHECK(client.take() == "PONG");
    sentinel.clock.advance_ms(1001);
    sentinel.node.on_time(sentinel.clock.now());
    sentinel.write_state();
    CHECK(client.take() == "");
  }
  TestSentinel sentinel;
  Group& group = sentinel.watch("m");
  SentinelClient client(sentinel);
  client.send("SENTINEL SET m quorum 2");
  sentinel.fail_state();
  CHECK(client.take() == failed);
  sentinel.turn();
  CHECK(group.options.quorum == 2);
  // What is wrong needs no disk.
  client.send("SENTINEL SET m quorum x");
  CHECK(client.take() == "(error) ERR Invalid argument 'x' for SENTINEL SET 'quorum'");
}

TEST_CASE("a failure of an older state says nothing about an order that came later") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient one(sentinel), two(sentinel);
  one.send("SENTINEL SET m quorum 2");
  two.send("SENTINEL SET m quorum 3");
  sentinel.fail_state();
  CHECK(one.take() == "(error) ERR Failed to save config file. Check server logs.");
  CHECK(two.take() == "");
  sentinel.clock.advance_ms(1001);
  sentinel.node.on_time(sentinel.clock.now());
  sentinel.write_state();
  CHECK(two.take() == "OK");
}

TEST_CASE("a client that leaves while its order is being saved is forgotten") {
  TestSentinel sentinel;
  sentinel.watch("m");
  {
    SentinelClient client(sentinel);
    client.send("SENTINEL SET m quorum 2");
  }
  sentinel.fail_state();
  sentinel.turn();
}

TEST_CASE("where names are looked up no more, the state holds the addresses they stood for") {
  GlobalOptions options;
  options.resolve_hostnames = true;
  TestSentinel sentinel(options);
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL MONITOR m here.test 7000 1") == "OK");
  CHECK(client("SENTINEL CONFIG SET resolve-hostnames no").starts_with("(error) ERR Invalid value 'no'"));
  sentinel.node.on_resolved("here.test", "10.0.0.7", sentinel.clock.now());
  CHECK(client("SENTINEL CONFIG SET resolve-hostnames no") == "OK");
  const auto& state = sentinel.outside.state;
  CHECK(std::find(state.begin(), state.end(), "monitor m 10.0.0.7 7000 1") != state.end());
  CHECK(client("SENTINEL GET-MASTER-ADDR-BY-NAME m") == "[10.0.0.7, 7000]");
}

TEST_CASE("a primary by its name is watched when the name is known to stand for an address") {
  GlobalOptions options;
  options.resolve_hostnames = true;
  TestSentinel sentinel(options);
  std::function<void(const std::string&)> answer;
  int asked = 0;
  sentinel.state.resolve = [&](const std::string&, std::function<void(const std::string&)> done) { answer = std::move(done), asked++; };
  SentinelClient client(sentinel), other(sentinel);
  const auto go_on = [&] {
    REQUIRE(sentinel.executor.has_backlog());
    sentinel.executor.gather_backlog();
    sentinel.turn();
  };
  client.send("SENTINEL MONITOR m nowhere.test 7000 1");
  CHECK(client.take() == "");
  CHECK_FALSE(sentinel.executor.has_backlog());
  CHECK(other("PING") == "PONG");  // nobody else waits
  answer("");
  go_on();
  CHECK(client.take() == "(error) ERR Invalid IP address or hostname specified");
  CHECK(sentinel.monitor.groups().empty());

  client.send("SENTINEL MONITOR m here.test 7000 1");
  client.send("PING");
  answer("10.0.0.7");
  go_on();
  sentinel.write_state();
  CHECK(client.take() == "OK");
  CHECK(client.take() == "PONG");
  CHECK(client("SENTINEL GET-MASTER-ADDR-BY-NAME m") == "[10.0.0.7, 7000]");
  CHECK(asked == 2);
  // What is refused anyway asks nobody.
  CHECK(client("SENTINEL MONITOR k here.test 7000 0") == "(error) ERR Quorum must be 1 or greater.");
  CHECK(client("SENTINEL MONITOR k 127.0.0.1 7000 1") == "OK");
  CHECK(asked == 2);

  client.send_bytes("SENTINEL MONITOR n here.test 99999 1\r\n");  // inline: its words are not in the buffer
  answer("10.0.0.7");
  go_on();
  CHECK(client.take() == "(error) ERR Invalid port number.");
  auto leaving = std::make_unique<SentinelClient>(sentinel);
  leaving->send("SENTINEL MONITOR n here.test 7000 1");
  leaving.reset();
  answer("10.0.0.7");
  CHECK_FALSE(sentinel.executor.has_backlog());
  CHECK(sentinel.monitor.find("n") == nullptr);
}

TEST_CASE("a script that is not there is refused, unless scripts are denied at all") {
  TestSentinel sentinel;
  sentinel.watch("m");
  SentinelClient client(sentinel);
  sentinel.state.is_executable = [](const std::string& path) { return path == "/there"; };
  CHECK(client("SENTINEL SET m notification-script /nowhere").starts_with("(error) ERR Reconfiguration of scripts path is denied"));
  sentinel.monitor.options().deny_scripts_reconfig = false;
  check_replies(client, "SENTINEL SET m ",
                {{"notification-script /nowhere", "(error) ERR Notification script seems non existing or non executable"},
                 {"client-reconfig-script /nowhere", "(error) ERR Client reconfiguration script seems non existing or non executable"},
                 {"notification-script /there", "OK"},
                 {"notification-script ''", "OK"}});
}

TEST_CASE("names are looked up as long as one is watched") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  const std::string off = "SENTINEL CONFIG SET resolve-hostnames no";
  const std::string refused = "(error) ERR Invalid value 'no' to SENTINEL CONFIG SET 'resolve-hostnames'";
  CHECK(client("SENTINEL CONFIG SET resolve-hostnames yes") == "OK");
  CHECK(client("SENTINEL MONITOR m db.example 7000 1") == "OK");
  CHECK(client(off) == refused);
  CHECK(client("SENTINEL CONFIG GET resolve-hostnames") == "[resolve-hostnames, yes]");
  CHECK(client("SENTINEL REMOVE m") == "OK");
  CHECK(client(off) == "OK");
  sentinel.watch("m");
  CHECK(sentinel.monitor.configure({"known-replica", "m", "db2.example", "7001"}, sentinel.clock.now()));
  CHECK(client(off) == refused);
  CHECK(client("SENTINEL FORGET m db2.example:7001") == "OK");
  CHECK(client(off) == "OK");
}

TEST_CASE("options of the sentinel itself are told and set") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  const std::string wrong_form = "(error) ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.";
  for (const char* line :
       {"SENTINEL CONFIG GET", "SENTINEL CONFIG SET", "SENTINEL CONFIG GET a b", "SENTINEL CONFIG SET a", "SENTINEL CONFIG foo bar"})
    CHECK_MESSAGE(client(line) == wrong_form, line);
  CHECK(client("SENTINEL CONFIG") == "(error) ERR wrong number of arguments for 'sentinel|config' command");
  CHECK(client("SENTINEL CONFIG GET *") ==
        "[resolve-hostnames, no, announce-hostnames, no, announce-ip, \"\", announce-port, 0, sentinel-user, \"\", sentinel-pass, \"\"]");
  CHECK(client("SENTINEL CONFIG GET RESOLVE-HOSTNAMES") == "[resolve-hostnames, no]");
  CHECK(client("SENTINEL CONFIG GET nope") == "[]");
  CHECK(client("SENTINEL CONFIG SET nope 1") == "(error) ERR Invalid argument 'nope' to SENTINEL CONFIG SET");
  CHECK(client("SENTINEL CONFIG SET announce-port 500000") == "(error) ERR Invalid value '500000' to SENTINEL CONFIG SET 'announce-port'");
  CHECK(client("SENTINEL CONFIG SET resolve-hostnames maybe") ==
        "(error) ERR Invalid value 'maybe' to SENTINEL CONFIG SET 'resolve-hostnames'");
  CHECK(client("SENTINEL CONFIG SET announce-ip \"a\\nb\"").starts_with("(error) ERR Invalid value"));
  CHECK(client("SENTINEL CONFIG SET announce-ip \"a,b\"").starts_with("(error) ERR Invalid value"));
  CHECK(client("SENTINEL CONFIG SET announce-ip 1.2.3.4.5").starts_with("(error) ERR Invalid value"));
  CHECK(client("SENTINEL CONFIG SET sentinel-pass \"a\\nb\"") == "OK");
  CHECK(has_line(sentinel, "sentinel-pass \"a\\nb\""));
  CHECK(client("SENTINEL CONFIG SET sentinel-pass ''") == "OK");
  CHECK(client("SENTINEL CONFIG SET announce-ip 10.0.0.1") == "OK");
  CHECK(has_line(sentinel, "announce-ip 10.0.0.1"));
  CHECK(client("SENTINEL CONFIG SET loglevel debug") == "(error) ERR Invalid argument 'loglevel' to SENTINEL CONFIG SET");
  sentinel.state.log_level = [] { return std::string("notice"); };
  sentinel.state.set_log_level = [](std::string_view level) { return level == "debug"; };
  CHECK(client("SENTINEL CONFIG GET log*") == "[loglevel, notice]");
  CHECK(client("SENTINEL CONFIG SET loglevel debug") == "OK");
  CHECK(client("SENTINEL CONFIG SET loglevel loud") == "(error) ERR Invalid value 'loud' to SENTINEL CONFIG SET 'loglevel'");
}

TEST_CASE("periods are told and set") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(
      client("SENTINEL DEBUG") ==
      "[INFO-PERIOD, 10000, PING-PERIOD, 1000, ASK-PERIOD, 1000, PUBLISH-PERIOD, 2000, DEFAULT-DOWN-AFTER, 30000, DEFAULT-FAILOVER-TIMEOUT, "
      "180000, TILT-TRIGGER, 2000, TILT-PERIOD, 30000, SLAVE-RECONF-TIMEOUT, 10000, MIN-LINK-RECONNECT-PERIOD, 15000, ELECTION-TIMEOUT, 10000, "
      "SCRIPT-MAX-RUNTIME, 60000, SCRIPT-RETRY-DELAY, 30000]");
  CHECK(client("SENTINEL DEBUG info-period 500 ping-period 100") == "OK");
  CHECK(sentinel.monitor.periods().info == 500);
  CHECK(sentinel.monitor.periods().ping == 100);
  check_replies(client, "SENTINEL DEBUG ",
                {{"info-period", "(error) ERR Unknown option or number of arguments for SENTINEL DEBUG 'info-period'"},
                 {"info-period 0", "(error) ERR Invalid argument '0' for SENTINEL DEBUG 'info-period'"},
                 {"info-period x", "(error) ERR Invalid argument 'x' for SENTINEL DEBUG 'info-period'"},
                 {"info-period 99999999999999999", "(error) ERR Invalid argument '99999999999999999' for SENTINEL DEBUG 'info-period'"},
                 {"nope 5", "(error) ERR Unknown option or number of arguments for SENTINEL DEBUG 'nope'"}});
}

TEST_CASE("failures are simulated on demand") {
  TestSentinel sentinel;
  SentinelClient client(sentinel);
  CHECK(client("SENTINEL SIMULATE-FAILURE help") == "[crash-after-election, crash-after-promotion]");
  CHECK(client("SENTINEL SIMULATE-FAILURE foo") == "(error) ERR Unknown failure simulation specified");
  CHECK(client("SENTINEL SIMULATE-FAILURE crash-after-election CRASH-AFTER-PROMOTION") == "OK");
  CHECK(client("INFO sentinel").find("sentinel_simulate_failure_flags:3") != std::string::npos);
  CHECK(client("SENTINEL SIMULATE-FAILURE crash-after-election foo") == "(error) ERR Unknown failure simulation specified");
  CHECK(client("INFO sentinel").find("sentinel_simulate_failure_flags:1") != std::string::npos);
  CHECK(client("SENTINEL SIMULATE-FAILURE help") == "[crash-after-election, crash-after-promotion]");
  CHECK(client("INFO sentinel").find("sentinel_simulate_failure_flags:0") != std::string::npos);
  CHECK(client("SENTINEL SIMULATE-FAILURE crash-after-promotion") == "OK");
  CHECK_FALSE(sentinel.monitor.options().crash_after_election);
}

}  // namespace vedette::sentinel::testing
