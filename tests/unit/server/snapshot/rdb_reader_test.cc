// The reader: every form, torn everywhere, damaged everywhere.
#include "server/snapshot/rdb_reader.h"

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "server/store/list_value.h"
#include "tests/unit/seed.h"
#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {
namespace {

using namespace rdb_bytes;
using namespace std::string_literals;

// A file with every kind of record that is read.
std::string rich_file() {
  std::string long_value;
  for (int i = 0; i < 400; i++) long_value += "abcabd" + std::to_string(i);
  BlockLog log;
  RdbWriter writer(log, {});
  writer.header({.redis_version = "7.2.4",
                 .created_seconds = 1700000000,
                 .used_memory = 1 << 20,
                 .replication = SnapshotReplication{"0123456789abcdef0123456789abcdef01234567", 99, 0}});
  writer.function("#!lua name=lib\nredis.register_function('f', function() end)");
  for (const int db : {0, 15}) {
    writer.select(db, 6, 2);
    for (const auto& [key, value, expiry] :
         std::initializer_list<std::tuple<std::string, std::string, int64_t>>{{"plain", "value", kNoExpiry},
                                                                              {"expires", "soon", 1700000000123},
                                                                              {"integer", "123456", kNoExpiry},
                                                                              {"", "", 5},
                                                                              {"packed", long_value, kNoExpiry},
                                                                              {std::string(70, 'k'), std::string(3000, 'v'), kNoExpiry}}) {
      const EntryOwner entry = string_entry(key, value, expiry);
      CHECK(writer.entry(*entry));
    }
  }
  std::string bytes = all_of(log).substr(9);
  bytes += "\xf4\x05\x0a\x00"s;  // slot info
  bytes +=
      "\xf7\x81\x45\xe2\x52\x38\xdf\x91\x2c\x03"
      "\x02\x02"s  // a module's data
      "\x01\x0a\x02\x40\xff\x03"
      "abcd"
      "\x04"
      "abcdefgh"
      "\x05\x06string\x05\xc1"
      "ab\x05\xc3\x03\x40\x20qqq\x00"s;
  bytes += "\xf8\x0a\xfd\x10\x00\x00\x00\xf9\x07\x00\x01k\xc2\xff\xff\xff\xff"s;  // idle, seconds, frequency,
                                                                                  // int32
  return framed(bytes);
}

}  // namespace

TEST_CASE("the reader tells everything that a file holds") {
  const std::string text = told(rich_file());
  CHECK(text.starts_with("redis 10\naux redis-ver=7.2.4\naux redis-bits=64\naux ctime=1700000000\naux used-mem=1048576\n"));
  CHECK(text.find("select 15\nresize 6 2\n15 plain=value\n15 expires=soon at 1700000000123\n15 "
                  "integer=123456\n15 = at 5\n") != std::string::npos);
  CHECK(text.ends_with("\nmodule ReJSON-RL\n15 k=-1 at 16000 idle 10 freq 7\n"));
}

TEST_CASE("a file torn anywhere tells the same as in one piece") {
  const std::string bytes = rich_file(), whole = told(bytes);
  for (size_t piece = 1; piece < 40; piece++) CHECK(told(bytes, piece) == whole);
  for (size_t cut = 0; cut <= bytes.size(); cut++) {
    Telling telling;
    RdbReader reader(telling);
    REQUIRE(reader.feed(bytes.substr(0, cut)));
    REQUIRE(reader.finished() == (cut == bytes.size()));
    REQUIRE(reader.feed(bytes.substr(cut)));
    REQUIRE(reader.finished());
    REQUIRE(telling.all() == whole);
  }
}

TEST_CASE("keys without elements are told as such, and the reading goes on behind them") {
  const std::string ziplist = "\x0b\x0b\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xff"s, listpack = "\x07\x07\x00\x00\x00\x00\x00\xff"s;
  const std::pair<RdbType, std::string> empties[] = {
      {RdbType::kList, "\x00"s},
      {RdbType::kSet, "\x00"s},
      {RdbType::kSortedSet, "\x00"s},
      {RdbType::kSortedSet2, "\x00"s},
      {RdbType::kHash, "\x00"s},
      {RdbType::kListZiplist, ziplist},
      {RdbType::kSortedSetZiplist, ziplist},
      {RdbType::kHashZiplist, ziplist},
      {RdbType::kListQuicklist, "\x00"s},
      {RdbType::kListQuicklist, "\x02"s + ziplist + ziplist},
      {RdbType::kListQuicklist2, "\x00"s},
      {RdbType::kListQuicklist2, "\x01\x02"s + listpack},
      {RdbType::kHashListpack, listpack},
      {RdbType::kSortedSetListpack, listpack},
      {RdbType::kSetListpack, listpack},
      {RdbType::kHashMetadata, std::string(8, '\0') + "\x00"s},
      {RdbType::kHashListpackEx, std::string(8, '\0') + listpack},
  };
  for (const auto& [type, value] : empties) {
    CAPTURE(int(type));
    const std::string records = "\xfe\x03\xfd\x10\x00\x00\x00\xf9\x07"s + char(type) +
                                "\x04"
                                "gone" +
                                value + "\x00\x01k\x01v"s;
    for (const size_t piece : {size_t(1), size_t(5), SIZE_MAX})
      CHECK(told(framed(records), piece) == "redis 10\nselect 3\n3 gone is empty\n3 k=v\n");
  }
}

TEST_CASE("a torn list of small elements and what follows it are told the same, wherever it is torn") {
  struct Sizes final : RdbHandler {
    std::string text;
    Status on_function(std::string_view) override { return Error("unexpected"); }
    Status on_entry(int, Entry* entry, const RdbEntryUse&) override {
      const EntryOwner owner(entry);
      text += fmt::format("{} {} ", entry->key(), entry->type() == ValueType::kList ? ListView(*entry).size() : 0);
      return Status::ok();
    }
  };
  std::string records =
      "\xfe\x00\x01\x01"
      "a\x43\xe8"s;
  for (int i = 0; i < 1000; i++) records += "\x01x";
  records +=
      "\x00\x01k\x01v\x01\x01"
      "b\x02\x01y\x01z"s;
  const std::string bytes = framed(records);
  for (size_t cut = 9; cut < bytes.size(); cut += 13) {
    Sizes sizes;
    RdbReader reader(sizes);
    REQUIRE(reader.feed(bytes.substr(0, cut)));
    REQUIRE(reader.feed(bytes.substr(cut) + "tail"));
    REQUIRE(reader.finished());
    REQUIRE(reader.unread_tail() == 4);
    REQUIRE(sizes.text == "a 1000 k 0 b 2 ");
  }
}

TEST_CASE("a file that ends too early is an error that names the byte") {
  const std::string bytes = rich_file();
  for (size_t size = 0; size < bytes.size(); size++) {
    const std::string text = told(bytes.substr(0, size));
    const std::string expected = size == 0 ? "error: RDB: the file is empty\n"
                                           : fmt::format("error: RDB: at byte {}: the file ends too early\n", size);
    REQUIRE(text.ends_with(expected));
  }
}

TEST_CASE("a flipped byte is an error where there is a checksum, and no crash where there is none") {
  const std::string good = rich_file();
  for (size_t at = 0; at < good.size(); at++)
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[at] = char(bad[at] ^ flip);
      REQUIRE(told(bad).find("error: ") != std::string::npos);
      (void)told(bad, 7, false);
    }
}

TEST_CASE("a wrong checksum is an error, unless it is zero or is not to be looked at") {
  std::string bytes = framed("\xfe\x00\x00\x01k\x01v"s);
  bytes.back() ^= 1;
  CHECK(told(bytes).find("error: RDB: at byte 17: CRC error: the checksum says ") != std::string::npos);
  CHECK(told(bytes, SIZE_MAX, false).find("error") == std::string::npos);
  bytes.replace(bytes.size() - 8, 8, 8, '\0');
  CHECK(told(bytes).find("error") == std::string::npos);
}

TEST_CASE("old files have no checksum, and expiries in seconds") {
  CHECK(told(framed("\xfe\x00\xfd\x00\x00\x00\x01\x00\x01k\x01v"s, 1)) == "redis 1\nselect 0\n0 k=v at 16777216000\n");
  CHECK(told(framed("\xfe\x02\x00\x01k\x01v"s, 4)) == "redis 4\nselect 2\n2 k=v\n");
}

TEST_CASE("bytes after the end are left to who knows them") {
  const std::string bytes = framed("\xfe\x00\x00\x01k\x01v"s);
  for (const size_t cut : {bytes.size(), bytes.size() - 1, bytes.size() - 9, size_t(0)}) {
    Telling telling;
    RdbReader reader(telling);
    CHECK(reader.feed(bytes.substr(0, cut)));
    CHECK(reader.unread_tail() == 0);
    CHECK(reader.feed(bytes.substr(cut) + "*1\r\n$4\r\nPING\r\n"));
    CHECK(reader.finished());
    CHECK(reader.unread_tail() == 14);
    CHECK(reader.offset() == bytes.size());
    CHECK(reader.feed("more"));
    CHECK(reader.unread_tail() == 4);
    CHECK(reader.end_of_input());
  }
}

TEST_CASE("every form of a length is read, short or not") {
  for (const std::string& length : {"\x03"s, "\x40\x03"s, "\x80\x00\x00\x00\x03"s, "\x81\x00\x00\x00\x00\x00\x00\x00\x03"s})
    CHECK(told(framed("\xfe\x00\x00"s + length + "key"s + length + "val"s)) == "redis 10\nselect 0\n0 key=val\n");
}

TEST_CASE("encoded integers are read in keys, values and names") {
  CHECK(told(framed("\xfe\x00\x00\xc0\xff\xc1\x00\x80"s)) == "redis 10\nselect 0\n0 -1=-32768\n");
  CHECK(told(framed("\xfa\xc2\x01\x00\x00\x00\xc2\x00\x00\x00\x80"s)) == "redis 10\naux 1=-2147483648\n");
}

TEST_CASE("a canonical integer becomes one in memory, whatever its form in the file") {
  struct Encodings final : RdbHandler {
    std::string seen;
    Status on_function(std::string_view) override { return Status::ok(); }
    Status on_entry(int, Entry* entry, const RdbEntryUse&) override {
      seen += std::string(string_encoding_name(*entry)) + ' ';
      destroy_entry(entry);
      return Status::ok();
    }
  } handler;
  RdbReader reader(handler);
  CHECK(
      reader.feed(framed("\x00\x01"
                         "a\x03"
                         "123\x00\x01"
                         "b\xc0\x01\x00\x01"
                         "c\x13"
                         "9223372036854775807\x00\x01"
                         "d\x02"
                         "01"s)));
  CHECK(handler.seen == "int int int embstr ");
}

TEST_CASE("bad bytes are refused with their place") {
  const auto error_of = [](std::string_view records) {
    const std::string text = told(framed(records));
    const size_t at = text.find("error: ");
    REQUIRE(at != std::string::npos);
    return text.substr(at + 7, text.size() - at - 8);
  };
  CHECK(error_of("\x00\x82"s) == "RDB: at byte 9: bad length: no length begins with the byte 0x82");
  CHECK(error_of("\x00\xc4"s) == "RDB: at byte 9: a string begins with the unknown byte 0xc4");
  CHECK(error_of("\x00\x01k\x81\x00\x00\x02\x00\x00\x00\x00\x00"s) ==
        "RDB: at byte 9, db 0, key \"k\": bad length: a string of 2199023255552 bytes");
  CHECK(error_of("\xfe\xc0\x01"s) == "RDB: at byte 9: bad length: no length begins with the byte 0xc0");
  CHECK(error_of("\xfe\x81\x00\x00\x00\x00\x80\x00\x00\x00"s) == "RDB: at byte 9: there can be no database 2147483648");
  CHECK(error_of("\xfe\x07\x00\x01k\xc3\x03\x40\x20qqq"s) == "RDB: at byte 11, db 7, key \"k\": packed bytes are damaged (LZF)");
  CHECK(error_of("\x00\x01k\xc3\x01\x80\x7f\xff\xff\xff"
                 "a"s) == "RDB: at byte 9, db 0, key \"k\": bad length: packed bytes cannot hold the length they claim");
  CHECK(error_of("\x08\x01k"s) == "RDB: at byte 9: unknown type or opcode 8");
  CHECK(error_of("\xf2"s) == "RDB: at byte 9: unknown type or opcode 242");
  CHECK(error_of("\xf3"s) == "RDB: at byte 9: unknown type or opcode 243");
  CHECK(error_of("\xf6"s) == "RDB: at byte 9: functions in the form of a release candidate of 7.0 cannot be loaded");
  CHECK(error_of("\xf7\x00\x01"s + "\x00"s) == "RDB: at byte 9: bad data of module \"AAAAAAAAA\"");
  CHECK(error_of("\xf7\x00\x02\x00\x06"s) == "RDB: at byte 13: bad data of module \"AAAAAAAAA\"");
}

TEST_CASE(
    "a value of a type that is not there yet is refused with its key and type, and nothing after it is "
    "told") {
  const std::string text = told(
      framed("\xfe\x03\x00\x01"
             "a\x01"
             "1\x06\x03"
             "foo\x01\x02\x03"
             "abc\x00\x01z\x01"
             "1"s));
  CHECK(text ==
        "redis 10\nselect 3\n3 a=1\nerror: RDB: db 3, key \"foo\": values of type module-pre-ga (6) "
        "cannot be loaded yet\n");
  CHECK(told("REDIS0012\x16\x01h"s).ends_with("values of type hash-metadata-pre-ga (22) cannot be loaded yet\n"));
  CHECK(told("VALKEY080\x18\x01h"s).ends_with("unknown type or opcode 24\n"));
}

TEST_CASE("versions of both families are read, and newer ones are refused") {
  CHECK(told(framed("", 11)) == "redis 11\n");
  CHECK(told(framed("", 12)) == "redis 12\n");
  CHECK(told("VALKEY080\xff\0\0\0\0\0\0\0\0"s) == "valkey 80\n");
  CHECK(told("REDIS0013") == "error: RDB: at byte 0: version \"REDIS0013\" is too new; the newest that is understood is 12\n");
  CHECK(told("VALKEY081").find("too new") != std::string::npos);
  CHECK(told("VALKEY011") == "error: RDB: at byte 0: bad version \"011\"\n");
  CHECK(told("REDIS0000") == "error: RDB: at byte 0: bad version \"0000\"\n");
  CHECK(told("REDIS00x1") == "error: RDB: at byte 0: bad version \"00x1\"\n");
  CHECK(told("REDIX") == "error: RDB: at byte 0: this is no RDB: it does not begin with REDIS or VALKEY\n");
  CHECK(told("V") == "error: RDB: at byte 1: the file ends too early\n");
  CHECK(told("x") == "error: RDB: at byte 0: this is no RDB: it does not begin with REDIS or VALKEY\n");
}

TEST_CASE("a handler's refusal ends the reading in its own words, and stays") {
  const std::string bytes = rich_file();
  for (const std::string line : {"redis 10", "aux redis-bits=64", "select 15", "resize 6 2", "0 integer=123456", "module ReJSON-RL"}) {
    Telling telling;
    telling.refuse = line;
    RdbReader reader(telling);
    const Status status = reader.feed(bytes);
    REQUIRE(!status);
    CHECK(status.error().text() == "refused");
    CHECK(telling.lines.back() == line);
    CHECK(reader.feed("more").error().text() == "refused");
    CHECK(reader.end_of_input().error().text() == "refused");
  }
}

TEST_CASE("large strings come whole out of small pieces") {
  Rng rng(test_seed("rdb large strings"));
  std::string records = "\xfe\x00"s, expected = "redis 10\nselect 0\n";
  BlockLog log;
  RdbWriter writer(log, {});
  for (const size_t size : {16383, 16384, 16385, 65536, 65537, 1'000'000}) {
    std::string value;
    while (value.size() < size) value += char('a' + rng.below(26));
    const std::string key = std::string(size / 10, 'k');
    const EntryOwner entry = string_entry(key, value, int64_t(size));
    CHECK(writer.entry(*entry));
    expected += fmt::format("0 {}={} at {}\n", key, value, size);
  }
  const std::string bytes = framed(records + all_of(log));
  for (const size_t piece : {1, 13, 4096, 65536, 1 << 30}) CHECK(told(bytes, piece) == expected);
}

TEST_CASE("a hostile length takes no memory on its word") {
  for (const std::string& record : {"\x00\x01k\x81\x00\x00\x00\xff\xff\xff\xff\xff"s, "\x00\x81\x00\x00\x00\xff\xff\xff\xff\xff"s,
                                    "\x00\x01k\xc3\x80\xff\xff\xff\xff\x81\x00\x00\x00\x10\xff\xff\xff\xff"s, "\xfa\x80\xff\xff\xff\xff"s,
                                    "\xf5\x80\xff\xff\xff\xff"s}) {
    Telling telling;
    RdbReader reader(telling);
    CHECK(reader.feed("REDIS0010" + record));
    const uint64_t before = used_memory();
    for (int i = 0; i < 100; i++) CHECK(reader.feed(std::string(1000, 'x')));
    CHECK(used_memory() - before < 1 << 20);
    CHECK(!reader.end_of_input());
  }
}

}  // namespace vedette
