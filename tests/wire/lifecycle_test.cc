// How a server starts and ends: command line, configuration file, addresses, signals, SHUTDOWN.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("SIGTERM and SIGINT end the server in order") {
  for (int signal : {SIGTERM, SIGINT}) {
    CAPTURE(signal);
    ServerProcess server;
    Connection client(server.port());
    CHECK(client("SET k v") == "+OK");
    server.send_signal(signal);
    CHECK(server.wait_for_exit() == 0);
    CHECK(contains(server.log(), "ready to exit, bye bye"));
    CHECK(client("PING") == "closed");
  }
}

TEST_CASE("SHUTDOWN ends the server and its clients") {
  ServerProcess server;
  Connection client(server.port()), other(server.port());
  CHECK(client("SHUTDOWN WRONG") == "-ERR syntax error");
  CHECK(client("SHUTDOWN ABORT") == "-ERR No shutdown in progress.");
  CHECK(client("SHUTDOWN NOSAVE") == "closed");
  CHECK(server.wait_for_exit() == 0);
  CHECK(other("PING") == "closed");
}

TEST_CASE("the readiness line is written once and tells the pid") {
  ServerProcess server;
  const std::string log = server.log();
  const size_t first = log.find("Ready to accept");
  REQUIRE(first != std::string::npos);
  CHECK(log.find("Ready to accept", first + 1) == std::string::npos);
  CHECK(contains(log, std::to_string(server.pid()) + ":M "));
}

TEST_CASE("a mistake in the configuration ends the start with exit code 1 and its reason") {
  TemporaryFolder folder;
  const std::string file = folder.write("bad.conf", "port 0\n\nnosuchoption 5\n");
  const Ended unknown = run_to_end({file});
  CHECK(unknown.exit_code == 1);
  CHECK(contains(unknown.output, "Bad directive or wrong number of arguments"));
  CHECK(contains(unknown.output, "nosuchoption 5"));
  CHECK(contains(unknown.output, "3"));
  const Ended malformed = run_to_end({"--port", "abc"});
  CHECK(malformed.exit_code == 1);
  CHECK(contains(malformed.output, "argument couldn't be parsed into an integer"));
  const Ended absent = run_to_end({(folder.path() / "absent.conf").string()});
  CHECK(absent.exit_code == 1);
}

TEST_CASE("a port that is taken ends the start with exit code 1") {
  ServerProcess server;
  const Ended second = run_to_end({"--port", std::to_string(server.port()), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"});
  CHECK(second.exit_code == 1);
  CHECK(contains(second.output, "Failed listening on port"));
}

TEST_CASE("the kernel hears whom to kill first, by role, until nothing is asked for any more") {
  ServerProcess server;
  Connection client(server.port());
  const auto score = [&] {
    int value = -2000;
    std::ifstream("/proc/" + std::to_string(server.pid()) + "/oom_score_adj") >> value;
    return value;
  };
  const int found = score();
  REQUIRE(found >= -1000);
  CHECK(client.call({"CONFIG", "SET", "oom-score-adj", "relative", "oom-score-adj-values", "10 20 30"}) == "+OK");
  CHECK(score() == std::min(1000, found + 10));
  CHECK(client("REPLICAOF 127.0.0.1 1") == "+OK");
  CHECK(score() == std::min(1000, found + 20));
  CHECK(client("REPLICAOF NO ONE") == "+OK");
  CHECK(score() == std::min(1000, found + 10));
  CHECK(client("CONFIG SET oom-score-adj no") == "+OK");
  CHECK(score() == found);
  CHECK(client.call({"CONFIG", "SET", "oom-score-adj", "absolute", "oom-score-adj-values", "1000 1500 0"}) == "+OK");
  CHECK(score() == 1000);
  CHECK(client("REPLICAOF 127.0.0.1 1") == "+OK");
  CHECK(score() == 1000);
}

TEST_CASE("--version prints a line and ends") {
  const Ended version = run_to_end({"--version"});
  CHECK(version.exit_code == 0);
  CHECK(contains(version.output, "v="));
}

TEST_CASE("a configuration file, its includes and the command line are read in this order") {
  TemporaryFolder folder;
  folder.write("part-a.conf", "maxclients 123\ntimeout 7\n");
  const std::string file = folder.write("main.conf",
                                        "# a comment\ntimeout 5\ninclude " + (folder.path() / "part-*.conf").string() + "\nhz 20\n");
  ServerProcess server({"--hz", "30"}, file);
  Connection client(server.port());
  CHECK(client("CONFIG GET maxclients") == "[$maxclients, $123]");
  CHECK(client("CONFIG GET timeout") == "[$timeout, $7]");
  CHECK(client("CONFIG GET hz") == "[$hz, $30]");
}

TEST_CASE("CONFIG REWRITE keeps comments and survives a restart") {
  TemporaryFolder folder;
  const std::string file = folder.write("server.conf", "# the first comment\ntimeout 5\n\n# the second\nhz 20\n");
  ServerProcess server({}, file);
  {
    Connection client(server.port());
    CHECK(client("CONFIG SET timeout 77 maxclients 321") == "+OK");
    CHECK(client("CONFIG SET timeout 99 maxclients wrong").starts_with("-ERR CONFIG SET failed"));
    CHECK(client("CONFIG GET timeout") == "[$timeout, $77]");
    CHECK(client("CONFIG REWRITE") == "+OK");
  }
  std::ostringstream rewritten;
  rewritten << std::ifstream(file).rdbuf();
  CHECK(rewritten.str().starts_with("# the first comment\ntimeout 77\n\n# the second\nhz 20\n"));
  server.restart();
  Connection client(server.port());
  CHECK(client("CONFIG GET timeout") == "[$timeout, $77]");
  CHECK(client("CONFIG GET maxclients") == "[$maxclients, $321]");
  CHECK(client("CONFIG GET hz") == "[$hz, $20]");
}

TEST_CASE("a unix socket serves like a port, with its permissions") {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "socket").string();
  ServerProcess server({"--unixsocket", path, "--unixsocketperm", "700"});
  Connection local(path), remote(server.port());
  CHECK(local("SET k v") == "+OK");
  CHECK(remote("GET k") == "$v");
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("several addresses are served, and an optional one that is not there is passed over") {
  ServerProcess server({"--bind", "127.0.0.1 127.0.0.2 -192.0.2.1"});
  RawConnection second(server.port(), "127.0.0.2");
  second.send("PING\r\n");
  CHECK(second.receive_line() == "+PONG");
  const Ended mandatory = run_to_end({"--port", std::to_string(free_port()), "--bind", "192.0.2.1", "--save", "", "--dir", "/tmp"});
  CHECK(mandatory.exit_code == 1);
}

TEST_CASE("a pid file lives as long as the server") {
  TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "server.pid";
  {
    ServerProcess server({"--pidfile", path.string()});
    CHECK(eventually([&] { return std::filesystem::exists(path); }));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a server that is killed frees its port for the next") {
  ServerProcess server;
  Connection client(server.port());
  server.send_signal(SIGKILL);
  CHECK(server.wait_for_exit() == 128 + SIGKILL);
  CHECK(client("PING") == "closed");
}

}  // namespace vedette::wire
