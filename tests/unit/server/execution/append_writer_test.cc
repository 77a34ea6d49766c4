// When the log is written and synced, and what a failing disk does, on a disk in memory and a clock that the
// test moves.
#include "server/execution/append_writer.h"

#include <doctest/doctest.h>

#include "tests/support/memory_files.h"

using namespace vedette;
using vedette::testing::MemoryFiles;

namespace {

struct Fixture {
  MemoryFiles disk;
  AppendWriter writer{disk};
  AppendWriter::Policy policy;
  Now now{Instant{1000000000}, WallTime{1700000000000000}};

  explicit Fixture(AppendSync sync) {
    policy.sync = sync;
    writer.take(*disk.open("log", AppendFiles::Mode::kAppend), 0, sync);
  }
  void log(std::string_view text) { writer.buffer().append(text); }
  void flush(uint64_t offset = 0) { writer.flush(now, policy, offset); }
  void wait_ms(int64_t ms) { now.instant.ns += ms * 1000000; }
  const std::string& file() { return disk["log"]; }
  size_t synced() { return disk.files["log"]->synced; }
};

}  // namespace

TEST_CASE("with always, what was logged is on the disk when flush returns") {
  Fixture f(AppendSync::kAlways);
  f.log("one");
  f.flush(10);
  CHECK(f.synced() == 3);
  CHECK(f.writer.synced_offset() == 10);
  CHECK(f.writer.all_synced());
  f.flush(11);
  CHECK(f.disk.syncs == 1);  // nothing new
}

TEST_CASE("with everysec, syncs are elsewhere and a second apart") {
  Fixture f(AppendSync::kEverySecond);
  f.log("one");
  f.flush(10);
  CHECK(f.file() == "one");
  CHECK(f.disk.jobs() == 1);
  CHECK(f.writer.synced_offset() == 0);
  f.disk.run_all();
  CHECK(f.writer.synced_offset() == 10);
  f.wait_ms(500);
  f.log("two");
  f.flush(20);
  CHECK(f.disk.jobs() == 0);
  CHECK(f.file() == "onetwo");
  CHECK(!f.writer.all_synced());
  f.wait_ms(500);
  f.flush(99);  // nothing is pending: the offset is that of what was written
  CHECK(f.disk.jobs() == 1);
  f.disk.run_all();
  CHECK(f.writer.synced_offset() == 20);
  CHECK(f.synced() == 6);
}

TEST_CASE("a write is put off while a sync is under way, for two seconds") {
  Fixture f(AppendSync::kEverySecond);
  f.log("one");
  f.flush(1);
  f.log("two");
  f.flush(2);
  CHECK(f.file() == "one");
  f.wait_ms(1999);
  f.flush(2);
  CHECK(f.file() == "one");
  CHECK(f.writer.delayed_syncs() == 0);
  f.wait_ms(1);
  f.flush(2);
  CHECK(f.file() == "onetwo");
  CHECK(f.writer.delayed_syncs() == 1);
  f.disk.run_all();
  CHECK(f.writer.synced_offset() == 1);  // it was asked for when only that was there
}

TEST_CASE("a write that was put off is done as soon as the sync is over") {
  Fixture f(AppendSync::kEverySecond);
  f.log("one");
  f.flush(1);
  f.log("two");
  f.flush(2);
  f.disk.run_all();
  f.flush(2);
  CHECK(f.file() == "onetwo");
  CHECK(f.writer.delayed_syncs() == 0);
}

TEST_CASE("a forced flush waits for nothing") {
  Fixture f(AppendSync::kEverySecond);
  f.log("one");
  f.flush(1);
  f.log("two");
  f.policy.force = true;
  f.flush(2);
  CHECK(f.file() == "onetwo");
}

TEST_CASE("with no, nothing is ever synced") {
  Fixture f(AppendSync::kNever);
  f.log("one");
  f.flush(1);
  f.wait_ms(5000);
  f.flush(1);
  CHECK(f.file() == "one");
  CHECK(f.disk.syncs == 0);
  CHECK(f.disk.jobs() == 0);
}

TEST_CASE("syncs are held while a rewrite is under way, if so configured") {
  Fixture f(AppendSync::kAlways);
  f.policy.hold_syncs = true;
  f.log("one");
  f.flush(1);
  CHECK(f.file() == "one");
  CHECK(f.disk.syncs == 0);
  CHECK(f.writer.synced_offset() == 0);
  f.policy.hold_syncs = false;
  f.log("two");
  f.flush(2);
  CHECK(f.writer.synced_offset() == 2);
}

TEST_CASE("short writes go on where they ended") {
  Fixture f(AppendSync::kAlways);
  f.disk.write_max = 2;
  f.log("longer text");
  f.flush(1);
  CHECK(f.file() == "longer text");
}

TEST_CASE("a full disk leaves the file as it was, and the rest is written when there is room") {
  Fixture f(AppendSync::kEverySecond);
  f.log("one");
  f.flush(1);
  f.disk.run_all();
  f.disk.room = 2;
  f.log("two");
  f.flush(2);
  CHECK(f.file() == "one");
  CHECK(f.writer.write_error() == "No space left on device");
  CHECK(f.writer.pending());
  f.log("three");
  f.disk.room.reset();
  f.flush(3);  // too soon to try again
  CHECK(f.file() == "one");
  f.wait_ms(AppendWriter::kRetryMs);
  f.flush(3);
  CHECK(f.file() == "onetwothree");
  CHECK(!f.writer.write_error());
  CHECK(f.writer.size() == 11);
}

TEST_CASE("what was half written and cannot be cut off is completed later") {
  Fixture f(AppendSync::kEverySecond);
  f.disk.room = 2;
  f.disk.fail_truncate = true;
  f.log("two");
  f.flush(1);
  CHECK(f.file() == "tw");
  CHECK(f.writer.size() == 2);
  f.disk.room.reset();
  f.wait_ms(AppendWriter::kRetryMs);
  f.flush(1);
  CHECK(f.file() == "two");
  CHECK(f.writer.size() == 3);
}

TEST_CASE("with always, an error ends the process, and what was half written is cut off before") {
  Fixture f(AppendSync::kAlways);
  SUBCASE("of a write") {
    f.disk.room = 1;
    f.log("one");
    f.flush(1);
    CHECK(f.file().empty());
  }
  SUBCASE("of a sync") {
    f.disk.fail_sync = true;
    f.log("one");
    f.flush(1);
  }
  CHECK(f.disk.gave_up);
  CHECK(f.writer.synced_offset() == 0);
}

TEST_CASE("a failed sync is told until one succeeds, and what it may have lost is not forgotten") {
  Fixture f(AppendSync::kEverySecond);
  f.disk.fail_sync = true;
  f.log("one");
  f.flush(1);
  f.disk.run_all();
  CHECK(f.writer.sync_error() == "Input/output error");
  CHECK(f.writer.synced_offset() == 0);
  f.disk.fail_sync = false;
  f.wait_ms(1000);
  f.flush(1);
  f.disk.run_all();
  CHECK(!f.writer.sync_error());
  CHECK(f.writer.lost_sync());
}

TEST_CASE("a former file is synced and closed after the log has gone on in the next") {
  Fixture f(AppendSync::kEverySecond);
  f.log("one");
  f.flush(1);
  f.disk.run_all();
  f.log("two");
  f.flush(2);
  const int next = *f.disk.open("next", AppendFiles::Mode::kAppend);
  f.writer.take(next, 0, AppendSync::kEverySecond);
  f.log("three");
  f.flush(3);
  CHECK(f.disk["next"].empty());  // the former file's sync is under way
  f.disk.run_all();
  CHECK(f.synced() == 6);
  CHECK(f.writer.synced_offset() == 2);
  f.flush(3);
  CHECK(f.disk["next"] == "three");
  CHECK(f.disk.open_files() == 1);
}

TEST_CASE("a sync of another history says nothing of this one") {
  Fixture f(AppendSync::kEverySecond);
  f.log("one");
  f.flush(1000);
  f.writer.restart_offsets();
  f.disk.run_all();
  CHECK(f.writer.synced_offset() == 0);
}

TEST_CASE("settling brings everything to the disk") {
  Fixture f(AppendSync::kNever);
  f.log("one");
  CHECK(f.writer.settle(f.now, 5).is_ok());
  CHECK(f.synced() == 3);
  CHECK(f.writer.synced_offset() == 5);
  f.log("two");
  f.disk.room = 0;
  CHECK(f.writer.settle(f.now, 6).error().text() == "No space left on device");
}
