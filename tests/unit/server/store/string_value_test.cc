// Strings in their three forms, and changes in place.
#include "server/store/string_value.h"

#include <doctest/doctest.h>

#include <string>

#include "common/base/rng.h"

namespace vedette {
namespace {

// One database with one key, which is what the functions of string_value.h work on.
struct Fixture {
  Database db{HashKey{1, 2}};
  Key key = db.key_of("key");

  Database::Place place() const { return db.find(key); }
  Entry& entry() const { return *place().item(); }
  std::string text() const {
    IntegerText digits;
    return std::string(string_bytes(entry(), digits));
  }
  std::string_view encoding() const { return string_encoding_name(entry()); }
  void put(std::string_view bytes, int64_t expiry_ms = kNoExpiry) {
    if (place()) db.erase(key.hash, place());
    db.add(key.hash, make_string_entry(key.bytes, bytes, expiry_ms));
  }
};

TEST_CASE_FIXTURE(Fixture, "a canonical integer is stored as one, everything else as bytes") {
  for (const char* number : {"0", "-1", "12", "9223372036854775807", "-9223372036854775808"}) {
    put(number);
    CHECK(entry().encoding() == Encoding::kInteger);
    CHECK(encoding() == "int");
    CHECK(text() == number);
    CHECK(string_size(entry()) == std::string_view(number).size());
  }
  for (const char* bytes : {"", "-0", "01", "+1", " 1", "1 ", "1.0", "9223372036854775808", "-9223372036854775809", "-"}) {
    put(bytes);
    CHECK(entry().encoding() == Encoding::kInline);
    CHECK_FALSE(string_integer(entry()));
    CHECK(text() == bytes);
  }
}

TEST_CASE_FIXTURE(Fixture, "bytes that were stored as bytes may still read as an integer") {
  db.add(key.hash, make_string_entry(key.bytes, "42", kNoExpiry, false));
  CHECK(entry().encoding() == Encoding::kInline);
  CHECK(string_integer(entry()) == 42);
  assign_integer(db, place(), 43);
  CHECK(encoding() == "int");
  CHECK(text() == "43");
}

TEST_CASE_FIXTURE(Fixture, "the bounds between the encodings are where they should be") {
  put(std::string(44, 'x'));
  CHECK(encoding() == "embstr");
  put(std::string(45, 'x'));
  CHECK(encoding() == "raw");
  put(std::string(Entry::kInlineMax, 'x'));
  CHECK(entry().encoding() == Encoding::kInline);
  put(std::string(Entry::kInlineMax + 1, 'x'));
  CHECK(entry().encoding() == Encoding::kExternal);
  CHECK(text() == std::string(Entry::kInlineMax + 1, 'x'));
}

TEST_CASE_FIXTURE(Fixture, "assigning in place changes value and expiry, and the count of expiries") {
  put("aaaa");
  const Entry* before = &entry();
  assign_string(db, place(), "bbbb", kNoExpiry);
  CHECK(&entry() == before);
  CHECK(text() == "bbbb");
  CHECK(db.expires() == 0);
  assign_string(db, place(), "cccc", 5000);
  CHECK(entry().expiry_ms() == 5000);
  CHECK(db.expires() == 1);
  const Entry* with_expiry = &entry();
  assign_string(db, place(), "dddd", 6000);
  CHECK(&entry() == with_expiry);
  CHECK(entry().expiry_ms() == 6000);
  assign_string(db, place(), "7", kNoExpiry);
  CHECK(db.expires() == 0);
  CHECK(encoding() == "int");
  assign_integer(db, place(), -8);
  CHECK(text() == "-8");
}

TEST_CASE_FIXTURE(Fixture, "an integer that is assigned keeps the expiry") {
  put("text", 5000);
  assign_integer(db, place(), 9);
  CHECK(entry().expiry_ms() == 5000);
  CHECK(text() == "9");
}

TEST_CASE_FIXTURE(Fixture, "what has been resized reads raw until it is assigned anew") {
  put("12");
  resize_string(db, place(), 3)[2] = 'x';
  CHECK(text() == "12x");
  CHECK(encoding() == "raw");
  assign_string(db, place(), "ab", kNoExpiry);
  CHECK(encoding() == "embstr");
}

TEST_CASE_FIXTURE(Fixture, "resizing to nothing and back leaves zeros") {
  put("hello");
  resize_string(db, place(), 0);
  CHECK(text().empty());
  resize_string(db, place(), 3);
  CHECK(text() == std::string(3, 0));
}

TEST_CASE_FIXTURE(Fixture, "a string that grows byte by byte is moved a few times only") {
  put("");
  int moves = 0;
  const void* at = nullptr;
  for (size_t size = 1; size <= 100000; size++) {
    char* bytes = resize_string(db, place(), size);
    moves += bytes != at;
    at = bytes;
    bytes[size - 1] = char('a' + size % 26);
  }
  CHECK(moves < 60);
  CHECK(string_size(entry()) == 100000);
  CHECK(text()[99999] == char('a' + 100000 % 26));
}

TEST_CASE_FIXTURE(Fixture, "random sizes and assignments agree with a std::string") {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    CAPTURE(seed);
    Rng rng(seed);
    std::string model = "start";
    int64_t expiry_ms = kNoExpiry;
    put(model);
    for (int step = 0; step < 500; step++) {
      const size_t size = rng.below(4) ? rng.below(700) : rng.below(40000);
      if (rng.below(3) == 0) {
        model.assign(size, char('a' + rng.below(26)));
        expiry_ms = rng.below(2) ? kNoExpiry : int64_t(rng.below(1000000));
        assign_string(db, place(), model, expiry_ms);
      } else if (rng.below(5) == 0) {
        expiry_ms = rng.below(2) ? kNoExpiry : int64_t(rng.below(1000000));
        db.set_expiry(place(), expiry_ms);
      } else {
        model.resize(size, 0);
        char* bytes = resize_string(db, place(), size);
        if (size) bytes[size - 1] = model[size - 1] = char(rng.below(256));
      }
      REQUIRE(text() == model);
      REQUIRE(entry().expiry_ms() == expiry_ms);
      REQUIRE(db.expires() == size_t(expiry_ms != kNoExpiry));
    }
  }
}

}  // namespace
}  // namespace vedette
