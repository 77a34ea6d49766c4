// When snapshots are written, without a disk: commands, save points, failures.
#include <doctest/doctest.h>

#include "server/execution/persistence.h"
#include "server/execution/snapshots.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

class FakeStore final : public SnapshotStore {
 public:
  Status save() override {
    saves++;
    return fails ? Status(failure("the disk is full")) : Status::ok();
  }
  void begin() override { begun++; }
  void cancel() override { cancelled++; }
  Status load(DatasetLoader&) override { return Error("no file"); }

  int saves = 0, begun = 0, cancelled = 0;
  bool fails = false;
};

struct Fixture {
  Fixture() : persistence(server.state, store), client(server) { server.state.persistence = &persistence; }
  ~Fixture() { server.state.persistence = nullptr; }

  void end(const Status& status) { persistence.on_background_end(status, server.executor.now()); }
  void tick_after(int64_t ms) {
    server.advance_ms(ms);
    persistence.tick(server.executor.now());
  }

  TestServer server;
  FakeStore store;
  Persistence persistence;
  TestClient client;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "changes count from the start of the snapshot that has the others") {
  CHECK(client("MSET a 1 b 2 c 3") == "OK");
  CHECK(persistence.changes() == 3);
  CHECK(client("BGSAVE") == "\"Background saving started\"");
  CHECK(client("SET d 4") == "OK");
  persistence.on_background_start();  // the walk begins: d is in it
  CHECK(client("MSET e 5 f 6") == "OK");
  end(Status::ok());
  CHECK(persistence.changes() == 2);
  CHECK(client("SAVE") == "OK");
  CHECK(persistence.changes() == 0);
  CHECK(persistence.saves() == 2);
}

TEST_CASE_FIXTURE(Fixture, "only one snapshot goes to the file at a time") {
  CHECK(client("BGSAVE") == "\"Background saving started\"");
  CHECK(client("BGSAVE SCHEDULE") == "(error) ERR Background save already in progress");
  CHECK(client("SAVE") == "(error) ERR Background save already in progress");
  CHECK(store.saves == 0);
  CHECK(store.begun == 1);
  end(Status::ok());
  CHECK(client("SAVE") == "OK");
  CHECK(client("BGSAVE NOW") == "(error) ERR syntax error");
  CHECK(client("BGSAVE SCHEDULE CANCEL") == "(error) ERR syntax error");
}

TEST_CASE_FIXTURE(Fixture, "in a transaction a snapshot is scheduled, and can be cancelled before and after it begins") {
  CHECK(client("MULTI") == "OK");
  CHECK(client("BGSAVE") == "QUEUED");
  CHECK(client("SAVE") == "(error) ERR Command not allowed inside a transaction");
  CHECK(client("DISCARD") == "OK");
  const auto schedule = [&] {
    CHECK(client("MULTI") == "OK");
    CHECK(client("BGSAVE") == "QUEUED");
    CHECK(client("EXEC") == "[\"Background saving scheduled\"]");
    CHECK(!persistence.in_progress());
  };
  schedule();
  CHECK(client("BGSAVE CANCEL") == "\"Scheduled background saving cancelled\"");
  tick_after(100);
  CHECK(store.begun == 0);
  schedule();
  tick_after(100);
  CHECK(store.begun == 1);
  CHECK(client("BGSAVE CANCEL") == "\"Background saving cancelled\"");
  CHECK(store.cancelled == 1);
  CHECK(!persistence.in_progress());
  CHECK(client("BGSAVE CANCEL") == "(error) ERR Background saving is currently not in progress or scheduled");
}

TEST_CASE_FIXTURE(Fixture, "a snapshot begins behind a walk that is read, and at once where one was given up") {
  struct Reader final : SnapshotReader {
    void on_snapshot_start(const BlockLog&) override {}
    void on_snapshot_bytes() override {}
    void on_snapshot_end(const Status&) override {}
    uint64_t snapshot_position() const override { return 0; }
  } reader;
  for (int i = 0; i < 100; i++) client.call({"SET", "key" + std::to_string(i), "v"});
  server.snapshots.request(reader, SnapshotForm::kRdb);
  server.snapshots.run_slice(server.executor.now(), 0);
  CHECK(client("BGSAVE") == "\"Background saving scheduled\"");
  CHECK(client("BGSAVE CANCEL") == "\"Scheduled background saving cancelled\"");
  server.snapshots.withdraw(reader);
  CHECK(client("BGSAVE") == "\"Background saving started\"");
  CHECK(persistence.in_progress());
}

TEST_CASE_FIXTURE(Fixture, "a save point needs its changes and its time") {
  server.state.settings.snapshot_points = {{60, 3}};
  server.state.process.started_wall = server.executor.now().wall;
  CHECK(client("MSET a 1 b 2") == "OK");
  tick_after(61000);
  CHECK(store.begun == 0);
  CHECK(client("SET c 3") == "OK");
  tick_after(100);
  CHECK(store.begun == 1);
  end(Status::ok());
  CHECK(client("MSET a 1 b 2 c 3") == "OK");
  tick_after(60000);
  CHECK(store.begun == 1);
  tick_after(1000);
  CHECK(store.begun == 2);
}

TEST_CASE_FIXTURE(Fixture, "after a failure writes are refused if that is wanted, and a new attempt waits five seconds") {
  server.state.settings.snapshot_points = {{1, 1}};
  CHECK(client("SET a 1") == "OK");
  tick_after(5000);
  REQUIRE(store.begun == 1);
  CHECK(!persistence.writes_refused());
  end(Error("the disk is full"));
  CHECK(persistence.writes_refused());
  CHECK(persistence.changes() == 1);
  server.state.settings.stop_writes_on_snapshot_error = false;
  CHECK(!persistence.writes_refused());
  server.state.settings.stop_writes_on_snapshot_error = true;
  tick_after(5000);
  CHECK(store.begun == 1);
  tick_after(1000);
  CHECK(store.begun == 2);
  end(Status::ok());
  CHECK(!persistence.writes_refused());
}

TEST_CASE_FIXTURE(Fixture, "a failed SAVE tells why and changes nothing") {
  store.fails = true;
  CHECK(client("SET a 1") == "OK");
  CHECK(client("SAVE") == "(error) ERR the disk is full");
  CHECK(persistence.changes() == 1);
  CHECK(!persistence.last_background_failed());
}

TEST_CASE_FIXTURE(Fixture, "FLUSHALL ends a snapshot of what is gone, and with save points writes the empty dataset") {
  CHECK(client("SET a 1") == "OK");
  CHECK(client("BGSAVE") == "\"Background saving started\"");
  CHECK(client("FLUSHALL") == "OK");
  CHECK(store.cancelled == 1);
  CHECK(store.begun == 1);
  server.state.settings.snapshot_points = {{3600, 1}};
  CHECK(client("SET a 1") == "OK");
  const int saved = store.saves;
  CHECK(client("FLUSHALL") == "OK");
  CHECK(store.saves == saved + 1);
  CHECK(persistence.changes() == 0);
  CHECK(client("SET a 1") == "OK");
  CHECK(client("FLUSHDB") == "OK");
  CHECK(store.saves == saved + 1);
  CHECK(persistence.changes() == 2);
  store.fails = true;
  CHECK(client("FLUSHALL") == "OK");
  CHECK(persistence.last_background_failed());
}

TEST_CASE_FIXTURE(Fixture, "LASTSAVE is the start until a snapshot goes well") {
  server.state.process.started_wall = WallTime{int64_t(1600000000) * 1000000};
  CHECK(client("LASTSAVE") == "1600000000");
  CHECK(client("SAVE") == "OK");
  CHECK(client("LASTSAVE") == std::to_string(server.executor.now().wall.seconds()));
}

}  // namespace vedette::testing
