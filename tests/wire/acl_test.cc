// Users in the process: files, configurations, logins over sockets, replicas and their user.
#include <doctest/doctest.h>

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

constexpr const char* kHashOfP = "#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940";

}  // namespace

TEST_CASE("a file of users is read at the start, saved and loaded again") {
  TemporaryFolder folder;
  const std::string file = folder.write("users.acl", "user ann on >p ~a* +@all &*\nuser default on nopass ~* &* +@all\n");
  ServerProcess server({"--aclfile", file});
  Connection admin(server.port()), ann(server.port());
  CHECK(ann("AUTH ann p") == "+OK");
  CHECK(ann("GET b") == "-NOPERM this user has no permissions to access one of the keys used as arguments");
  CHECK(admin("ACL SETUSER bob on nopass +ping") == "+OK");
  CHECK(admin("ACL SAVE") == "+OK");
  CHECK(content_of(file) == "user ann on sanitize-payload " + std::string(kHashOfP) + " ~a* &* +@all\n" +
                                "user bob on nopass sanitize-payload resetchannels -@all +ping\n"
                                "user default on nopass sanitize-payload ~* &* +@all\n");
  folder.write("users.acl", "user ann on >p ~b* +@all &*\n");
  CHECK(admin("ACL LOAD") == "+OK");
  CHECK(ann("PING") == "closed");
  CHECK(admin("ACL USERS") == "[$ann, $default]");
  folder.write("users.acl", "user ann on >p ~b* +nosuch\nusr\n");
  CHECK(admin("ACL LOAD") == "-ERR " + file + ":1: Error in applying operation '+nosuch': Unknown command or category name in ACL. " +
                                 file +
                                 ":2 should start with user keyword followed by the username. WARNING: ACL errors detected, no "
                                 "change to the "
                                 "previously active ACL rules was performed");
  CHECK(admin("ACL USERS") == "[$ann, $default]");
}

TEST_CASE("a start with users that cannot be is refused") {
  TemporaryFolder folder;
  const std::string bad = folder.write("bad.acl", "user ann on\nuser ann off\n");
  const Ended twice = run_to_end({"--port", "0", "--unixsocket", (folder.path() / "s").string(), "--aclfile", bad});
  CHECK(twice.exit_code == 1);
  CHECK(contains(twice.output, "Aborting the start because of ACL errors: WARNING: Duplicate user 'ann' found on line 2."));
  const std::string missing = (folder.path() / "none.acl").string();
  const Ended none = run_to_end({"--port", "0", "--unixsocket", (folder.path() / "s").string(), "--aclfile", missing});
  CHECK(none.exit_code == 1);
  CHECK(contains(none.output, "opening file '" + missing + "': No such file or directory"));
  const std::string both = folder.write("both.conf",
                                        "port 0\nunixsocket " + (folder.path() / "s").string() + "\nuser ann on\naclfile " + bad + "\n");
  const Ended refused = run_to_end({both});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.output, "Users in the configuration and an ACL file (aclfile) besides"));
  const std::string wrong = folder.write("wrong.conf", "port 0\nuser ann on >secret +nosuch\n");
  const Ended line = run_to_end({wrong});
  CHECK(line.exit_code == 1);
  CHECK(contains(line.output, "Error in user declaration 'ann': +nosuch: Unknown command or category name in ACL"));
  const Ended duplicate = run_to_end({"--user", "foo", "--user", "foo"});
  CHECK(contains(duplicate.output, "Duplicate user"));
}

TEST_CASE("users of a configuration outlive CONFIG REWRITE and a restart") {
  TemporaryFolder folder;
  const std::string file = folder.write("main.conf", "# mine\nuser ann on >p ~a* (+get ~b) +set\nslowlog-max-len 5\n");
  ServerProcess server({}, file);
  {
    Connection admin(server.port());
    CHECK(admin("ACL SETUSER bob on nopass ~\"q +get") == "+OK");
    CHECK(admin("ACL SETUSER default -flushall") == "+OK");
    CHECK(admin("CONFIG REWRITE") == "+OK");
  }
  const std::string rewritten = content_of(file);
  CHECK(contains(rewritten, "# mine\nuser ann on sanitize-payload " + std::string(kHashOfP) +
                                " ~a* resetchannels -@all +set (~b resetchannels -@all +get)\nuser bob on "
                                "nopass sanitize-payload \"~\\\"q\" "
                                "resetchannels -@all +get\nuser default on nopass sanitize-payload ~* &* "
                                "+@all -flushall\nslowlog-max-len 5\n"));
  CHECK(!contains(rewritten, ">p"));
  server.restart();
  Connection admin(server.port());
  CHECK(admin("ACL USERS") == "[$ann, $bob, $default]");
  CHECK(admin("FLUSHALL") == "-NOPERM this user has no permissions to run the 'flushall' command");
  CHECK(admin("AUTH ann p") == "+OK");
  CHECK(admin("SET a1 x") == "+OK");
  CHECK(admin("GET b") == "nil");
}

TEST_CASE("a file without users keeps none after CONFIG REWRITE") {
  TemporaryFolder folder;
  const std::string file = folder.write("main.conf", "requirepass p\n");
  ServerProcess server({}, file);
  Connection admin(server.port());
  CHECK(admin("AUTH p") == "+OK");
  CHECK(admin("CONFIG REWRITE") == "+OK");
  CHECK(!contains(content_of(file), "user "));
  CHECK(admin("CONFIG SET requirepass q") == "+OK");
  CHECK(admin("AUTH p") == "-WRONGPASS invalid username-password pair or user is disabled.");
  CHECK(admin("AUTH q") == "+OK");
  CHECK(admin("CONFIG GET requirepass") == "[$requirepass, $q]");
  CHECK(admin("ACL SETUSER default nopass") == "+OK");
  CHECK(admin("CONFIG REWRITE") == "+OK");
  CHECK(contains(content_of(file), "user default on nopass sanitize-payload ~* &* +@all\n"));
}

TEST_CASE("options of access control can be changed") {
  ServerProcess server;
  Connection admin(server.port()), other(server.port());
  CHECK(admin("CONFIG SET acllog-max-len 2") == "+OK");
  for (const char* user : {"a", "b", "c"}) other(std::string("AUTH ") + user + " x");
  CHECK(contains(admin("ACL LOG"), "$username, $c"));
  CHECK(!contains(admin("ACL LOG"), "$username, $a"));
  CHECK(admin("CONFIG SET acl-pubsub-default allchannels") == "+OK");
  CHECK(admin("ACL SETUSER ann") == "+OK");
  CHECK(contains(admin("ACL LIST"), "$user ann off sanitize-payload &* -@all"));
  CHECK(contains(admin("CONFIG SET aclfile x"), "can't set immutable config"));
  CHECK(admin("CONFIG SET requirepass p maxclients x").starts_with("-ERR CONFIG SET failed"));
  CHECK(contains(admin("ACL LIST"), "$user default on nopass"));
}

TEST_CASE("a replica logs in as the user that it was given, which needs little") {
  ServerProcess primary;
  Connection admin(primary.port());
  CHECK(admin("ACL SETUSER copier on >p +psync +replconf +ping") == "+OK");
  CHECK(admin("ACL SETUSER default >q") == "+OK");
  CHECK(admin("SET k v") == "+OK");
  ServerProcess replica({"--masteruser", "copier", "--masterauth", "p", "--replicaof", "127.0.0.1", std::to_string(primary.port())});
  Connection copy(replica.port());
  CHECK(eventually([&] { return copy("GET k") == "$v"; }));
  CHECK(contains(admin("CLIENT LIST TYPE replica"), "user=copier"));
  CHECK(contains(copy("CLIENT LIST TYPE master"), "user=(superuser)"));
  // Without its user it is sent away, and cannot come back.
  CHECK(admin("ACL DELUSER copier") == ":1");
  CHECK(eventually([&] { return contains(copy("INFO replication"), "master_link_status:down"); }));
  CHECK(admin("SET k w") == "+OK");
  CHECK(admin("ACL SETUSER copier on >p +replconf +ping") == "+OK");
  CHECK(eventually([&] { return contains(admin("ACL LOG"), "$object, $psync"); }));
  CHECK(copy("GET k") == "$v");
  CHECK(admin("ACL SETUSER copier +psync") == "+OK");
  CHECK(eventually([&] { return copy("GET k") == "$w"; }));
}

TEST_CASE("who has not logged in cannot make the server keep much for it") {
  ServerProcess server({"--requirepass", "secret"});
  RawConnection stranger(server.port());
  // Errors that are not read stop what follows from being executed.
  const std::string attempts = [] {
    std::string many;
    for (int i = 0; i < 1000; i++) many += request({"AUTH", "user" + std::to_string(i), std::string(100, 'x')});
    return many;
  }();
  for (int i = 0; i < 200; i++) stranger.send_some(attempts);
  Connection admin(server.port());
  CHECK(admin("AUTH secret") == "+OK");
  const auto largest_client = [&] {
    const std::string list = admin("CLIENT LIST");
    size_t largest = 0;
    for (size_t at = 0; (at = list.find("tot-mem=", at)) != std::string::npos; at++)
      largest = std::max<size_t>(largest, std::stoul(list.substr(at + 8)));
    return largest;
  };
  for (int i = 0; i < 50; i++) {
    stranger.send_some(attempts);
    CHECK(largest_client() < 300'000);
  }
  CHECK(contains(admin("ACL LOG"), "$reason, $auth"));
}

TEST_CASE("before a login requests are small, and nothing but a login is heard") {
  ServerProcess server({"--requirepass", "secret"});
  const auto sole_answer = [&](const std::string& bytes) {
    RawConnection stranger(server.port());
    stranger.send(bytes);
    return stranger.receive_until_closed();
  };
  CHECK(sole_answer("*11\r\n") == "-ERR Protocol error: unauthenticated multibulk length\r\n");
  CHECK(sole_answer("*2\r\n$4\r\nAUTH\r\n$16385\r\n") == "-ERR Protocol error: unauthenticated bulk length\r\n");
  CHECK(sole_answer(std::string(70000, 'x')) == "-ERR Protocol error: too big inline request\r\n");

  Connection stranger(server.port());
  Arguments largest(10, std::string(16384, 'k'));
  largest[0] = "DEL";
  CHECK(stranger.call(largest) == "-NOAUTH Authentication required.");
  for (const char* line :
       {"GET k", "CLIENT ID", "CLIENT SETNAME x", "CLIENT KILL ID 1", "COMMAND", "CONFIG GET port", "INFO", "MULTI", "SUBSCRIBE a",
        "MONITOR", "PSYNC ? -1", "SYNC", "REPLCONF capa eof", "ACL WHOAMI", "ACL GENPASS", "SHUTDOWN", "EVAL return 0", "PING", "ECHO x"}) {
    CAPTURE(line);
    CHECK(contains(stranger(line), "NOAUTH Authentication required."));
  }
  CHECK(contains(stranger("HELLO 3 SETNAME x"), "NOAUTH HELLO must be called"));
  CHECK(contains(stranger("HELLO 3 AUTH default wrong SETNAME x"), "WRONGPASS"));
  CHECK(stranger("AUTH secret") == "+OK");
  CHECK(contains(stranger("CLIENT INFO"), " name= "));
  CHECK(contains(stranger("CLIENT INFO"), " resp=2 "));
  largest.resize(20, "k");
  CHECK(stranger.call(largest) == ":0");
  CHECK(stranger("RESET") == "+RESET");
  CHECK(stranger("PING") == "-NOAUTH Authentication required.");
}

TEST_CASE("a stranger's pipeline is answered in order, and its logins fill the log to its bound") {
  ServerProcess server({"--requirepass", "secret", "--acllog-max-len", "50"});
  RawConnection stranger(server.port());
  Connection admin(server.port());
  CHECK(admin("AUTH secret") == "+OK");
  std::string many;
  for (int i = 0; i < 2000; i++) many += i % 2 ? "GET k\r\n" : "AUTH no\r\n";
  CHECK(stranger.send(many));
  CHECK(admin("PING") == "+PONG");
  for (int i = 0; i < 2000; i++) REQUIRE(stranger.receive_line().starts_with(i % 2 ? "-NOAUTH" : "-WRONGPASS"));
  for (int i = 0; i < 100; i++) {
    REQUIRE(stranger.send(request({"AUTH", std::to_string(i) + std::string(16000, 'u'), std::string(16384, 'p')})));
    REQUIRE(stranger.receive_line().starts_with("-WRONGPASS"));
  }
  const std::string log = admin("ACL LOG 1000");
  CHECK(contains(log, "$99uuu"));
  CHECK(contains(log, "$50uuu"));
  CHECK(!contains(log, "$49uuu"));
  CHECK(log.size() < 50 * 2048);
}

}  // namespace vedette::wire
