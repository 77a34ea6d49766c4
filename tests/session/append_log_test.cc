// The append-only file as a whole: what is logged, what is loaded of it, whole, torn and damaged, and
// rewrites; on a disk in memory. A model test runs random commands and cuts the log at every byte of its end.
#include "server/execution/append_log.h"

#include <doctest/doctest.h>

#include "server/execution/append_loader.h"
#include "server/execution/snapshots.h"
#include "server/store/digest.h"
#include "tests/session/test_server.h"
#include "tests/support/memory_files.h"
#include "tests/unit/seed.h"

namespace vedette::testing {
namespace {

constexpr const char* kFolder = "/data/aofdir/";

// A server with a log on `disk`.
struct Logged {
  explicit Logged(MemoryFiles& files, uint64_t seed = 1) : disk(files), server(seed), snapshots(server.state), log(server.state, files) {
    server.state.snapshots = &snapshots;
    server.state.append_log = &log;
    log.place = [] { return place(); };
    log.position = [this]() -> std::optional<ReplPosition> {
      if (replid.empty()) return std::nullopt;
      return ReplPosition{replid, offset};
    };
  }
  ~Logged() {
    if (log.state() != AppendLog::State::kOff) log.turn_off();
    disk.run_all();
    server.turn();
  }

  static AppendPlace place() { return {"/data", "aofdir", "a.aof"}; }

  /// Loads what is on the disk, as at the start of a process.
  Status load() {
    AppendSet set(disk, place());
    if (Status status = set.read(); !status) return status;
    AppendLoader loader(server.state, server.executor, disk, set);
    if (Status status = loader.open(); !status) return status;
    for (bool more = true; more;) {
      const Result<bool> slice = loader.run_slice(1000000);
      if (!slice) return slice.error();
      more = *slice;
    }
    position = loader.position();
    position_is_exact = loader.position_is_exact();
    return log.begin(std::move(set), loader.base_bytes(), loader.all_bytes());
  }
  /// The end of a turn.
  void flush() { log.flush(server.executor.now()); }
  void finish_rewrite() {
    for (int i = 0; i < 1000 && (log.rewriting() || disk.jobs()); i++) {
      if (snapshots.ready()) snapshots.run_slice(server.executor.now(), 1000);
      disk.run_one();
    }
  }
  std::string digest() { return to_hex(dataset_digest(server.state.keyspace)); }

  MemoryFiles& disk;
  TestServer server;
  Snapshots snapshots;
  AppendLog log;
  std::string replid;
  uint64_t offset = 0;
  std::optional<AppendPosition> position;
  bool position_is_exact = false;
};

std::string digest_after_load(MemoryFiles& disk, std::string* error = nullptr) {
  Logged loaded(disk, 2);
  Status status = loaded.load();
  if (!status) {
    if (error) *error = status.error().text();
    return "";
  }
  return loaded.digest();
}

}  // namespace

TEST_CASE("a log begins with a manifest and an increment, and holds each change as replicas see it") {
  MemoryFiles disk;
  Logged logged(disk);
  REQUIRE(logged.load().is_ok());
  CHECK(disk[std::string(kFolder) + "a.aof.manifest"] == "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n");
  TestClient client(logged.server);
  client("SET k v EX 10");
  client("GET k");
  logged.flush();
  CHECK(disk[std::string(kFolder) + "a.aof.1.incr.aof"] ==
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$4\r\nPXAT\r\n$"
        "13\r\n1700000010000\r\n");
}

TEST_CASE("what belongs together stands between MULTI and EXEC; what is for replicas alone does not stand there") {
  MemoryFiles disk;
  Logged logged(disk);
  REQUIRE(logged.load().is_ok());
  TestClient client(logged.server);
  client("MULTI");
  client("INCR a");
  client("SELECT 3");
  client("INCR b");
  client("EXEC");
  client("PUBLISH channel text");
  logged.flush();
  CHECK(disk[std::string(kFolder) + "a.aof.1.incr.aof"] ==
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"
        "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n*1\r\n$4\r\nEXEC\r\n");
}

TEST_CASE("times are noted once a second, if wanted") {
  MemoryFiles disk;
  Logged logged(disk);
  logged.server.state.settings.append_log.timestamps = true;
  REQUIRE(logged.load().is_ok());
  TestClient client(logged.server);
  client("SELECT 1");
  client("SET a 1");
  client("SET a 2");
  logged.server.advance_ms(1000);
  client("SET a 3");
  logged.flush();
  const std::string& text = disk[std::string(kFolder) + "a.aof.1.incr.aof"];
  CHECK(text.starts_with("#TS:1700000000\r\n*2\r\n$6\r\nSELECT"));
  CHECK(text.find("$1\r\n2\r\n#TS:1700000001\r\n*3") != text.npos);
  CHECK(digest_after_load(disk) == logged.digest());
}

TEST_CASE("each flush tells where replication stands, and a restart knows it") {
  MemoryFiles disk;
  {
    Logged logged(disk);
    REQUIRE(logged.load().is_ok());
    logged.replid = std::string(40, 'c');
    logged.offset = 100;
    TestClient client(logged.server);
    client("SET a 1");
    logged.flush();
    disk.run_all();
    logged.flush();  // nothing new: nothing is told
    logged.offset = 200;
    client("SET a 2");
    logged.flush();
    const std::string& text = disk[std::string(kFolder) + "a.aof.1.incr.aof"];
    CHECK(text.find("1\r\n#VEDETTE-REPL:" + logged.replid + " 0 100\r\n*3") != text.npos);
    CHECK(text.ends_with("2\r\n#VEDETTE-REPL:0 200\r\n"));
  }
  {
    Logged again(disk);
    REQUIRE(again.load().is_ok());
    CHECK(again.position == AppendPosition{std::string(40, 'c'), 200});
    CHECK(again.position_is_exact);
  }
  disk[std::string(kFolder) + "a.aof.1.incr.aof"] += request_bytes({"INCR", "a"});
  Logged torn(disk);
  REQUIRE(torn.load().is_ok());
  CHECK(torn.position->offset == 200);
  CHECK(!torn.position_is_exact);  // something came after
}

TEST_CASE("an expiry that has passed by the time of the load had not passed when the log was written") {
  MemoryFiles disk;
  {
    Logged logged(disk);
    REQUIRE(logged.load().is_ok());
    TestClient client(logged.server);
    client("SET a 1 PX 1000");
    client("APPEND a 2");
    client("PERSIST a");
    client("SET b 1");
    client("PEXPIRE b 1000");
    client("INCR b");
    client("PERSIST b");
    client("SET c 1 PX 1000");
    client("INCR c");
    logged.flush();
  }
  Logged later(disk);
  later.server.advance_ms(5000);
  REQUIRE(later.load().is_ok());
  TestClient client(later.server);
  CHECK(client("MGET a b c") == "[12, 2, nil]");
}

TEST_CASE("the offset that is safe on the disk follows the syncs") {
  MemoryFiles disk;
  Logged logged(disk);
  REQUIRE(logged.load().is_ok());
  logged.replid = std::string(40, 'c');
  logged.offset = 100;
  TestClient client(logged.server);
  client("SET a 1");
  logged.flush();
  CHECK(logged.log.fsynced_offset() == 0);
  disk.run_all();
  CHECK(logged.log.fsynced_offset() == 100);
  logged.offset = 114;  // a PING: nothing that could be lost
  CHECK(logged.log.fsynced_offset() == 114);
}

TEST_CASE("a log cut at any byte of its last commands loads a prefix of the history, transactions whole") {
  const uint64_t seed = test_seed("append log cut");
  Rng rng(seed);
  MemoryFiles disk;
  std::vector<std::string> states;  // after each command or transaction
  {
    Logged logged(disk, seed);
    REQUIRE(logged.load().is_ok());
    TestClient client(logged.server);
    logged.replid = std::string(40, 'd');
    states.push_back(logged.digest());
    const auto key = [&] { return "k" + std::to_string(rng.below(8)); };
    const auto write = [&] {
      switch (rng.below(8)) {
        case 0: client("APPEND " + key() + " xy"); break;
        case 1: client("INCR n" + key()); break;
        case 2: client("DEL " + key() + " " + key()); break;
        case 3: client("SET " + key() + " v" + std::to_string(rng.below(100)) + " PX 100000"); break;
        case 4: client("RENAME " + key() + " " + key()); break;
        case 5: client("SELECT " + std::to_string(rng.below(3))); break;
        case 6: client("PERSIST " + key()); break;
        default: client("SET " + key() + " " + std::string(rng.below(40), 'z') + "q"); break;
      }
    };
    for (int i = 0; i < 60; i++) {
      const bool transaction = rng.below(4) == 0;
      if (transaction) client("MULTI");
      for (uint64_t n = transaction ? rng.below(4) : 1; n-- > 0;) write();
      if (transaction) client("EXEC");
      logged.offset += 50;
      if (rng.below(2)) logged.flush();
      states.push_back(logged.digest());
    }
    logged.flush();
  }
  const std::string path = std::string(kFolder) + "a.aof.1.incr.aof";
  const std::string whole = disk[path];
  CHECK(digest_after_load(disk) == states.back());
  size_t reached = states.size();
  for (size_t cut = whole.size(); cut-- > whole.size() - std::min<size_t>(whole.size(), 700);) {
    CAPTURE(cut);
    disk[path] = whole.substr(0, cut);
    std::string error;
    const std::string digest = digest_after_load(disk, &error);
    REQUIRE_MESSAGE(!digest.empty(), error);
    // Some state of the past, and the less is left the further back.
    size_t found = std::min(reached, states.size() - 1);
    while (found > 0 && states[found] != digest) found--;
    CHECK(states[found] == digest);
    reached = found;
    CHECK(disk[path].size() <= cut);  // cut to a whole command: what is logged next can be read
    disk[path] = whole;
  }
}

TEST_CASE("a torn end is refused where that is configured, and the file stays as it is") {
  MemoryFiles disk;
  {
    Logged logged(disk);
    REQUIRE(logged.load().is_ok());
    TestClient client(logged.server);
    client("SET a 1");
    logged.flush();
  }
  std::string& bytes = disk[std::string(kFolder) + "a.aof.1.incr.aof"];
  const size_t whole = bytes.size();
  bytes += "*3\r\n$3\r\nSET\r\n";
  Logged strict(disk);
  strict.server.state.settings.append_log.load_truncated = false;
  const Status status = strict.load();
  REQUIRE(!status);
  CHECK(status.error().text().starts_with("Unexpected end of file reading the append only file a.aof.1.incr.aof: it is whole up to byte " +
                                          std::to_string(whole)));
  CHECK(bytes.size() == whole + 13);
}

TEST_CASE("damage is refused, naming file and byte") {
  const std::string set = request_bytes({"SET", "a", "1"});
  struct {
    std::string bytes, error;
  } const cases[] = {
      {set + "!!!" + set, "Bad file format reading the append only file a.aof.1.incr.aof: no command at byte 27"},
      {set + "*3\r\n$x\r\n",
       "Bad file format reading the append only file a.aof.1.incr.aof: ERR Protocol error: invalid bulk "
       "length at byte 27"},
      {set + "*0\r\n", "Bad file format reading the append only file a.aof.1.incr.aof: a command without a name at byte 27"},
      {set + request_bytes({"BLA", "foo"}), "Unknown command 'BLA' reading the append only file a.aof.1.incr.aof at byte 27"},
      {set + request_bytes({"SET", "a"}),
       "Bad file format reading the append only file a.aof.1.incr.aof: 'SET' with wrong arguments at byte "
       "27"},
      {set + request_bytes({"SHUTDOWN"}),
       "Bad file format reading the append only file a.aof.1.incr.aof: 'SHUTDOWN', which changes nothing, at "
       "byte 27"},
      {set + request_bytes({"EXEC"}), "Bad file format reading the append only file a.aof.1.incr.aof: EXEC without MULTI at byte 27"},
      {request_bytes({"MULTI"}) + request_bytes({"MULTI"}),
       "Bad file format reading the append only file a.aof.1.incr.aof: MULTI within MULTI at byte 15"},
      {"REDIS0010garbage", "Error reading the RDB base file a.aof.1.incr.aof, AOF loading aborted"},
  };
  for (const auto& damage : cases) {
    MemoryFiles disk;
    disk[std::string(kFolder) + "a.aof.manifest"] = "file a.aof.1.incr.aof seq 1 type i\n";
    disk[std::string(kFolder) + "a.aof.1.incr.aof"] = damage.bytes;
    std::string error;
    CHECK(digest_after_load(disk, &error).empty());
    CHECK_MESSAGE(error.starts_with(damage.error), error);
  }
}

TEST_CASE("a torn file that is not the last is refused, unless the later ones are empty") {
  MemoryFiles disk;
  const std::string set = request_bytes({"SET", "a", "1"});
  disk[std::string(kFolder) + "a.aof.manifest"] = "file a.aof.1.incr.aof seq 1 type i\nfile a.aof.2.incr.aof seq 2 type i\n";
  disk[std::string(kFolder) + "a.aof.1.incr.aof"] = set + "*1\r\n";
  disk[std::string(kFolder) + "a.aof.2.incr.aof"] = set;
  std::string error;
  CHECK(digest_after_load(disk, &error).empty());
  CHECK_MESSAGE(error.starts_with("The append-only file a.aof.1.incr.aof ends in the middle of a command, at byte 27 of 31"), error);
  disk[std::string(kFolder) + "a.aof.2.incr.aof"].clear();
  CHECK(!digest_after_load(disk, &error).empty());
}

TEST_CASE("a file that the manifest names and that is not there is an error") {
  MemoryFiles disk;
  disk[std::string(kFolder) + "a.aof.manifest"] = "file a.aof.1.incr.aof seq 1 type i\n";
  std::string error;
  CHECK(digest_after_load(disk, &error).empty());
  CHECK_MESSAGE(error.find("a.aof.1.incr.aof cannot be read: No such file or directory") != error.npos, error);
}

TEST_CASE("a single file of old moves into the folder and becomes the base") {
  MemoryFiles disk;
  disk["/data/a.aof"] = request_bytes({"SET", "a", "1"});
  {
    Logged logged(disk);
    REQUIRE(logged.load().is_ok());
    TestClient client(logged.server);
    CHECK(client("GET a") == "1");
    client("INCR a");
    logged.flush();
  }
  CHECK(!disk.exists("/data/a.aof"));
  CHECK(disk[std::string(kFolder) + "a.aof.manifest"] == "file a.aof seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n");
  Logged again(disk);
  REQUIRE(again.load().is_ok());
  TestClient client(again.server);
  CHECK(client("GET a") == "2");
}

TEST_CASE("a rewrite holds the dataset of its beginning, and the log what came after, at each moment of it") {
  for (const bool as_rdb : {false, true}) {
    for (int crash_after = 0; crash_after < 16; crash_after++) {
      CAPTURE(as_rdb);
      CAPTURE(crash_after);
      MemoryFiles disk;
      std::string wanted;
      {
        Logged logged(disk);
        logged.server.state.settings.append_log.base_as_rdb = as_rdb;
        logged.server.state.settings.append_log.sync = AppendSync::kAlways;
        REQUIRE(logged.load().is_ok());
        TestClient client(logged.server);
        for (int i = 0; i < 200; i++) client("SET key" + std::to_string(i) + " value EX 1000");
        logged.flush();
        const auto started = logged.log.rewrite(logged.server.executor.now());
        REQUIRE(started);
        CHECK(*started == AppendLog::RewriteStart::kStarted);
        for (int i = 0; i < crash_after; i++) {
          client("APPEND key" + std::to_string(i) + " more");
          client("DEL key" + std::to_string(100 + i));
          logged.flush();
          if (logged.snapshots.ready()) logged.snapshots.run_slice(logged.server.executor.now(), 1000);
          disk.run_one();
        }
        wanted = logged.digest();
        disk.cut_power();
        logged.log.turn_off();
      }
      CHECK(digest_after_load(disk) == wanted);
    }
  }
}

TEST_CASE("a finished rewrite leaves one base and one increment") {
  MemoryFiles disk;
  Logged logged(disk);
  REQUIRE(logged.load().is_ok());
  TestClient client(logged.server);
  for (int i = 0; i < 100; i++) client("SET k " + std::to_string(i));
  logged.flush();
  REQUIRE(logged.log.rewrite(logged.server.executor.now()));
  CHECK(*logged.log.rewrite(logged.server.executor.now()) == AppendLog::RewriteStart::kUnderWay);
  logged.finish_rewrite();
  CHECK(disk[std::string(kFolder) + "a.aof.manifest"] == "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.2.incr.aof seq 2 type i\n");
  CHECK(disk.list_folder("/data/aofdir").size() == 3);
  CHECK(logged.log.stats().rewrites == 1);
  CHECK(logged.log.current_bytes() == logged.log.base_bytes());
  client("SET k after");
  logged.flush();
  CHECK(digest_after_load(disk) == logged.digest());
}

TEST_CASE("a rewrite is over when the manifest names nothing that it replaced, unless that is kept") {
  MemoryFiles disk;
  Logged logged(disk);
  REQUIRE(logged.load().is_ok());
  const std::string manifest = std::string(kFolder) + "a.aof.manifest";
  REQUIRE(logged.log.rewrite(logged.server.executor.now()));
  for (int i = 0; i < 1000 && logged.log.rewriting(); i++) {
    if (logged.snapshots.ready()) logged.snapshots.run_slice(logged.server.executor.now(), 1000);
    disk.run_one();
  }
  CHECK(!logged.log.rewriting());
  CHECK(disk[manifest] == "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.2.incr.aof seq 2 type i\n");
  CHECK(disk.list_folder("/data/aofdir").size() == 3);

  logged.server.state.settings.append_log.keep_history = true;
  REQUIRE(logged.log.rewrite(logged.server.executor.now()));
  logged.finish_rewrite();
  CHECK(disk[manifest] ==
        "file a.aof.3.base.rdb seq 3 type b\nfile a.aof.2.incr.aof seq 2 type h\nfile a.aof.2.base.rdb seq 2 "
        "type h\n"
        "file a.aof.3.incr.aof seq 3 type i\n");
  CHECK(disk.list_folder("/data/aofdir").size() == 5);
  logged.server.state.settings.append_log.keep_history = false;
  logged.log.drop_history();
  CHECK(disk[manifest] == "file a.aof.3.base.rdb seq 3 type b\nfile a.aof.3.incr.aof seq 3 type i\n");
  CHECK(disk.list_folder("/data/aofdir").size() == 3);
}

TEST_CASE("a rewrite that fails leaves the former set, and after three failures tries become rarer") {
  MemoryFiles disk;
  Logged logged(disk);
  logged.server.state.settings.append_log.rewrite_size_min = 0;
  REQUIRE(logged.load().is_ok());
  TestClient client(logged.server);
  for (int i = 0; i < 300; i++) client("SET k " + std::to_string(i));
  logged.flush();
  disk.run_all();
  disk.fail_rename = true;
  for (int i = 0; i < 3; i++) {
    logged.log.tick(logged.server.executor.now());
    CHECK(logged.log.rewriting());
    logged.finish_rewrite();
    CHECK(logged.log.stats().last_rewrite_failed);
  }
  CHECK(logged.log.stats().consecutive_failures == 3);
  logged.log.tick(logged.server.executor.now());
  CHECK(!logged.log.rewriting());
  disk.fail_rename = false;
  logged.server.advance_ms(61000);
  client("SET k last");
  logged.flush();
  logged.log.tick(logged.server.executor.now());
  CHECK(logged.log.rewriting());
  logged.finish_rewrite();
  CHECK(!logged.log.stats().last_rewrite_failed);
  CHECK(logged.log.stats().consecutive_failures == 0);
  CHECK(digest_after_load(disk) == logged.digest());
}

TEST_CASE("growth starts a rewrite") {
  MemoryFiles disk;
  Logged logged(disk);
  logged.server.state.settings.append_log.rewrite_size_min = 2000;
  REQUIRE(logged.load().is_ok());
  TestClient client(logged.server);
  const auto tick = [&] {
    disk.run_all();
    logged.flush();
    logged.log.tick(logged.server.executor.now());
    return logged.log.rewriting();
  };
  for (int i = 0; i < 20; i++) client("SET k " + std::to_string(i));
  CHECK(!tick());
  for (int i = 0; i < 100; i++) client("SET k" + std::to_string(i) + " 1");
  CHECK(tick());
  logged.finish_rewrite();
  CHECK(!tick());
  const uint64_t base = logged.log.base_bytes();
  while (logged.log.current_bytes() < base * 2) {
    CHECK(!tick());
    client("SET k 1");
    logged.flush();
    disk.run_all();
  }
  while (!tick()) client("SET k 1");
  CHECK(logged.log.current_bytes() >= std::max<uint64_t>(2000, base * 2));
}

TEST_CASE("turned on while serving, the log is complete when its first rewrite is") {
  MemoryFiles disk;
  Logged logged(disk);
  TestClient client(logged.server);
  client("SET before 1");
  REQUIRE(logged.log.turn_on().is_ok());
  CHECK(logged.log.state() == AppendLog::State::kWaiting);
  client("SET before 2");
  logged.snapshots.run_slice(logged.server.executor.now(), 1000);
  client("SET after 1");
  logged.flush();
  CHECK(!disk.exists(std::string(kFolder) + "a.aof.manifest"));
  logged.finish_rewrite();
  CHECK(logged.log.state() == AppendLog::State::kOn);
  CHECK(disk[std::string(kFolder) + "a.aof.manifest"] == "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n");
  client("SET after 2");
  logged.flush();
  CHECK(digest_after_load(disk) == logged.digest());
  // Off and on again: the old set is replaced by one that begins with what was not logged.
  logged.log.turn_off();
  client("SET unlogged 1");
  REQUIRE(logged.log.turn_on().is_ok());
  logged.finish_rewrite();
  CHECK(disk[std::string(kFolder) + "a.aof.manifest"] == "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.2.incr.aof seq 2 type i\n");
  CHECK(digest_after_load(disk) == logged.digest());
}

TEST_CASE("turned off at any step of a rewrite and on again, the log is whole") {
  for (const bool first : {false, true}) {
    for (int steps = 0; steps < 14; steps++) {
      CAPTURE(first);
      CAPTURE(steps);
      MemoryFiles disk;
      Logged logged(disk);
      TestClient client(logged.server);
      for (int i = 0; i < 100; i++) client("SET key" + std::to_string(i) + " value");
      if (first) {
        REQUIRE(logged.log.turn_on().is_ok());
      } else {
        REQUIRE(logged.load().is_ok());
        client("SET logged 1");
        logged.flush();
        REQUIRE(logged.log.rewrite(logged.server.executor.now()));
      }
      for (int i = 0; i < steps; i++) {
        client("APPEND key" + std::to_string(i) + " more");
        logged.flush();
        if (logged.snapshots.ready()) logged.snapshots.run_slice(logged.server.executor.now(), 1000);
        disk.run_one();
      }
      logged.log.turn_off();
      CHECK(logged.server.state.effect_sinks.empty());
      client("SET unlogged 1");
      REQUIRE(logged.log.turn_on().is_ok());
      client("SET after 1");
      logged.finish_rewrite();
      client("SET after 2");
      logged.flush();
      CHECK(logged.log.state() == AppendLog::State::kOn);
      CHECK(digest_after_load(disk) == logged.digest());
      for (const std::string& name : disk.list_folder("/data/aofdir")) CHECK_MESSAGE(!name.starts_with("temp-"), name);
    }
  }
}

TEST_CASE("a full disk makes the server refuse writes until the log can be written again") {
  MemoryFiles disk;
  Logged logged(disk);
  REQUIRE(logged.load().is_ok());
  TestClient client(logged.server);
  disk.room = 3;
  client("SET a 1");
  logged.flush();
  CHECK(logged.log.refusal() == "MISCONF Errors writing to the AOF file: No space left on device");
  CHECK((logged.server.state.conditions() & kWritesGuarded) != 0);
  CHECK(logged.log.pending());
  disk.room.reset();
  logged.server.advance_ms(AppendWriter::kRetryMs);
  logged.log.tick(logged.server.executor.now());
  CHECK(!logged.log.refusal());
  CHECK(digest_after_load(disk) == logged.digest());
}

TEST_CASE("what a failed sync may have lost is brought back by a rewrite") {
  MemoryFiles disk;
  Logged logged(disk);
  REQUIRE(logged.load().is_ok());
  TestClient client(logged.server);
  disk.fail_sync = true;
  client("SET a 1");
  logged.flush();
  disk.run_all();
  CHECK(logged.log.refusal());
  disk.fail_sync = false;
  logged.server.advance_ms(1000);
  logged.log.tick(logged.server.executor.now());
  disk.run_all();
  CHECK(!logged.log.refusal());
  logged.log.tick(logged.server.executor.now());
  CHECK(logged.log.rewriting());
  logged.finish_rewrite();
  CHECK(!logged.log.writer().lost_sync());
}

}  // namespace vedette::testing
