// Where keys stand, against a plain search and with random arguments.
#include "common/command/key_positions.h"

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "tests/unit/common/command/sample_rows.h"

using namespace vedette;

namespace {

std::string positions(std::string_view request) {
  const auto table = sample::table();
  const auto argv = sample::words(request);
  std::vector<KeyPosition> found = {{99, 0}};
  if (!find_keys(*table.find(argv), argv, found)) {
    CHECK(found.size() == 1);  // as before
    return "misfit";
  }
  std::string text;
  for (size_t i = 1; i < found.size(); i++) text += (i > 1 ? " " : "") + std::to_string(found[i].index);
  return text;
}

}  // namespace

TEST_CASE("keys are found where the specs say") {
  CHECK(positions("get k") == "1");
  CHECK(positions("mset a 1 b 2") == "1 3");
  CHECK(positions("object encoding k") == "2");
  CHECK(positions("eval s 2 a b c") == "3 4");
  CHECK(positions("eval s 3 a b") == "misfit");
  CHECK(positions("eval s -1 a") == "misfit");
  CHECK(positions("eval s 9223372036854775807 a") == "misfit");
  CHECK(positions("eval s 0 a") == "");
  CHECK(positions("zunionstore d 2 a b weights 1 2") == "1 3 4");
  CHECK(positions("xread block 0 STREAMS a b c 1 2 3") == "4 5 6");
  CHECK(positions("ssubscribe a b") == "");
  CHECK(positions("config get a") == "");
}

TEST_CASE("MIGRATE has its keys in the third place or after KEYS, never in a password") {
  CHECK(positions("migrate h 1 k 0 9") == "3");
  CHECK(positions("migrate h 1 '' 0 9 copy keys a b") == "8 9");
  CHECK(positions("migrate h 1 k 0 9 auth keys") == "3");
  CHECK(positions("migrate h 1 '' 0 9 auth2 keys keys keys a") == "10");
  CHECK(positions("migrate h 1 k 0 9 keys a") == "misfit");
}

TEST_CASE("a plain range needs no search") {
  const auto table = sample::table();
  const auto range = plain_key_range(*table.find_name("mset"), 5);
  REQUIRE(range);
  CHECK((range->first == 1 && range->last == 4 && range->step == 2));
  CHECK_FALSE(plain_key_range(*table.find_name("eval"), 5));
  const auto none = plain_key_range(*table.find_name("wait"), 3);
  REQUIRE(none);
  CHECK(none->last < none->first);
  CHECK(plain_key_range(*table.find_name("ssubscribe"), 3)->last == -1);
}

TEST_CASE("whatever the arguments, keys lie among them and a plain range agrees with the search") {
  const uint64_t seed = machine_seed();
  CAPTURE(seed);
  Rng rng(seed);
  const auto table = sample::table();
  constexpr std::string_view kWords[] = {"a", "", "0", "1", "2", "-1", "99", "STREAMS", "KEYS", "STORE", "GET", "AUTH"};
  for (int run = 0; run < 20000; run++) {
    const CommandInfo& command = *table.commands()[rng.below(table.commands().size())];
    std::vector<std::string_view> argv = {command.spec->name};
    for (uint64_t i = rng.below(9); i > 0; i--) argv.push_back(kWords[rng.below(std::size(kWords))]);
    if (!command.accepts_argument_count(argv.size())) continue;
    std::vector<KeyPosition> found;
    if (!find_keys(command, argv, found)) continue;
    for (const KeyPosition& key : found) CHECK((key.index > 0 && key.index < int(argv.size())));
    if (const auto range = plain_key_range(command, argv.size())) {
      size_t i = 0;
      for (int at = range->first; at <= range->last; at += range->step) {
        REQUIRE(i < found.size());
        CHECK(found[i++].index == at);
      }
      CHECK(i == found.size());
    }
  }
}
