// The writer: bytes that a Redis 7.0 writes, slices, the checksum.
#include "server/snapshot/rdb_writer.h"

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "tests/unit/seed.h"
#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {
namespace {

using namespace rdb_bytes;
using namespace std::string_literals;

// The bytes of one entry.
std::string record_of(std::string_view key, std::string_view value, int64_t expiry_ms = kNoExpiry, bool compress = true) {
  BlockLog log;
  RdbWriter writer(log, {.compress = compress});
  const EntryOwner entry = string_entry(key, value, expiry_ms);
  CHECK(writer.entry(*entry));
  CHECK(writer.entries() == 1);
  return all_of(log);
}
std::string value_bytes(std::string_view value, bool compress = true) { return record_of("", value, kNoExpiry, compress).substr(2); }

}  // namespace

TEST_CASE("the writer's file is byte for byte what a Redis 7.0.15 wrote of the same") {
  // Facts and keys as SAVE of a real server gave them.
  BlockLog log;
  RdbWriter writer(log, {});
  writer.header({.redis_version = "7.0.15", .created_seconds = 0x6b04a330, .used_memory = 0x000e5538});
  writer.select(0, 3, 1);
  const EntryOwner bb = string_entry("bb", "hello", 0x2a20a1efc78), a = string_entry("a", "1"), cc = string_entry("cc", "99999999999");
  for (const EntryOwner* entry : {&bb, &a, &cc}) CHECK(writer.entry(**entry));
  writer.end();
  const std::string expected =
      "REDIS0010\xfa\tredis-ver\x06"
      "7.0.15\xfa\nredis-bits\xc0@\xfa\x05"
      "ctime\xc2\x30\xa3\x04k\xfa\bused-mem\xc2\x38U\x0e\x00"
      "\xfa\baof-base\xc0\x00\xfe\x00\xfb\x03\x01\xfc\x78\xfc\x1e\x0a\xa2\x02\x00\x00\x00\x02"
      "bb\x05hello\x00\x01"
      "a\xc0\x01\x00\x02"
      "cc\x0b"
      "99999999999\xff"s;
  const std::string bytes = all_of(log);
  CHECK(bytes.substr(0, bytes.size() - 8) == expected);
}

TEST_CASE("integers are written in their shortest form, as far as Redis does") {
  CHECK(value_bytes("0") == "\xc0\x00"s);
  CHECK(value_bytes("127") == "\xc0\x7f"s);
  CHECK(value_bytes("-128") == "\xc0\x80"s);
  CHECK(value_bytes("128") == "\xc1\x80\x00"s);
  CHECK(value_bytes("-129") == "\xc1\x7f\xff"s);
  CHECK(value_bytes("32767") == "\xc1\xff\x7f"s);
  CHECK(value_bytes("32768") == "\xc2\x00\x80\x00\x00"s);
  CHECK(value_bytes("2147483647") == "\xc2\xff\xff\xff\x7f"s);
  CHECK(value_bytes("-2147483648") == "\xc2\x00\x00\x00\x80"s);
  CHECK(value_bytes("2147483648") ==
        "\x0a"
        "2147483648");
  CHECK(value_bytes("-2147483649") == "\x0b-2147483649");
  CHECK(value_bytes("-9223372036854775808") == "\x14-9223372036854775808");
  CHECK(value_bytes("01") ==
        "\x02"
        "01");
  CHECK(value_bytes("+1") == "\x02+1");
  CHECK(value_bytes("-0") == "\x02-0");
  CHECK(value_bytes("1 ") ==
        "\x02"
        "1 ");
  CHECK(value_bytes("") == "\x00"s);
}

TEST_CASE("an integer whose entry holds it as bytes is written as an integer too") {
  BlockLog log;
  RdbWriter writer(log, {});
  const EntryOwner entry(make_string_entry("k", "300", kNoExpiry, false));
  CHECK(writer.entry(*entry));
  CHECK(all_of(log) == "\x00\x01k\xc1\x2c\x01"s);
}

TEST_CASE("a key that is an integer is written as one") { CHECK(record_of("12", "x") == "\x00\xc0\x0c\x01x"s); }

TEST_CASE("lengths are written in their shortest form") {
  const auto length = [](uint64_t value) {
    char bytes[rdb::kLengthBytesMax];
    return std::string(bytes, rdb::put_length(bytes, value));
  };
  CHECK(length(63) == "\x3f");
  CHECK(length(64) == "\x40\x40");
  CHECK(length(16383) == "\x7f\xff");
  CHECK(length(16384) == "\x80\x00\x00\x40\x00"s);
  CHECK(length(0xffffffff) == "\x80\xff\xff\xff\xff");
  CHECK(length(0x100000000) == "\x81\x00\x00\x00\x01\x00\x00\x00\x00"s);
}

TEST_CASE("a string that repeats itself is packed if that is wanted") {
  const std::string text(5000, 'a');
  CHECK(value_bytes(text, false).size() == 5002);
  const std::string bytes = value_bytes(text);
  CHECK(bytes.size() < 100);
  CHECK(bytes[0] == '\xc3');
  CHECK(value_bytes(std::string(20, 'a')).size() == 21);
}

TEST_CASE("idle time and frequency are written where they are asked for") {
  AccessClock clock;
  clock.set_now(Instant{100'000'000'000}, WallTime{0});
  const EntryOwner entry = string_entry("k", "v", 5);
  entry->set_access(60);
  BlockLog idle_log, frequency_log;
  RdbWriter idle(idle_log, {.use = RdbUse::kIdle, .clock = &clock});
  CHECK(idle.entry(*entry));
  CHECK(all_of(idle_log) == "\xfc\x05\0\0\0\0\0\0\0\xf8\x28\x00\x01k\x01v"s);
  RdbWriter frequency(frequency_log, {.use = RdbUse::kFrequency, .clock = &clock});
  CHECK(frequency.entry(*entry));
  CHECK(all_of(frequency_log) == "\xfc\x05\0\0\0\0\0\0\0\xf9\x3c\x00\x01k\x01v"s);
}

TEST_CASE("a large value goes out in slices that are the same bytes as the whole") {
  Rng rng(test_seed("rdb slices"));
  for (const uint64_t letters : {2, 256})
    for (const size_t size : {16385, 100'000, 1'000'000}) {
      std::string value;
      while (value.size() < size) value.append(1 + rng.below(200), char(rng.below(letters)));
      for (const bool compress : {true, false}) {
        const EntryOwner entry = string_entry("big", value);
        BlockLog whole_log, sliced_log;
        RdbWriter whole(whole_log, {.compress = compress}), sliced(sliced_log, {.compress = compress});
        CHECK(whole.entry(*entry));
        int slices = 1;
        for (bool done = sliced.entry(*entry, 10'000); !done; done = sliced.go_on(10'000)) {
          CHECK(sliced.under_way() == entry.get());
          slices++;
        }
        CHECK(slices >= 2);
        CHECK(sliced.entries() == 1);
        CHECK(all_of(sliced_log) == all_of(whole_log));
      }
    }
}

TEST_CASE("a value that does not pack is written as it is, in slices too") {
  Rng rng(test_seed("rdb random value"));
  std::string value;
  while (value.size() < 300'000) value += char(rng.next());
  CHECK(value_bytes(value).size() == value.size() + 5);
  CHECK(value_bytes(value.substr(0, 1000)).size() == 1002);
}

TEST_CASE("the checksum reaches over all that was written, also when the log is trimmed on the way") {
  Rng rng(test_seed("rdb checksum"));
  BlockLog log(1000);
  log.append("bytes of another kind");
  RdbWriter writer(log, {});
  const uint64_t start = log.end();
  std::string bytes;
  const auto drain = [&] {
    writer.settle();
    log.for_each_piece(start + bytes.size(), [&](const char* at, size_t size) {
      bytes.append(at, size);
      return true;
    });
    log.trim(log.end());
  };
  writer.header({.redis_version = "7.2.4", .replication = SnapshotReplication{std::string(40, 'e'), 1234567890123, 3}, .aof_base = true});
  drain();
  writer.function("#!lua name=f\n");
  writer.select(3, 500, 0);
  for (int i = 0; i < 500; i++) {
    const EntryOwner entry = string_entry(std::to_string(rng.next()), std::string(rng.below(3000), char('a' + rng.below(26))));
    CHECK(writer.entry(*entry));
    if (rng.below(10) == 0) drain();
  }
  writer.end();
  drain();
  const std::string text = told(bytes);
  CHECK(text.find("aux repl-stream-db=3\naux repl-id=" + std::string(40, 'e') + "\naux repl-offset=1234567890123\naux aof-base=1\n") !=
        std::string::npos);
  CHECK(text.find("function #!lua name=f\n\nselect 3\nresize 500 0\n") != std::string::npos);
  CHECK(text.find("error") == std::string::npos);
}

TEST_CASE("without a checksum the file says that it has none") {
  BlockLog log;
  RdbWriter writer(log, {.checksum = false});
  writer.header({.redis_version = "7.2.4"});
  writer.end();
  CHECK(all_of(log).ends_with("\xff\0\0\0\0\0\0\0\0"s));
  CHECK(told(all_of(log)).find("error") == std::string::npos);
}

}  // namespace vedette
