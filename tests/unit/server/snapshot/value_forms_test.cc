// Values as commands, as an append-only file holds them.
#include "server/snapshot/value_forms.h"

#include <doctest/doctest.h>

#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {

using namespace rdb_bytes;

TEST_CASE("a string is printed as SET, and PEXPIREAT if it expires") {
  BlockLog log;
  ValueProgress progress;
  CHECK(print_entry_slice(*string_entry("key", "value"), log, progress, SIZE_MAX));
  CHECK(print_entry_slice(*string_entry("n", "-7", 1234), log, progress, SIZE_MAX));
  CHECK(all_of(log) ==
        "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"
        "*3\r\n$3\r\nSET\r\n$1\r\nn\r\n$2\r\n-7\r\n*3\r\n$9\r\nPEXPIREAT\r\n$1\r\nn\r\n$4\r\n1234\r\n");
}

TEST_CASE("keys and values of any size and bytes are printed") {
  for (const size_t key_size : {0, 1, 9, 10, 99, 100, 16'000, 20'000})
    for (const size_t value_size : {0, 9, 10, 380, 390, 16'384, 100'000}) {
      const std::string key(key_size, '\0'), value(value_size, '\n');
      BlockLog log;
      ValueProgress progress;
      while (!print_entry_slice(*string_entry(key, value), log, progress, SIZE_MAX)) {}
      CHECK(all_of(log) == fmt::format("*3\r\n$3\r\nSET\r\n${}\r\n{}\r\n${}\r\n{}\r\n", key_size, key, value_size, value));
    }
}

TEST_CASE("a large string is printed in slices") {
  const std::string value(100'000, 'x');
  const EntryOwner entry = string_entry("key", value, 5);
  BlockLog log, whole;
  ValueProgress progress;
  int slices = 1;
  while (!print_entry_slice(*entry, log, progress, 999)) slices++;
  CHECK(slices == 101);
  CHECK(print_entry_slice(*entry, whole, progress, SIZE_MAX));
  CHECK(all_of(log) == all_of(whole));
}

}  // namespace vedette
