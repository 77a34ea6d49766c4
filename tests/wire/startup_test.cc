// What a server makes of a distribution's configuration, of the ways to give it one, and of a start that cannot be; and
// what it tells when it crashes or is stuck.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The lines that are in force in the configuration of Debian's package, its paths replaced by `folder`.
std::string distribution_lines(const std::string& folder) {
  return "bind 127.0.0.1 -::1\nprotected-mode yes\nport 6379\ntcp-backlog 511\ntimeout 0\ntcp-keepalive 300\n"
         "daemonize yes\npidfile " +
         folder + "/redis-server.pid\nloglevel notice\nlogfile " + folder +
         "/redis-server.log\ndatabases 16\nalways-show-logo no\nset-proc-title yes\n"
         "proc-title-template \"{title} {listen-addr} {server-mode}\"\nstop-writes-on-bgsave-error yes\n"
         "rdbcompression yes\nrdbchecksum yes\ndbfilename dump.rdb\nrdb-del-sync-files no\ndir " +
         folder +
         "\nreplica-serve-stale-data yes\nreplica-read-only yes\nrepl-diskless-sync yes\n"
         "repl-diskless-sync-delay 5\nrepl-diskless-sync-max-replicas 0\nrepl-diskless-load disabled\n"
         "repl-disable-tcp-nodelay no\nreplica-priority 100\nacllog-max-len 128\nlazyfree-lazy-eviction no\n"
         "lazyfree-lazy-expire no\nlazyfree-lazy-server-del no\nreplica-lazy-flush no\n"
         "lazyfree-lazy-user-del no\nlazyfree-lazy-user-flush no\noom-score-adj no\n"
         "oom-score-adj-values 0 200 800\ndisable-thp yes\nappendonly no\nappendfilename \"appendonly.aof\"\n"
         "appenddirname \"appendonlydir\"\nappendfsync everysec\nno-appendfsync-on-rewrite no\n"
         "auto-aof-rewrite-percentage 100\nauto-aof-rewrite-min-size 64mb\naof-load-truncated yes\n"
         "aof-use-rdb-preamble yes\naof-timestamp-enabled no\nslowlog-log-slower-than 10000\n"
         "slowlog-max-len 128\nlatency-monitor-threshold 0\nnotify-keyspace-events \"\"\n"
         "hash-max-listpack-entries 512\nhash-max-listpack-value 64\nlist-max-listpack-size -2\n"
         "list-compress-depth 0\nset-max-intset-entries 512\nzset-max-listpack-entries 128\n"
         "zset-max-listpack-value 64\nhll-sparse-max-bytes 3000\nstream-node-max-bytes 4096\n"
         "stream-node-max-entries 100\nactiverehashing yes\nclient-output-buffer-limit normal 0 0 0\n"
         "client-output-buffer-limit replica 256mb 64mb 60\nclient-output-buffer-limit pubsub 32mb 8mb 60\n"
         "hz 10\ndynamic-hz yes\naof-rewrite-incremental-fsync yes\nrdb-save-incremental-fsync yes\n"
         "jemalloc-bg-thread yes\n";
}

/// A datagram socket where a service manager would listen, named in the environment while it lives.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~ServiceManager() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  bool hears(const std::string& word) {
    return eventually([&] {
      char part[4096];
      const ssize_t n = recv(fd_, part, sizeof part, MSG_DONTWAIT);
      if (n > 0) heard_ += std::string(part, size_t(n)) + "\n";
      return contains(heard_, word);
    });
  }

 private:
  int fd_;
  std::string heard_;
};

}  // namespace

TEST_CASE("a distribution's configuration starts the server") {
  TemporaryFolder folder;
  const std::string file = folder.write("redis.conf", distribution_lines(folder.path().string()));
  ServerProcess server({"--daemonize", "no", "--logfile", ""}, file);
  Connection client(server.port());
  CHECK(client("PING") == "+PONG");
  CHECK(client("CONFIG GET dbfilename") == "[$dbfilename, $dump.rdb]");
  CHECK(std::filesystem::exists(folder.path() / "redis-server.pid"));
  CHECK_FALSE(contains(server.log(), "accepted and has no effect"));
}

TEST_CASE("the configuration may come from standard input, with options of the command line after it") {
  TemporaryFolder folder;
  folder.write("more.conf", "slowlog-max-len 31\n");
  ServerProcess server({"--include", (folder.path() / "more.conf").string()}, "-", "maxclients 77\nslowlog-max-len 5\n");
  Connection client(server.port());
  CHECK(client("CONFIG GET maxclients") == "[$maxclients, $77]");
  CHECK(client("CONFIG GET slowlog-max-len") == "[$slowlog-max-len, $31]");
  CHECK(client("CONFIG REWRITE") == "-ERR The server is running without a config file");
  const Ended refused = run_to_end({"-"}, "port 0\nbogus 1\n");
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.output, "standard input"));
  CHECK(contains(refused.output, "bogus 1"));
}

TEST_CASE("a line that is refused is named with its file, number and reason") {
  TemporaryFolder folder;
  const std::string file = folder.write("main.conf", "port 0\n# a comment\nhz fast\n");
  const Ended ended = run_to_end({file});
  CHECK(ended.exit_code == 1);
  CHECK(contains(ended.output, file));
  CHECK(contains(ended.output, "3"));
  CHECK(contains(ended.output, "hz fast"));
  CHECK(contains(ended.output, "argument couldn't be parsed into an integer"));
}

TEST_CASE("what cannot be opened or renamed is named, and the exit code is 1") {
  TemporaryFolder folder;
  const std::string missing = (folder.path() / "nofolder").string();
  const Ended log = run_to_end({"--port", "0", "--logfile", missing + "/log"});
  CHECK(log.exit_code == 1);
  CHECK(contains(log.output, missing + "/log"));
  const Ended dir = run_to_end({"--port", "0", "--dir", missing});
  CHECK(dir.exit_code == 1);
  CHECK(contains(dir.output, missing));
  const Ended rename = run_to_end({"--port", "0", "--rename-command", "NOSUCH", "OTHER"});
  CHECK(rename.exit_code == 1);
  CHECK(contains(rename.output, "rename-command NOSUCH OTHER: no such command"));
  const Ended processors = run_to_end({"--port", "0", "--server-cpulist", "3-1"});
  CHECK(processors.exit_code == 1);
  CHECK(contains(processors.output, "not a list of processors"));
  const Ended silent = run_to_end({"--port", "0"});
  CHECK(silent.exit_code == 1);
  CHECK(contains(silent.output, "nothing to listen on"));
}

TEST_CASE("a taken port is named in the log file, which lies in dir") {
  ServerProcess server;
  TemporaryFolder folder;
  const std::string port = std::to_string(server.port());
  const Ended second = run_to_end({"--port", port, "--bind", "127.0.0.1", "--dir", folder.path().string(), "--logfile", "own.log",
                                   "--always-show-logo", "yes", "--log-format", "logfmt", "--log-timestamp-format", "iso8601"});
  CHECK(second.exit_code == 1);
  CHECK(second.output.empty());
  const std::string log = content_of(folder.path() / "own.log");
  CHECK(contains(log, "Failed listening on port " + port + " (tcp), aborting."));
  CHECK_FALSE(contains(log, " PID: "));  // who waits for the banner would take the other server for this one
  CHECK(log.starts_with("pid="));
  CHECK(contains(log, " level=warning message=\""));
}

TEST_CASE("the banner tells port and process, and then the port is open") {
  ServerProcess server({"--always-show-logo", "yes"});
  const std::string log = server.log(), pid = std::to_string(server.pid());
  CHECK(contains(log, "Port: " + std::to_string(server.port())));
  const size_t banner = log.find(" PID: " + pid);
  CHECK(log.find("pid=" + pid) < banner);
  CHECK(banner < log.find("Server initialized"));
}

TEST_CASE("a service manager hears when the server is ready and when it stops") {
  TemporaryFolder folder;
  ServiceManager manager((folder.path() / "notify").string());
  {
    ServerProcess server({"--supervised", "systemd"});
    CHECK(manager.hears("READY=1"));
    Connection client(server.port());
    CHECK(contains(client("INFO server"), "process_supervised:systemd"));
  }
  CHECK(manager.hears("STOPPING=1"));
}

TEST_CASE("INFO tells of the listeners, the clock and the work of the loop") {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "socket").string();
  ServerProcess server({"--unixsocket", path, "--availability-zone", "north"});
  Connection client(server.port());
  const std::string info = client("INFO server");
  CHECK(contains(info, "listener0:name=tcp,bind=127.0.0.1,port=" + std::to_string(server.port())));
  CHECK(contains(info, "listener1:name=unix,bind=" + path));
  CHECK(contains(info, "availability_zone:north"));
  CHECK_FALSE(contains(info, "redis_build_id:\r"));
  CHECK(eventually([&] { return !contains(client("INFO stats"), "eventloop_duration_sum:0\r"); }));
  CHECK(client("CONFIG SET availability-zone south hz 30") == "+OK");
  CHECK(contains(client("INFO server"), "availability_zone:south"));
  CHECK(contains(client("INFO server"), "configured_hz:30"));
}

TEST_CASE("more connections than a turn accepts are all served") {
  ServerProcess server({"--max-new-connections-per-cycle", "1"});
  std::vector<std::unique_ptr<RawConnection>> clients;
  for (int i = 0; i < 50; i++) clients.push_back(std::make_unique<RawConnection>(server.port()));
  for (const auto& client : clients) client->send("PING\r\n");
  for (const auto& client : clients) CHECK(client->receive_line() == "+PONG");
}

TEST_CASE("a crash is reported in the log and ends the process by its signal") {
  for (const bool reported : {true, false}) {
    ServerProcess server({"--enable-debug-command", "yes", "--crash-log-enabled", reported ? "yes" : "no"});
    Connection client(server.port());
    CHECK_FALSE(contains(server.log(), "crashed by signal"));
    CHECK(client("DEBUG SEGFAULT") == "closed");
    CHECK(server.wait_for_exit() == 128 + SIGSEGV);
    for (const char* words : {"REDIS BUG REPORT START", "crashed by signal: 11", "STACK TRACE"})
      CHECK(contains(server.log(), words) == reported);
  }
}

TEST_CASE("a failed assertion aborts, or exits if it is told to") {
  for (const bool exits : {true, false}) {
    ServerProcess server({"--enable-debug-command", "yes", "--use-exit-on-panic", exits ? "yes" : "no"});
    Connection client(server.port());
    CHECK(client("DEBUG ASSERT") == "closed");
    CHECK(server.wait_for_exit() == (exits ? 1 : 128 + SIGABRT));
    CHECK(contains(server.log(), "STACK TRACE"));
    CHECK(contains(server.log(), "crashed by signal: 6") == !exits);
  }
}

TEST_CASE("the watchdog logs the stack of a loop that is stuck, and SIGALRM does at any time") {
  ServerProcess server({"--enable-debug-command", "yes"});
  Connection client(server.port());
  server.send_signal(SIGALRM);
  CHECK(eventually([&] { return contains(server.log(), "Received SIGALRM") && contains(server.log(), "STACK TRACE"); }));
  CHECK_FALSE(contains(server.log(), "WATCHDOG TIMER EXPIRED"));
  CHECK(client("CONFIG SET watchdog-period 200") == "+OK");
  CHECK(client("DEBUG SLEEP 0.6") == "+OK");
  CHECK(contains(server.log(), "--- WATCHDOG TIMER EXPIRED ---"));
  CHECK(client("CONFIG SET watchdog-period 0") == "+OK");
  CHECK(client("PING") == "+PONG");
}

TEST_CASE("a locale that there is not is refused") {
  ServerProcess server;
  Connection client(server.port());
  CHECK(contains(client("CONFIG SET locale-collate nosuch_LOCALE"), "Invalid locale name"));
  CHECK(client("CONFIG SET locale-collate C") == "+OK");
}

}  // namespace vedette::wire
