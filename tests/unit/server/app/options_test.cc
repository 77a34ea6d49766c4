// Every option: its documentation in conf/vedette.conf, its text there and back, its bounds.
#include "server/app/options.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "common/base/text.h"

using namespace vedette;

namespace {

const std::string kDocumentation = std::string(VEDETTE_SOURCE_ROOT) + "/conf/vedette.conf";

struct Server {
  ServerOptions options;
  ConfigRegistry registry{server_option_groups(options, {})};

  std::string load(std::string_view text) {
    const auto problem = read_config_text(disk_reader(), "f", text, registry.loader());
    return problem ? problem->reason : "OK";
  }
  std::string set(std::string_view name, std::string_view value) {
    const Status status = registry.set({name, value}, {.protected_options = true});
    const std::string text = status ? "OK" : status.error().text();
    const size_t dash = text.find(" - ");
    return dash == std::string::npos ? text : text.substr(dash + 3);
  }
  std::string get(std::string_view name) {
    const auto pairs = registry.get({name});
    return pairs.size() == 1 ? pairs[0].second : "(absent)";
  }
  // What is left in `name` after an attempt to set it, or the reason for the refusal.
  std::string after(std::string_view name, std::string_view value) {
    const std::string reply = set(name, value);
    return reply == "OK" ? get(name) : reply;
  }
};

template <class Visit>
void each_option(const ConfigRegistry& registry, Visit visit) {
  for (const OptionGroup& group : registry.groups())
    for (const Option& option : group.options) visit(option);
}

}  // namespace

// To bring the file up to date: VEDETTE_WRITE_CONF=1 vedette-unit -tc="conf/vedette.conf*"
TEST_CASE("conf/vedette.conf is what the option table documents") {
  const std::string wanted = documented_configuration();
  if (std::getenv("VEDETTE_WRITE_CONF")) std::ofstream(kDocumentation) << wanted;
  const auto text = disk_reader().read(kDocumentation);
  REQUIRE(text);
  CHECK(*text == wanted);
}

TEST_CASE("conf/vedette.conf sets every option that is not hidden, once, to its default") {
  Server server;
  std::map<const Option*, std::string> before;
  each_option(server.registry, [&](const Option& option) { before[&option] = option.get(); });
  std::map<const Option*, int> seen;
  const auto problem = read_config_file(disk_reader(), kDocumentation, [&](const ConfigLine& line) {
    const Option* option = server.registry.find(line.words[0]);
    REQUIRE(option);
    CHECK(option->name == line.words[0]);
    seen[option] = 1;
    return server.registry.load(line);
  });
  CHECK_FALSE(problem);
  each_option(server.registry, [&](const Option& option) {
    CAPTURE(option.name);
    CHECK(option.get() == before[&option]);
    const bool is_written = !option.has(kOptionHidden) && !option.has(kOptionDirective) && !option.has(kOptionNotBuilt);
    CHECK(seen[&option] == int(is_written));
  });
  CHECK(server.registry.notices().empty());
}

TEST_CASE("every option says what it does, and why it does nothing if it does nothing") {
  Server server;
  each_option(server.registry, [](const Option& option) {
    CAPTURE(option.name);
    CHECK_FALSE(option.doc.empty());
    CHECK(option.doc.ends_with('.'));
    CHECK_FALSE(option.domain.empty());
    CHECK(option.default_value == option.get());
  });
}

TEST_CASE("what CONFIG GET prints, CONFIG SET and a file accept, and it then prints the same") {
  Server server;
  const auto check = [&](const Option& option) {
    if (option.flags & (kOptionDirective | kOptionNotBuilt)) return;
    CAPTURE(option.name);
    const std::string value = option.get();
    CHECK(option.set(option_words(option, value)));
    CHECK(option.get() == value);
    if (!option.has(kOptionImmutable)) CHECK(server.set(option.name, value) == "OK");
    CHECK(Server().load(option.name + " " + quoted(value)) == "OK");
    Server other;
    std::string file;
    for (const std::string& line : option.lines()) file += option.name + " " + line + "\n";
    CHECK(other.load(file) == "OK");
    CHECK(other.get(option.name) == value);
  };
  each_option(server.registry, check);
  CHECK(server.load("save 900 1\nsave 300 10\nbind 127.0.0.1 -::1\nclient-output-buffer-limit normal 1mb 2kb 3\n"
                    "notify-keyspace-events KEA\nmaxmemory-clients 5%\nmasterauth \"a b\"\nreplicaof host 7000\n"
                    "shutdown-on-sigterm save now\nlatency-tracking-info-percentiles 12.345 100\nunixsocketperm 770\n"
                    "oom-score-adj-values -5 0 7\nmaxmemory 100mb") == "OK");
  each_option(server.registry, check);
}

TEST_CASE("save points are pairs; lines of a file add up, an empty one starts again") {
  Server server;
  CHECK(server.get("save") == "3600 1 300 100 60 10000");
  CHECK(server.after("save", "900 1 60 100") == "900 1 60 100");
  CHECK(server.after("save", "") == "");
  CHECK(server.after("save", "1 0") == "1 0");
  for (std::string_view bad : {"900", "900  1", " 900 1", "900 1 ", "0 1", "1 -1", "x 1", " ", "\"\""})
    CHECK(server.after("save", bad) == "Invalid save parameters");
  const auto after = [](std::string_view text) {
    Server other;
    REQUIRE(other.load(text) == "OK");
    return other.get("save");
  };
  CHECK(after("save 900 1\nsave 300 10\nsave 60 5") == "900 1 300 10 60 5");
  CHECK(after("save 900 1\nsave \"\"\nsave 5 6") == "5 6");
  CHECK(after("save \"60 5\"\nsave \"30 5\"") == "60 5 30 5");
  CHECK(after("save 900 1 300 10") == "900 1 300 10");
}

TEST_CASE("output buffer limits change class by class") {
  Server server;
  const std::string name = "client-output-buffer-limit";
  const std::string rest = " slave 268435456 67108864 60 pubsub 33554432 8388608 60";
  CHECK(server.get(name) == "normal 0 0 0" + rest);
  CHECK(server.after(name, "normal 1kb 2mb 3") == "normal 1024 2097152 3" + rest);
  CHECK(server.after(name, "") == "normal 1024 2097152 3" + rest);
  CHECK(server.after(name, "replica 1 1 1 PUBSUB 2 2 2") == "normal 1024 2097152 3 slave 1 1 1 pubsub 2 2 2");
  CHECK(server.after(name, "master 1 1 1") == "Invalid client class specified in buffer limit configuration.");
  CHECK(server.after(name, "normal 1 1") == "Wrong number of arguments in buffer limit configuration.");
  CHECK(server.after(name, "normal 1 1 -1") == "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
}

TEST_CASE("event classes are printed in one order") {
  Server server;
  const std::string name = "notify-keyspace-events";
  CHECK(server.after(name, "KEA") == "AKE");
  CHECK(server.after(name, "g$lshzxetd") == "A");
  CHECK(server.after(name, "mEKxg$") == "g$xKEm");
  CHECK(server.after(name, "Kn") == "nK");
  CHECK(server.after(name, "") == "");
  CHECK(server.after(name, "nope!") == "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
}

TEST_CASE("special values are checked in the protocol's words") {
  Server server;
  CHECK(server.after("shutdown-on-sigterm", "SAVE FORCE") == "save force");
  CHECK(server.after("shutdown-on-sigterm", "default save") == "save");
  CHECK(server.after("shutdown-on-sigterm", "save nosave") == "shutdown options SAVE and NOSAVE can't be used simultaneously");
  CHECK(server.after("shutdown-on-sigterm", "") == "argument(s) must be one of the following: default, save, nosave, now, force");
  CHECK(server.after("oom-score-adj-values", "1 2") == "wrong number of arguments");
  CHECK(server.after("oom-score-adj-values", "0 2001 0") == "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
  CHECK(server.after("latency-tracking-info-percentiles", "50.000 1e1 99.9") == "50 10 99.9");
  CHECK(server.after("latency-tracking-info-percentiles", "nan") == "Invalid latency-tracking-info-percentiles parameters");
  CHECK(server.after("latency-tracking-info-percentiles", "101") ==
        "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
  CHECK(server.after("maxmemory-clients", "10%") == "10%");
  CHECK(server.after("maxmemory-clients", "0%") == "0");
  CHECK(server.after("maxmemory-clients", "1mb") == "1048576");
  CHECK(server.after("maxmemory-clients", "101%") == "percentage argument must be less or equal to 100");
  CHECK(server.after("maxmemory-clients", "-5") == "argument must be a memory or percent value");
  CHECK(server.after("hz", "0") == "1");
  CHECK(server.after("hz", "501") == "500");
  CHECK(server.after("bind", "a b c d e f g h i j k l m n o p q") == "Too many bind addresses specified.");
  CHECK(server.after("bind", "") == "");
  CHECK(server.after("dbfilename", "a/b") == "dbfilename can't be a path, just a filename");
  CHECK(server.after("proc-title-template", "{foo}") == "template format is invalid or contains unknown variables");
  CHECK(server.after("proc-title-template", "{title") == "template format is invalid or contains unknown variables");
  CHECK(server.after("cluster-announce-hostname", "a_b") == "Hostnames may only contain alphanumeric characters, hyphens or dots");
  CHECK(server.after("client-query-buffer-limit", "1") == "argument must be between 1048576 and 9223372036854775807 inclusive");
  CHECK(server.after("maxclients", "4294967296") == "argument must be between 1 and 4294967295 inclusive");
  CHECK(server.set("activedefrag", "yes") == "Active defragmentation cannot be enabled: Vedette does not move values");
  CHECK(server.get("activedefrag") == "no");
}

TEST_CASE("directives of a file that are not parameters") {
  Server server;
  CHECK(server.load("user alice on +@all\nuser bob off\nrename-command GET \"\"\nrename-command SET PUT") == "OK");
  CHECK(server.options.security.users.size() == 2);
  CHECK(server.options.security.renames == std::vector<CommandRename>{{"GET", ""}, {"SET", "PUT"}});
  CHECK(server.load("user alice off") ==
        "Error in user declaration 'alice': Duplicate user found. A user can only be defined once in config "
        "files");
  const std::string bad = "Bad directive or wrong number of arguments";
  for (std::string_view line :
       {"user", "rename-command GET", "rename-command A B C", "loadmodule", "nosuch 1", "a.b c", "list-max-ziplist-entries 1 2"})
    CHECK(server.load(line) == bad);
  CHECK(server.load("tls-protocols SSLv3").starts_with("'SSLv3' is no version"));
  CHECK(server.load("sentinel monitor x") == "sentinel directive while not in sentinel mode");
  CHECK(server.load("list-max-ziplist-entries 1") == "OK");
  CHECK(server.load("unixsocketperm 9") == "argument couldn't be parsed as an octal number");
  CHECK(server.load("unixsocketperm 7777") == "argument must be between 0 and 777 inclusive");
  CHECK(server.load("replicaof a abc") == "Invalid master port");
  CHECK(server.load("replicaof a") == "wrong number of arguments");
  CHECK(server.load("replicaof no one") == "OK");
}

TEST_CASE("what distributions and test suites put into a configuration is taken") {
  Server server;
  CHECK(server.load("bind 127.0.0.1 -::1\n"
                    "protected-mode yes\n"
                    "port 6379\n"
                    "tcp-backlog 511\n"
                    "timeout 0\n"
                    "tcp-keepalive 300\n"
                    "daemonize yes\n"
                    "pidfile /run/redis/redis-server.pid\n"
                    "loglevel notice\n"
                    "logfile /var/log/redis/redis-server.log\n"
                    "databases 16\n"
                    "always-show-logo no\n"
                    "set-proc-title yes\n"
                    "proc-title-template \"{title} {listen-addr} {server-mode}\"\n"
                    "stop-writes-on-bgsave-error yes\n"
                    "rdbcompression yes\n"
                    "rdbchecksum yes\n"
                    "dbfilename dump.rdb\n"
                    "rdb-del-sync-files no\n"
                    "replica-serve-stale-data yes\n"
                    "replica-read-only yes\n"
                    "repl-diskless-sync yes\n"
                    "repl-diskless-sync-delay 5\n"
                    "repl-diskless-sync-max-replicas 0\n"
                    "repl-diskless-load disabled\n"
                    "repl-disable-tcp-nodelay no\n"
                    "replica-priority 100\n"
                    "acllog-max-len 128\n"
                    "lazyfree-lazy-eviction no\n"
                    "lazyfree-lazy-expire no\n"
                    "lazyfree-lazy-server-del no\n"
                    "replica-lazy-flush no\n"
                    "lazyfree-lazy-user-del no\n"
                    "lazyfree-lazy-user-flush no\n"
                    "oom-score-adj no\n"
                    "oom-score-adj-values 0 200 800\n"
                    "disable-thp yes\n"
                    "appendonly no\n"
                    "appendfilename \"appendonly.aof\"\n"
                    "appenddirname \"appendonlydir\"\n"
                    "appendfsync everysec\n"
                    "no-appendfsync-on-rewrite no\n"
                    "auto-aof-rewrite-percentage 100\n"
                    "auto-aof-rewrite-min-size 64mb\n"
                    "aof-load-truncated yes\n"
                    "aof-use-rdb-preamble yes\n"
                    "aof-timestamp-enabled no\n"
                    "slowlog-log-slower-than 10000\n"
                    "slowlog-max-len 128\n"
                    "latency-monitor-threshold 0\n"
                    "notify-keyspace-events \"\"\n"
                    "hash-max-listpack-entries 512\n"
                    "hash-max-listpack-value 64\n"
                    "list-max-listpack-size -2\n"
                    "list-compress-depth 0\n"
                    "set-max-intset-entries 512\n"
                    "zset-max-listpack-entries 128\n"
                    "zset-max-listpack-value 64\n"
                    "hll-sparse-max-bytes 3000\n"
                    "stream-node-max-bytes 4096\n"
                    "stream-node-max-entries 100\n"
                    "activerehashing yes\n"
                    "client-output-buffer-limit normal 0 0 0\n"
                    "client-output-buffer-limit replica 256mb 64mb 60\n"
                    "client-output-buffer-limit pubsub 32mb 8mb 60\n"
                    "hz 10\n"
                    "dynamic-hz yes\n"
                    "aof-rewrite-incremental-fsync yes\n"
                    "rdb-save-incremental-fsync yes\n"
                    "jemalloc-bg-thread yes\n") == "OK");
  CHECK(server.registry.notices().empty());
  CHECK(server.load("slave-serve-stale-data yes\nslave-read-only no\nslaveof 127.0.0.1 7000\nrepl-ping-slave-period 5\n"
                    "hash-max-ziplist-entries 5\nlist-max-ziplist-size 4\nzset-max-ziplist-value 7\nlua-time-limit 9\n"
                    "min-slaves-to-write 1\nprimaryauth x\ncommandlog-execution-slower-than 3\nio-threads 4\n"
                    "server_cpulist 0-3\nmaxmemory 1GB\nMAXMEMORY-POLICY AllKeys-LRU\nenable-debug-command yes\n"
                    "propagation-error-behavior panic\nlogfile ''\ncluster-enabled yes\nloadmodule /x.so a b\n"
                    "log-format logfmt\nimport-mode yes\nset-max-listpack-entries 3\navailability-zone a") == "OK");
  CHECK(server.options.replication.primary_port == 7000);
  CHECK(server.options.memory.policy == EvictionChoice::kAllkeysLru);
  CHECK(server.options.observation.slowlog_log_slower_than_microseconds == 3);
  CHECK(server.registry.notices().size() == 4);
}

TEST_CASE("random values are taken or refused, and a refusal changes nothing") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Server server;
  const std::vector<std::string> pieces = {"yes", "no", "0",    "1",    "-1",     "100",  "1gb",    "5%",
                                           " ",   "\"", "save", "now",  "normal", "KEA",  "{title", "x",
                                           "\n",  "/",  "a b",  "99.9", "one",    "\xff", "always", "9223372036854775808"};
  for (int round = 0; round < 300; round++) {
    each_option(server.registry, [&](const Option& option) {
      if (option.flags & (kOptionDirective | kOptionNotBuilt)) return;
      std::string value;
      for (size_t n = random() % 5; n > 0; n--) value += (value.empty() || random() % 2 ? "" : " ") + pieces[random() % pieces.size()];
      CAPTURE(option.name);
      CAPTURE(value);
      const std::string before = option.get();
      const Status status = option.set(option_words(option, value));
      const std::string printed = option.get();
      if (!status) CHECK(printed == before);
      CHECK(option.set(option_words(option, printed)));
      CHECK(option.get() == printed);
    });
  }
  // Whatever came out, a file holds it.
  const std::string file = server.registry.rewritten("");
  Server other;
  CHECK(other.load(file) == "OK");
  each_option(server.registry, [&](const Option& option) {
    if (option.has(kOptionNotBuilt)) return;
    CAPTURE(option.name);
    CHECK(other.registry.find(option.name)->get() == option.get());
  });
  CHECK(other.registry.rewritten(file) == file);
}
