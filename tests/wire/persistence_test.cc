// Snapshots of a real process: what a restart, a kill and a failing disk leave behind.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/wire/connection.h"
#include "tests/wire/server_process.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string info(Connection& client, const std::string& field) {
  const std::string text = client("INFO persistence");
  const size_t at = text.find("\n" + field + ":");
  if (at == std::string::npos) return "absent";
  const size_t start = at + field.size() + 2;
  return text.substr(start, text.find('\r', start) - start);
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

size_t files_in(const std::filesystem::path& folder, const std::string& start) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.path().filename().string().starts_with(start);
  return count;
}

void fill(Connection& client, int keys, const std::string& value) {
  for (int i = 0; i < keys; i++) client.append({"SET", "key:" + std::to_string(i), value + std::to_string(i)});
  for (int i = 0; i < keys; i++) REQUIRE(client.receive() == "+OK");
}

bool all_hold(Connection& client, int keys, const std::string& value) {
  for (int i = 0; i < keys; i++) client.append({"GET", "key:" + std::to_string(i)});
  bool all = true;
  for (int i = 0; i < keys; i++) all &= client.receive() == "$" + value + std::to_string(i);
  return all;
}

void wait_for_save(Connection& client) {
  REQUIRE(eventually([&] { return info(client, "rdb_bgsave_in_progress") == "0"; }));
}

void limit_file_size(const ServerProcess& server, rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  REQUIRE(prlimit(server.pid(), RLIMIT_FSIZE, &limit, nullptr) == 0);
}

}  // namespace

TEST_CASE("what SAVE wrote is there after a kill and a start") {
  ServerProcess server;
  {
    Connection client(server.port());
    fill(client, 1000, "v");
    CHECK(client("SET expires soon PXAT 4000000000000") == "+OK");
    CHECK(client("SELECT 5") == "+OK");
    CHECK(client("SET number 12345") == "+OK");
    CHECK(info(client, "rdb_changes_since_last_save") == "1002");
    CHECK(client("SAVE") == "+OK");
    CHECK(info(client, "rdb_changes_since_last_save") == "0");
    CHECK(info(client, "rdb_saves") == "1");
    CHECK(client("SET lost 1") == "+OK");
  }
  server.kill_now();
  server.start_again();
  Connection client(server.port());
  CHECK(client("DBSIZE") == ":1001");
  CHECK(all_hold(client, 1000, "v"));
  CHECK(client("PEXPIRETIME expires") == ":4000000000000");
  CHECK(client("SELECT 5") == "+OK");
  CHECK(client("GET number") == "$12345");
  CHECK(client("DBSIZE") == ":1");
  CHECK(info(client, "rdb_last_load_keys_loaded") == "1002");
  CHECK(info(client, "loading") == "0");
}

TEST_CASE("BGSAVE under writes keeps the dataset of its start") {
  constexpr int kKeys = 20000;
  ServerProcess server({"--rdb-key-save-delay", "-50"});  // so that it takes at least 0.4 ms times the writes below
  {
    Connection client(server.port());
    fill(client, kKeys, "before");
    CHECK(client("BGSAVE") == "+Background saving started");
    CHECK(client("BGSAVE") == "-ERR Background save already in progress");
    CHECK(client("SAVE") == "-ERR Background save already in progress");
    fill(client, kKeys, "after");
    wait_for_save(client);
    CHECK(info(client, "rdb_last_bgsave_status") == "ok");
    CHECK(all_hold(client, kKeys, "after"));
  }
  server.kill_now();
  server.start_again();
  Connection client(server.port());
  CHECK(client("DBSIZE") == ":20000");
  CHECK(all_hold(client, kKeys, "before"));
}

TEST_CASE("a kill in the middle of a BGSAVE leaves the former file, and the next start tidies up") {
  ServerProcess server;
  {
    Connection client(server.port());
    fill(client, 2000, "former");
    CHECK(client("SAVE") == "+OK");
    const std::string former = bytes_of(server.folder() / "dump.rdb");
    fill(client, 2000, "newer");
    CHECK(client("CONFIG SET rdb-key-save-delay 100000") == "+OK");
    CHECK(client("BGSAVE") == "+Background saving started");
    REQUIRE(eventually([&] { return files_in(server.folder(), "temp-") == 1; }));
    CHECK(info(client, "rdb_bgsave_in_progress") == "1");
    CHECK(info(client, "current_save_keys_total") == "2000");
    server.kill_now();
    CHECK(bytes_of(server.folder() / "dump.rdb") == former);
    CHECK(files_in(server.folder(), "temp-") == 1);
  }
  server.start_again();
  CHECK(files_in(server.folder(), "temp-") == 0);
  Connection client(server.port());
  CHECK(all_hold(client, 2000, "former"));
}

TEST_CASE("BGSAVE CANCEL ends it and removes what was written") {
  ServerProcess server;
  Connection client(server.port());
  fill(client, 500, "v");
  CHECK(client("BGSAVE CANCEL") == "-ERR Background saving is currently not in progress or scheduled");
  CHECK(client("CONFIG SET rdb-key-save-delay 1000000") == "+OK");
  CHECK(client("BGSAVE") == "+Background saving started");
  REQUIRE(eventually([&] { return files_in(server.folder(), "temp-") == 1; }));
  CHECK(client("BGSAVE CANCEL") == "+Background saving cancelled");
  CHECK(eventually([&] { return files_in(server.folder(), "temp-") == 0; }));
  CHECK(files_in(server.folder(), "dump.rdb") == 0);
  CHECK(info(client, "rdb_last_bgsave_status") == "ok");
  CHECK(client("CONFIG SET rdb-key-save-delay 0") == "+OK");
  CHECK(eventually([&] { return client("BGSAVE") == "+Background saving started"; }));
  wait_for_save(client);
  CHECK(files_in(server.folder(), "dump.rdb") == 1);
}

TEST_CASE("a full disk leaves the former file, says why, and keeps the server from ending unsaved") {
  ServerProcess server;
  Connection client(server.port());
  CHECK(client("SET k former") == "+OK");
  CHECK(client("SAVE") == "+OK");
  const std::string former = bytes_of(server.folder() / "dump.rdb");
  for (int i = 0; i < 50; i++) client.call({"SETRANGE", "big" + std::to_string(i), "100000", std::to_string(i)});
  CHECK(client("CONFIG SET rdbcompression no") == "+OK");
  limit_file_size(server, 1 << 20);
  CHECK(contains(client("SAVE"), "File too large"));
  CHECK(client("BGSAVE") == "+Background saving started");
  wait_for_save(client);
  CHECK(info(client, "rdb_last_bgsave_status") == "err");
  CHECK(contains(server.log(), "Background saving error: cannot write " + (server.folder() / "temp-").string()));
  CHECK(contains(server.log(), "File too large"));
  CHECK(client("SHUTDOWN SAVE") == "-ERR Errors trying to SHUTDOWN. Check logs.");
  CHECK(client("PING") == "+PONG");
  CHECK(bytes_of(server.folder() / "dump.rdb") == former);
  CHECK(eventually([&] { return files_in(server.folder(), "temp-") == 0; }));
  limit_file_size(server, RLIM_INFINITY);
  CHECK(client("BGSAVE") == "+Background saving started");
  wait_for_save(client);
  CHECK(info(client, "rdb_last_bgsave_status") == "ok");
  CHECK(bytes_of(server.folder() / "dump.rdb").size() > 5000000);
  CHECK(client("SHUTDOWN SAVE") == "closed");
  CHECK(server.wait_for_exit() == 0);
}

TEST_CASE("while snapshots fail, writes are refused, reads are not, and the next success ends that") {
  ServerProcess server({"--save", "3600 1"});
  Connection client(server.port());
  CHECK(client("SET k v") == "+OK");
  std::filesystem::create_directory(server.folder() / "dump.rdb");
  CHECK(client("BGSAVE") == "+Background saving started");
  REQUIRE(eventually([&] { return client("SET k w").starts_with("-MISCONF Redis is configured to save RDB snapshots"); }));
  CHECK(client("GET k").starts_with("$"));
  CHECK(client("CONFIG SET stop-writes-on-bgsave-error no") == "+OK");
  CHECK(client("SET k x") == "+OK");
  CHECK(client("CONFIG SET stop-writes-on-bgsave-error yes") == "+OK");
  std::filesystem::remove(server.folder() / "dump.rdb");
  CHECK(client("BGSAVE") == "+Background saving started");
  CHECK(eventually([&] { return client("SET k y") == "+OK"; }));
}

TEST_CASE("a name that cannot be taken is an error too, which SHUTDOWN FORCE passes over") {
  ServerProcess server;
  std::filesystem::create_directory(server.folder() / "dump.rdb");
  Connection client(server.port());
  CHECK(client("SET k v") == "+OK");
  CHECK(contains(client("SAVE"), "cannot rename the finished snapshot"));
  CHECK(files_in(server.folder(), "temp-") == 0);
  CHECK(client("SHUTDOWN SAVE FORCE") == "closed");
  CHECK(server.wait_for_exit() == 0);
}

TEST_CASE("a second SIGINT ends the save before the end and leaves nothing of it; a second SIGTERM does not") {
  const std::string slow = "20000";  // microseconds a key
  for (const bool insists : {true, false}) {
    CAPTURE(insists);
    ServerProcess server({"--save", "900 1", "--rdb-key-save-delay", slow});
    {
      Connection client(server.port());
      fill(client, insists ? 1000 : 50, "v");
    }
    const std::string unfinished = "temp-" + std::to_string(server.pid()) + ".rdb";
    server.send_signal(SIGTERM);
    REQUIRE(eventually([&] { return files_in(server.folder(), unfinished) == 1; }));
    server.send_signal(insists ? SIGINT : SIGTERM);
    CHECK(server.wait_for_exit() == (insists ? 1 : 0));
    CHECK(contains(server.log(), "You insist... exiting now.") == insists);
    CHECK(files_in(server.folder(), "temp-") == 0);
    CHECK(files_in(server.folder(), "dump.rdb") == size_t(!insists));
  }
}

TEST_CASE("while the snapshot is loaded, clients are told so and see how far it is") {
  ServerProcess server;
  {
    Connection client(server.port());
    fill(client, 100, "v");
    CHECK(client("SAVE") == "+OK");
  }
  server.kill_now();
  {
    // 100 keys of 20 ms each: two seconds.
    ServerProcess slow({"--key-load-delay", "20000"});
    slow.kill_now();
    std::filesystem::copy_file(server.folder() / "dump.rdb", slow.folder() / "dump.rdb");
    slow.start_again(false);
    Connection client(slow.port());
    CHECK(client("GET key:1") == "-LOADING Redis is loading the dataset in memory");
    CHECK(info(client, "loading") == "1");
    CHECK(info(client, "async_loading") == "0");
    CHECK(info(client, "loading_total_bytes") == std::to_string(std::filesystem::file_size(slow.folder() / "dump.rdb")));
    CHECK(info(client, "loading_start_time") != "absent");
    CHECK(info(client, "loading_loaded_perc") != "absent");
    CHECK(info(client, "loading_eta_seconds") != "absent");
    CHECK(client("SAVE") == "-LOADING Redis is loading the dataset in memory");
    CHECK(!contains(slow.log(), "Ready to accept"));
    REQUIRE(eventually([&] { return info(client, "loading") == "0"; }));
    CHECK(all_hold(client, 100, "v"));
    CHECK(contains(slow.log(), "Ready to accept"));
    CHECK(info(client, "loading_total_bytes") == "absent");
  }
}

TEST_CASE("a snapshot that is not whole ends the start with its name and the place") {
  ServerProcess server;
  {
    Connection client(server.port());
    fill(client, 100, "v");
    CHECK(client("SAVE") == "+OK");
  }
  server.kill_now();
  const std::filesystem::path file = server.folder() / "dump.rdb";
  const std::string whole = bytes_of(file);
  std::string damaged = whole;
  damaged[whole.size() / 2] = char(damaged[whole.size() / 2] ^ 0x55);
  for (const std::string& bytes :
       {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1), damaged, std::string("REDIS00"), std::string()}) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    server.start_again(false);
    CHECK(server.wait_for_exit() == 1);
    CHECK(contains(server.log(), "Fatal error loading the DB: " + file.string()));
    CHECK(bytes_of(file) == bytes);
  }
  std::ofstream(file, std::ios::binary | std::ios::trunc) << whole;
  server.start_again();
  Connection client(server.port());
  CHECK(all_hold(client, 100, "v"));
}

TEST_CASE("a snapshot that cannot be opened ends the start") {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "dump.rdb");
  const Ended ended = run_to_end({"--port", std::to_string(free_port()), "--bind", "127.0.0.1", "--dir", folder.path().string()});
  CHECK(ended.exit_code == 1);
  const std::string last = ended.output.substr(ended.output.rfind('\n', ended.output.size() - 2) + 1);
  CHECK(contains(last, "Fatal error loading the DB: " + (folder.path() / "dump.rdb").string()));
}

TEST_CASE("a key without elements in a snapshot is passed over and counted") {
  using namespace std::string_literals;
  ServerProcess server;
  server.kill_now();
  std::ofstream(server.folder() / "dump.rdb", std::ios::binary)
      << "REDIS0010\xfe\x00\x02\x04gone\x00\x00\x01k\x01v\xff"s + std::string(8, '\0');
  server.start_again();
  Connection client(server.port());
  CHECK(client("DBSIZE") == ":1");
  CHECK(client("GET k") == "$v");
  CHECK(contains(server.log(), "skipping empty key: gone"));
  CHECK(contains(server.log(), "Done loading RDB, keys loaded: 1, keys expired: 0, empty keys skipped: 1."));
}

TEST_CASE("with save points, changes are saved in time, and SIGTERM and SHUTDOWN save at the end") {
  ServerProcess server({"--save", "1 5"});
  {
    Connection client(server.port());
    fill(client, 10, "v");
    CHECK(eventually([&] { return info(client, "rdb_changes_since_last_save") == "0"; }));
    CHECK(files_in(server.folder(), "dump.rdb") == 1);
    CHECK(client("SET late 1") == "+OK");
  }
  server.restart();
  {
    Connection client(server.port());
    CHECK(client("DBSIZE") == ":11");
    CHECK(client("FLUSHALL") == "+OK");
    wait_for_save(client);
    CHECK(client("SET only 1") == "+OK");
    CHECK(client("SHUTDOWN") == "closed");
  }
  CHECK(server.wait_for_exit() == 0);
  server.start_again();
  Connection client(server.port());
  CHECK(client("KEYS *") == "[$only]");
  CHECK(client("SHUTDOWN NOSAVE") == "closed");
  CHECK(server.wait_for_exit() == 0);
}

TEST_CASE("DEBUG RELOAD goes through the file and back") {
  ServerProcess server({"--enable-debug-command", "yes"});
  Connection client(server.port());
  fill(client, 300, "v");
  CHECK(client("SET e 1 PXAT 4000000000000") == "+OK");
  const std::string digest = client("DEBUG DIGEST");
  CHECK(client("DEBUG RELOAD") == "+OK");
  CHECK(client("DEBUG DIGEST") == digest);
  CHECK(client("SET e other") == "+OK");
  CHECK(client("SET more 1") == "+OK");
  CHECK(client("DEBUG RELOAD NOSAVE NOFLUSH") == "-ERR Error trying to load the RDB dump, check server logs");
  CHECK(contains(server.log(), "is there already"));
  CHECK(client("DEBUG RELOAD NOSAVE NOFLUSH MERGE") == "+OK");
  CHECK(client("GET e") == "$1");
  CHECK(client("GET more") == "$1");
  CHECK(client("DEBUG RELOAD WHAT") == "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
}

}  // namespace vedette::wire
