// Streams to an RDB and back, in slices and pieces of any size; as commands; and what is no stream.
#include "server/snapshot/stream_forms.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "server/store/packed.h"
#include "server/store/stream_value.h"
#include "tests/unit/seed.h"
#include "tests/unit/server/snapshot/rdb_bytes.h"

using namespace vedette;
using namespace vedette::rdb_bytes;

namespace {

void append(StreamValue& stream, StreamId id, std::initializer_list<std::string_view> fields) {
  PackingLimits limits;
  limits.stream_node_entries = 3;
  REQUIRE(stream.append(id, {fields.begin(), fields.size()}, limits));
}

EntryOwner sample_stream() {
  auto* stream = new StreamValue;
  for (uint64_t i = 1; i <= 20; i++) append(*stream, {i, i % 2}, {"name", "value", "n", "17"});
  append(*stream, {30, 0}, {"other", ""});
  stream->erase({5, 1});
  StreamGroup& group = *stream->groups.create("g", {9, 9}, 9);
  stream->groups.create_consumer(group, "idle", 5);
  StreamConsumer* alice = stream->groups.create_consumer(group, "alice", 6);
  for (uint64_t i = 1; i < 6; i++) stream->groups.add_pending(group, alice, {{i, 0}, int64_t(1000 + i), i, nullptr});
  StreamGroup& other = *stream->groups.create("h", {}, kEntriesReadUnknown);
  stream->groups.add_pending(other, nullptr, {{7, 1}, 0, 2, nullptr});
  return EntryOwner(make_large_entry("key", ValueType::kStream, stream, kNoExpiry));
}

std::string written(const Entry& entry, size_t budget) {
  BlockLog log;
  ValueProgress progress;
  while (!write_value_slice(entry, log, {}, progress, budget)) {}
  return all_of(log);
}

std::string printed(const Entry& entry, size_t budget = SIZE_MAX) {
  BlockLog log;
  ValueProgress progress;
  while (!print_entry_slice(entry, log, progress, budget)) {}
  return all_of(log);
}

// Reads bytes that come in pieces; null if they are refused or torn.
EntryOwner read_in_pieces(const std::string& bytes, uint8_t code, size_t piece, std::string* error = nullptr) {
  ValueReading reading;
  reading.code = code;
  size_t at = 0;
  for (size_t end = std::min(piece, bytes.size());;) {
    const std::unique_ptr<char[]> copy(new char[end - at]);
    bytes.copy(copy.get(), end - at, at);
    RdbInput input{copy.get(), copy.get() + (end - at)};
    const ReadOutcome outcome = read_value(input, "key", reading);
    at += size_t(input.at - copy.get());
    if (outcome == ReadOutcome::kDone) break;
    if (outcome == ReadOutcome::kFailed) {
      REQUIRE_FALSE(reading.error.empty());
      if (error) *error = reading.error;
      return nullptr;
    }
    if (end == bytes.size()) return nullptr;
    end = std::min(end + piece, bytes.size());
  }
  return EntryOwner(std::exchange(reading.entry, nullptr));
}

constexpr uint8_t kCode = uint8_t(RdbType::kStreamListpacks2);

}  // namespace

TEST_CASE("a stream is the same in slices of any size, and read from pieces of any size") {
  const EntryOwner entry = sample_stream();
  CHECK(rdb_type_of(*entry) == RdbType::kStreamListpacks2);
  const std::string whole = written(*entry, SIZE_MAX);
  for (const size_t budget : {1, 10, 100, 1000}) CHECK(written(*entry, budget) == whole);
  const std::string commands = printed(*entry);
  CHECK(printed(*entry, 1) == commands);
  for (const size_t piece : {1, 7, 100, 100'000}) {
    const EntryOwner back = read_in_pieces(whole, kCode, piece);
    REQUIRE(back);
    CHECK(printed(*back) == commands);
    CHECK(written(*back, SIZE_MAX) == whole);
    CHECK(stream_of(*back).groups.find("h")->consumers.empty());
    CHECK(stream_of(*back).groups.find("h")->pending.first()->owner == nullptr);
  }
  const std::unique_ptr<StreamValue> copy(stream_of(*entry).duplicate());
  CHECK(copy->memory_bytes() > 0);
}

TEST_CASE("a damaged stream is refused or is another stream, and never more") {
  Rng rng(test_seed("damaged streams"));
  const EntryOwner entry = sample_stream();
  ValueWriteOptions plain;
  plain.compress = false;
  BlockLog log;
  ValueProgress progress;
  while (!write_value_slice(*entry, log, plain, progress, SIZE_MAX)) {}
  const std::string whole = all_of(log);
  for (int i = 0; i < 20'000; i++) {
    std::string damaged = whole;
    for (uint64_t n = 0; n <= rng.below(3); n++) damaged[rng.below(damaged.size())] = char(rng.next());
    if (rng.below(4) == 0) damaged.resize(rng.below(damaged.size()));
    const EntryOwner back = read_in_pieces(damaged, uint8_t(kCode - rng.below(2) * 4), 1 + rng.below(500));
    if (!back) continue;
    (void)printed(*back);
    const EntryOwner again = read_in_pieces(written(*back, 100), kCode, SIZE_MAX);
    REQUIRE(again);
    REQUIRE(printed(*again) == printed(*back));
  }
}

TEST_CASE("an empty stream and its groups are told as commands") {
  auto* stream = new StreamValue;
  stream->groups.create("g", {}, 0);
  const EntryOwner entry(make_large_entry("k", ValueType::kStream, stream, kNoExpiry));
  CHECK(printed(*entry) ==
        "*7\r\n$4\r\nXADD\r\n$1\r\nk\r\n$6\r\nMAXLEN\r\n$1\r\n0\r\n$3\r\n0-1\r\n$1\r\nx\r\n$1\r\ny\r\n"
        "*7\r\n$6\r\nXSETID\r\n$1\r\nk\r\n$3\r\n0-0\r\n$12\r\nENTRIESADDED\r\n$1\r\n0\r\n$12\r\nMAXDELETEDID\r\n$3\r\n0-0\r\n"
        "*7\r\n$6\r\nXGROUP\r\n$6\r\nCREATE\r\n$1\r\nk\r\n$1\r\ng\r\n$3\r\n0-0\r\n$11\r\nENTRIESREAD\r\n$1\r\n0\r\n");
}

TEST_CASE("what groups say of their entries must fit together") {
  // No block; length 0, last id 1-0, first id 0-0, deleted 0-0, 1 added; one group "g" at 1-0, 1 read.
  const std::string head("\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01\x01g\x01\x00\x01", 15);
  const std::string id(std::string(7, '\0') + "\x01" + std::string(8, '\0')), time(8, '\0');
  const std::string pending = "\x01" + id + time + "\x01";
  const std::string name(
      "\x01"
      "c");
  const auto error_of = [&](const std::string& rest) {
    std::string error;
    CHECK_FALSE(read_in_pieces(head + rest, kCode, SIZE_MAX, &error));
    return error;
  };
  CHECK(read_in_pieces(head + pending + "\x01" + name + time + "\x01" + id, kCode, 3));
  CHECK(error_of(pending + std::string(1, '\0')) == "NACK entry without a consumer");
  CHECK(error_of("\x02" + id + time + "\x01" + id + time + "\x01") == "Duplicated global PEL entry");
  CHECK(error_of(std::string(1, '\0') + "\x01" + name + time + "\x01" + id) == "Consumer entry not found in group global PEL");
  CHECK(error_of(pending + "\x01" + name + time + "\x02" + id + id) == "Duplicated consumer PEL entry loading a stream consumer group");
  CHECK(error_of(std::string(1, '\0') + "\x02" + name + time + std::string(1, '\0') + name + time + std::string(1, '\0')) ==
        "Duplicate stream consumer detected");
}
