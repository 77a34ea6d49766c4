// Entries under another key, and copies.
#include "server/store/transfer.h"

#include <doctest/doctest.h>

#include <string>

#include "server/store/string_value.h"

namespace vedette {
namespace {

const std::string kValues[] = {
    "", "v", "12345", "-7", std::string(44, 'e'), std::string(16 * 1024, 'i'), std::string(16 * 1024 + 1, 'x'), std::string(1 << 20, 'y')};
const std::string kKeys[] = {"k", "", std::string(4095, 'n'), std::string(4096, 'w'), std::string(70000, 'l')};

std::string value_of(const Entry& entry) {
  IntegerText text;
  return std::string(string_bytes(entry, text));
}

TEST_CASE("an entry under another key keeps value, expiry and access history") {
  for (const std::string& value : kValues)
    for (const std::string& from : kKeys)
      for (const std::string& to : kKeys)
        for (const int64_t expiry : {kNoExpiry, int64_t(1700000000000)}) {
          Entry* entry = make_string_entry(from, value, expiry);
          entry->set_access(12345);
          const std::string encoding(string_encoding_name(*entry));
          entry = rekeyed(entry, to);
          CHECK(entry->key() == to);
          CHECK(value_of(*entry) == value);
          CHECK(entry->expiry_ms() == expiry);
          CHECK(entry->access() == 12345);
          CHECK(string_encoding_name(*entry) == encoding);
          destroy_entry(entry);
        }
}

TEST_CASE("a large value changes hands instead of being copied") {
  Entry* entry = make_string_entry("from", std::string(100000, 'x'), kNoExpiry);
  const StringBuffer* buffer = entry->pointer<StringBuffer>();
  entry = rekeyed(entry, "to");
  CHECK(entry->pointer<StringBuffer>() == buffer);
  destroy_entry(entry);
}

TEST_CASE("a copy shares nothing with its original") {
  for (const std::string& value : kValues)
    for (const std::string& key : kKeys) {
      Entry* original = make_string_entry("original", value, 1700000000000);
      Entry* copy = duplicated(*original, key);
      CHECK(string_encoding_name(*copy) == string_encoding_name(*original));
      destroy_entry(original);
      CHECK(copy->key() == key);
      CHECK(copy->expiry_ms() == 1700000000000);
      CHECK(value_of(*copy) == value);
      destroy_entry(copy);
    }
}

TEST_CASE("a string that was changed in place reads raw elsewhere too") {
  Entry* entry = make_string_entry("k", "short", kNoExpiry);
  entry->set_modified(true);
  Entry* copy = duplicated(*entry, "c");
  entry = rekeyed(entry, "r");
  CHECK(string_encoding_name(*copy) == "raw");
  CHECK(string_encoding_name(*entry) == "raw");
  destroy_entry(entry);
  destroy_entry(copy);
}

}  // namespace
}  // namespace vedette
