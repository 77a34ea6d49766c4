// Names of commands: any length, any case, nothing that merely looks like one.
#include "common/command/table.h"

#include <doctest/doctest.h>

#include "tests/unit/common/command/sample_rows.h"

using namespace vedette;
using namespace vedette::sample;

namespace {

// GET under a name of each length, each of other letters.
struct Names {
  CommandTable<int, Context> table;
  std::vector<std::string> names;

  explicit Names(size_t longest) {
    table.add(kRows);
    for (size_t size = 1; size <= longest; size++) {
      std::string name;
      for (size_t i = 0; i < size; i++) name += "QWxyZ09_-.zap"[(size * 7 + i * 5) % 13];
      names.push_back(name);
    }
  }
  bool finds(std::string_view name) const { return table.find_name(name) != nullptr; }
};

}  // namespace

TEST_CASE("a command is found by its name in any case, whatever its length") {
  constexpr size_t kLongest = 45;  // a renamed command may well be a hash of forty letters
  Names sample(kLongest);
  std::string now = "GET";
  const CommandInfo* get = sample.table.find_name(now);
  REQUIRE(get);
  for (const std::string& name : sample.names) {
    CAPTURE(name);
    REQUIRE(sample.table.rename(now, name));
    CHECK_FALSE(sample.finds(now));
    now = name;
    CHECK(sample.table.find_name(name) == get);
    CHECK(sample.table.find_name(to_lower(name)) == get);
    CHECK(sample.table.find_name(to_upper(name)) == get);
    for (size_t i = 0; i < name.size(); i++) {
      // Every other byte in every place: only the letter's other case is the same name.
      for (int byte = 0; byte < 256; byte++) {
        std::string other = name;
        other[i] = char(byte);
        REQUIRE((sample.table.find_name(other) == get) == (to_upper(char(byte)) == to_upper(name[i])));
      }
    }
    CHECK_FALSE(sample.finds(name + "x"));
    CHECK_FALSE(sample.finds(name.substr(1)));
  }
  CHECK_FALSE(sample.finds(""));
}
