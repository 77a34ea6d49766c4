// Who gets which snapshot: readers that share a walk, come late, are slow, or leave.
#include "server/execution/snapshots.h"

#include <doctest/doctest.h>

#include "server/snapshot/rdb_reader.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

class Reader final : public SnapshotReader {
 public:
  void on_snapshot_start(const BlockLog& bytes) override { log = &bytes; }
  void on_snapshot_bytes() override {
    if (greedy) position = log->end();
  }
  void on_snapshot_end(const Status& status) override { ended = status.is_ok(); }
  uint64_t snapshot_position() const override { return position; }
  bool wants_more() const override { return !leaving; }

  const BlockLog* log = nullptr;
  uint64_t position = 0;
  bool greedy = true, ended = false, leaving = false;
};

struct Fixture {
  Fixture() : snapshots(server.state), client(server) {
    for (int i = 0; i < 500; i++) client.call({"SET", "key" + std::to_string(i), std::string(300, 'v')});
  }
  // The clock stands still: a slice without time is of one bucket, one with time goes to the end or the window.
  void slice(int64_t us) { snapshots.run_slice(server.clock.now(), us); }

  TestServer server;
  Snapshots snapshots;
  TestClient client;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "readers who have asked by its start share a walk, a later one gets the next") {
  Reader a, b, late;
  CHECK(!snapshots.ready());
  snapshots.request(a, SnapshotForm::kRdb);
  snapshots.request(b, SnapshotForm::kRdb);
  CHECK(snapshots.ready());
  CHECK(!a.log);
  slice(0);
  REQUIRE(a.log);
  CHECK(a.log == b.log);
  CHECK(snapshots.active());
  CHECK(snapshots.keys_total() == 500);
  snapshots.request(late, SnapshotForm::kRdb);
  slice(1);
  CHECK(a.ended);
  CHECK(b.ended);
  CHECK(!late.log);
  slice(1);
  CHECK(late.ended);
  CHECK(!snapshots.ready());
  for (Reader* reader : {&a, &b, &late}) snapshots.withdraw(*reader);
}

TEST_CASE_FIXTURE(Fixture, "two forms of one moment go out together") {
  Reader rdb, commands;
  snapshots.request(rdb, SnapshotForm::kRdb);
  snapshots.request(commands, SnapshotForm::kCommands);
  slice(1);
  CHECK(rdb.ended);
  CHECK(commands.ended);
  CHECK(rdb.log != commands.log);
  CHECK(commands.log->end() > 500 * 300);
  snapshots.withdraw(rdb);
  snapshots.withdraw(commands);
}

TEST_CASE_FIXTURE(Fixture, "a walk waits for a reader that is a window behind, and what changes goes out all the same") {
  snapshots.window_bytes = 20000;
  server.state.settings.snapshot_compression = false;
  Reader slow, quick;
  slow.greedy = false;
  snapshots.request(slow, SnapshotForm::kRdb);
  snapshots.request(quick, SnapshotForm::kRdb);
  slice(1);
  CHECK(!snapshots.ready());
  const uint64_t held = slow.log->end();
  CHECK(held > 20000);
  CHECK(held < 30000);
  CHECK(slow.log->begin() == 0);
  for (int i = 0; i < 500; i++) client.call({"SET", "key" + std::to_string(i), "changed"});
  CHECK(slow.log->end() > 500 * 300);
  CHECK(quick.position == held);
  CHECK(snapshots.ready());  // to tell of it
  slice(1);
  CHECK(quick.position == quick.log->end());
  CHECK(!snapshots.ready());
  slow.position = slow.log->end();
  CHECK(snapshots.ready());
  slice(1);
  CHECK(quick.ended);
  CHECK(slow.ended);
  snapshots.withdraw(slow);
  snapshots.withdraw(quick);
}

TEST_CASE_FIXTURE(Fixture, "a walk ends with its last reader, and the next begins when its marks are wiped") {
  Reader a, b, next;
  snapshots.request(a, SnapshotForm::kRdb);
  snapshots.request(b, SnapshotForm::kCommands);
  slice(0);
  client("SET key1 x");
  snapshots.withdraw(a);
  CHECK(snapshots.serving());
  slice(0);
  b.leaving = true;
  CHECK(!snapshots.serving());
  CHECK(snapshots.active());
  snapshots.withdraw(b);
  CHECK(!snapshots.serving());  // nobody has to wait for it, though its marks are still to be wiped
  snapshots.request(next, SnapshotForm::kRdb);
  CHECK(snapshots.ready());
  slice(0);
  CHECK(!next.log);
  for (int i = 0; i < 1000 && !next.ended; i++) slice(1);
  CHECK(next.ended);
  snapshots.withdraw(next);
  CHECK(!snapshots.active());
}

TEST_CASE_FIXTURE(Fixture, "a request that is taken back leaves nothing to do") {
  Reader reader;
  snapshots.request(reader, SnapshotForm::kRdb);
  snapshots.withdraw(reader);
  CHECK(!snapshots.ready());
}

TEST_CASE_FIXTURE(Fixture, "the bytes of an ended snapshot stay for its reader") {
  Reader slow;
  slow.greedy = false;
  snapshots.request(slow, SnapshotForm::kRdb);
  slice(1);
  REQUIRE(slow.ended);
  const uint64_t end = slow.log->end();
  slow.position = end / 2;
  snapshots.trim();
  CHECK(slow.log->begin() == end / 2);
  CHECK(slow.log->end() == end);
  snapshots.withdraw(slow);
}

}  // namespace vedette::testing
