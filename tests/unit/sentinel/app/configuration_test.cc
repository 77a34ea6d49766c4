// From the lines of a configuration to the monitor, and the example that documents them.
#include "sentinel/app/configuration.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "common/base/text.h"
#include "sentinel/app/directives.h"

using namespace vedette;
using namespace vedette::sentinel;

namespace {

const std::string kDocumentation = std::string(VEDETTE_SOURCE_ROOT) + "/conf/sentinel.conf";
constexpr Now kNow{Instant{1000000000}, WallTime{1000000}};

struct Start {
  SentinelOptions options;
  ConfigRegistry registry{sentinel_option_groups(options)};
  Monitor monitor{std::string(40, 'a'), GlobalOptions{}, Rng(1)};

  // "OK", or "source:number: reason".
  std::string load(std::string_view text, const std::string& main_file = "f") {
    DirectiveReader reader(registry, main_file);
    auto problem = read_config_text(disk_reader(), "f", text, reader.sink());
    if (!problem) problem = reader.finish();
    if (!problem) problem = configure(monitor, reader.directives, kNow);
    state_file = reader.state_file;
    return problem ? problem->source + ":" + std::to_string(problem->number) + ": " + problem->reason : "OK";
  }
  std::string state_file;
};

std::string loaded(std::string_view text) { return Start().load(text); }

}  // namespace

TEST_CASE("directives count in any order: the primary may come last") {
  Start start;
  CHECK(start.load("sentinel down-after-milliseconds m 700\nport 7000\nsentinel known-replica m 10.0.0.2 6379\n"
                   "sentinel monitor m db.example 6379 2\nsentinel resolve-hostnames yes\n") == "OK");
  CHECK(start.options.network.port == 7000);
  Group* group = start.monitor.find("m");
  REQUIRE(group);
  CHECK(group->options.down_after_ms == 700);
  CHECK(group->replicas.size() == 1);
}

TEST_CASE("the output of clients is limited by class") {
  Start start;
  CHECK(start.load("client-output-buffer-limit pubsub 1mb 512kb 10\nclient-output-buffer-limit normal 5mb 0 0 slave 1 2 3\n") == "OK");
  const OutputBufferLimits& limits = start.options.network.output_buffer_limits;
  CHECK(limits[0].hard_bytes == 5 << 20);
  CHECK(limits[1].soft_seconds == 3);
  CHECK(limits[2].hard_bytes == 1 << 20);
  CHECK(limits[2].soft_bytes == 512 << 10);
  CHECK(limits[2].soft_seconds == 10);
  CHECK(loaded("client-output-buffer-limit nobody 1 2 3") == "f:1: Invalid client class specified in buffer limit configuration.");
  CHECK(loaded("client-output-buffer-limit pubsub 1 2") == "f:1: Wrong number of arguments in buffer limit configuration.");
  CHECK(loaded("client-output-buffer-limit pubsub 1 2 -3") ==
        "f:1: Error in hard, soft or soft_seconds setting in buffer limit configuration.");
}

TEST_CASE("options of servers are accepted and told of, what makes a server something else is refused") {
  Start start;
  CHECK(start.load(
            "repl-diskless-sync-delay 0\nenable-debug-command yes\nmasterauth secret\nhash-max-listpack-entries 10\nslave-priority 1\n") ==
        "OK");
  CHECK(start.registry.notices().size() == 5);
  CHECK(loaded("replicaof 127.0.0.1 6379").starts_with("f:1: "));
  CHECK(loaded("cluster-enabled yes").starts_with("f:1: "));
}

TEST_CASE("a refused line is named with its number and reason") {
  CHECK(loaded("port 1\nsentinel foo bar\n") == "f:2: Unrecognized sentinel configuration statement.");
  CHECK(loaded("sentinel foo\n") == "f:1: Unrecognized sentinel configuration statement.");
  CHECK(loaded("sentinel\n") == "OK");
  CHECK(loaded("\nsentinel down-after-milliseconds m 100\n") == "f:2: No such master with specified name.");
  CHECK(loaded("sentinel monitor m 127.0.0.1 1 0") == "f:1: Quorum must be 1 or greater.");
  CHECK(loaded("sentinel monitor m 127.0.0.1 70000 1") == "f:1: Invalid port number");
  CHECK(loaded("sentinel monitor m 127.0.0.1 1 1\nsentinel monitor m 127.0.0.1 1 1").starts_with("f:2: Duplicate master name"));
  CHECK(loaded("sentinel monitor m nosuch 1 1").starts_with("f:1: Can't resolve instance hostname."));
  CHECK(loaded("sentinel monitor m 127.0.0.1 1 1\nsentinel notification-script m /none/x") ==
        "f:2: Notification script seems non existing or non executable.");
  CHECK(loaded("sentinel monitor m 127.0.0.1 1 1\nsentinel client-reconfig-script m /none/x") ==
        "f:2: Client reconfiguration script seems non existing or non executable.");
  CHECK(loaded("sentinel myid abc") == "f:1: Malformed Sentinel id in myid option.");
  CHECK(loaded("nosuch 1") == "f:1: Bad directive or wrong number of arguments");
  CHECK(loaded("sentinel state-file") == "f:1: state-file needs a path");
}

TEST_CASE("a configuration that the protocol's own sentinel has written is taken") {
  Start start;
  CHECK(start.load("port 26379\ndaemonize no\nlogfile \"\"\ndir \"/tmp\"\nacllog-max-len 128\nsentinel deny-scripts-reconfig yes\n"
                   "sentinel monitor m1 127.0.0.1 6379 2\nlatency-tracking-info-percentiles 50 99 99.9\nprotected-mode no\n"
                   "user default on nopass sanitize-payload ~* &* +@all\n"
                   "sentinel myid 51fde8f200656ee64ceb8ae3e40ce60bbd2b731a\nsentinel config-epoch m1 3\nsentinel leader-epoch m1 3\n"
                   "sentinel current-epoch 3\nsentinel known-replica m1 127.0.0.1 6380\n"
                   "sentinel known-sentinel m1 127.0.0.1 26380 61fde8f200656ee64ceb8ae3e40ce60bbd2b731a\n") == "OK");
  CHECK(start.monitor.run_id() == "51fde8f200656ee64ceb8ae3e40ce60bbd2b731a");
  CHECK(start.monitor.current_epoch() == 3);
  CHECK(start.registry.notices().size() == 1);
  CHECK(start.options.security.users.size() == 1);
}

TEST_CASE("users of a configuration are tried against the sentinel's commands") {
  Start start;
  CHECK(start.load("user bob on >secret ~* &* +@all\nuser ann on nopass &__sentinel__:hello (+ping "
                   "+sentinel|myid) +subscribe\n") == "OK");
  REQUIRE(start.options.security.users.size() == 2);
  CHECK(start.options.security.users[1] ==
        OptionWords{"ann", "on", "nopass", "&__sentinel__:hello", "(+ping", "+sentinel|myid)", "+subscribe"});
  CHECK(loaded("port 1\nuser bob on\nuser bob off") ==
        "f:3: Error in user declaration 'bob': Duplicate user found. A user can only be defined once in "
        "config files");
  CHECK(loaded("user bob +get") == "f:1: Error in user declaration 'bob': +get: Unknown command or category name in ACL");
  CHECK(loaded("user bob <secret") ==
        "f:1: Error in user declaration 'bob': <: The password you are trying to remove from the user does "
        "not exist");
  CHECK(loaded("user bob (+ping") == "f:1: Error in user declaration 'bob': Unmatched parenthesis in selector definition.");
  CHECK(loaded("user \"b b\" on") == "f:1: Error in user declaration 'b b': Spaces not allowed in ACL usernames");
  CHECK(loaded("user") == "f:1: Bad directive or wrong number of arguments");
  CHECK(loaded("aclfile /etc/users.acl\nacllog-max-len 5\nacl-pubsub-default allchannels") == "OK");
}

TEST_CASE("what would be unsafe to pass over is refused") {
  CHECK(loaded("tls-port 0") == "OK");
  CHECK(loaded("rename-command PING PONG").starts_with("f:1: Bad directive or wrong number of arguments: a sentinel's own commands"));
}

TEST_CASE("directives outside of the main file need a state file") {
  CHECK(
      Start().load("sentinel monitor m 127.0.0.1 1 1", "other").starts_with("f:1: The state is written into the main configuration file"));
  Start start;
  CHECK(start.load("sentinel monitor m 127.0.0.1 1 1\nsentinel state-file /tmp/x", "other") == "OK");
  CHECK(start.state_file == "/tmp/x");
}

TEST_CASE("the saved state takes the place of what it overrules, and is refused by its own line") {
  const std::vector<Directive> configured = {
      {{"monitor", "m", "10.0.0.1", "1", "2"}, {.source = "f", .number = 4, .text = "sentinel monitor m 10.0.0.1 1 2"}}};
  const StateContent saved{{"monitor m 10.0.0.1 1 2"}, {"monitor m 10.0.0.2 1 2", "bogus m 1"}};
  Start start;
  const auto problem = configure(start.monitor, with_state(configured, saved, "/s"), kNow);
  REQUIRE(problem);
  CHECK(problem->source == "/s");
  CHECK(problem->number == 4);
  CHECK(start.monitor.find("m")->primary.address == Address{"10.0.0.2", 1});
  CHECK(with_state(configured, StateContent{}, "/s")[0].line.number == 4);
}

// To bring the file up to date: VEDETTE_WRITE_CONF=1 vedette-unit -tc="conf/sentinel.conf*"
TEST_CASE("conf/sentinel.conf is what the table of directives and the options document") {
  const std::string wanted = documented_configuration();
  if (std::getenv("VEDETTE_WRITE_CONF")) std::ofstream(kDocumentation) << wanted;
  const auto text = disk_reader().read(kDocumentation);
  REQUIRE(text);
  CHECK(*text == wanted);
}

TEST_CASE("conf/sentinel.conf starts a sentinel, with all options at their defaults") {
  Start start, untouched;
  std::string text = *disk_reader().read(kDocumentation);
  CHECK(start.load(text) == "OK");
  CHECK(start.state_file == "/var/lib/vedette/sentinel.state");
  CHECK(start.registry.notices().empty());
  for (size_t i = 0; i < start.registry.groups().size(); i++)
    for (size_t j = 0; j < start.registry.groups()[i].options.size(); j++) {
      const Option& option = start.registry.groups()[i].options[j];
      CAPTURE(option.name);
      CHECK(option.get() == option.default_value);
    }
  const Group* group = start.monitor.find("main");
  REQUIRE(group);
  CHECK(group->options.fast_evidence);
  CHECK(group->options.lease_ms == 0);
}

TEST_CASE("every directive of the monitor's state is documented, and its default is told right") {
  std::set<std::string> documented;
  for (const DirectiveDoc& doc : directive_docs()) documented.insert(std::string(doc.name));
  Start start;
  REQUIRE(
      start.load(
          "sentinel monitor m 10.0.0.1 1 1\nsentinel down-after-milliseconds m 1\nsentinel failover-timeout m 1\nsentinel parallel-syncs m 2\n"
          "sentinel master-reboot-down-after-period m 1\nsentinel lease-milliseconds m 1000\nsentinel forget-after-seconds m 1\n"
          "sentinel fast-evidence m yes\nsentinel auth-pass m x\nsentinel auth-user m x\nsentinel rename-command m A B\n"
          "sentinel deny-scripts-reconfig no\nsentinel resolve-hostnames yes\nsentinel announce-hostnames yes\nsentinel announce-ip 1.1.1.1\n"
          "sentinel announce-port 1\nsentinel sentinel-user x\nsentinel sentinel-pass x\nsentinel zone x\nsentinel known-replica m 10.0.0.2 1") ==
      "OK");
  for (const std::string& line : start.monitor.state_lines()) {
    std::string name = words_of(line)[0];
    if (name == "master-reboot-down-after-period") name = "primary-reboot-down-after-period";
    CAPTURE(name);
    CHECK(documented.contains(name));
  }
  // A directive that says its default leaves no line behind.
  for (const DirectiveDoc& doc : directive_docs()) {
    const std::string value(doc.initial.substr(0, doc.initial.find(' ')));
    const bool plain = value == "yes" || value == "no" || (!value.empty() && value.find_first_not_of("0123456789") == std::string::npos);
    if (!plain || doc.learned) continue;
    CAPTURE(doc.name);
    Start one;
    const std::string name(doc.name);
    REQUIRE(one.load("sentinel monitor m 10.0.0.1 1 1\nsentinel " + name + (is_global_directive(name) ? " " : " m ") + value) == "OK");
    for (const std::string& line : one.monitor.state_lines()) CHECK_FALSE(line.starts_with(name));
  }
}
