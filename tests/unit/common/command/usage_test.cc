// Usage lines to argument trees, and ill-formed ones.
#include "common/command/usage.h"

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "common/command/usage_syntax.h"
#include "tests/unit/common/command/sample_rows.h"

using namespace vedette;

namespace {

// name:type with ? optional, + multiple, ++ multiple with its token, =TOKEN, (parts).
std::string shown(const std::vector<CommandArgument>& arguments) {
  std::string text;
  for (const CommandArgument& argument : arguments) {
    if (!text.empty()) text += ' ';
    text += argument.name + ":" + std::string(to_text(argument.type));
    if (argument.has_token) text += "=" + argument.token;
    if (argument.optional) text += '?';
    if (argument.multiple) text += argument.multiple_token ? "++" : "+";
    if (!argument.arguments.empty()) text += "(" + shown(argument.arguments) + ")";
  }
  return text;
}

std::string tree(std::string_view usage) {
  const auto parsed = parse_usage(usage);
  return parsed ? shown(*parsed) : "fault: " + parsed.error().text();
}

}  // namespace

TEST_CASE("a usage line becomes a tree of arguments") {
  CHECK(tree("") == "");
  CHECK(tree("key value") == "key:key value:string");
  CHECK(tree("[count]") == "count:integer?");
  CHECK(tree("NO ONE") == "no:pure-token=NO one:pure-token=ONE");
  CHECK(tree("<host port | NO ONE>") ==
        "host_port_no_one:oneof(host_port:block(host:string port:integer) "
        "no_one:block(no:pure-token=NO one:pure-token=ONE))");
  CHECK(tree("key [LIMIT offset count] [REV]") == "key:key offset_count:block=LIMIT?(offset:integer count:integer) rev:pure-token=REV?");
  CHECK(tree("[COUNT count [ANY]]") == "count_any:block?(count:integer=COUNT any:pure-token=ANY?)");
  CHECK(tree("<* | id>") == "auto_id:oneof(auto:pure-token=* id:string)");
}

TEST_CASE("a repetition takes the place of its first turn") {
  CHECK(tree("key [key ...]") == "key:key+");
  CHECK(tree("[key [key ...]]") == "key:key?+");
  CHECK(tree("[key ...]") == "key:key?+");
  CHECK(tree("key field value [field value ...]") == "key:key field_value:block+(field:string value:string)");
  CHECK(tree("[PREFIX prefix [PREFIX prefix ...]]") == "prefix:string=PREFIX?++");
  CHECK(tree("numkeys key [key ...] [WEIGHTS weight [weight ...]]") == "numkeys:integer key:key+ weight:integer=WEIGHTS?+");
  CHECK(tree("OVERFLOW <WRAP | SAT>") == "wrap_sat:oneof=OVERFLOW(wrap:pure-token=WRAP sat:pure-token=SAT)");
  CHECK(tree("<A a | B b> [<A a | B b> ...]") == "a_b:oneof+(a:string=A b:string=B)");
}

TEST_CASE("an ill-formed usage line is told apart") {
  for (std::string_view bad : {"[", "]", "[]", "key [NX", "NX]", "<a>", "<a | >", "[ | a]", "a | b", "...", "key ...", "[key ... a]",
                               "[a | b ...]", "<a ...| b>", "[a>", "<a | b]", "Key", "[[[[[[[[[[[[[a]"}) {
    CAPTURE(bad);
    CHECK_FALSE(usage_fault(bad).empty());
    CHECK(tree(bad).starts_with("fault: "));
  }
}

TEST_CASE("types follow from the names of values") {
  CHECK(type_of_argument("newkey") == ArgumentType::kKey);
  CHECK(type_of_argument("seconds") == ArgumentType::kInteger);
  CHECK(type_of_argument("radius") == ArgumentType::kDouble);
  CHECK(type_of_argument("increment-float") == ArgumentType::kDouble);
  CHECK(type_of_argument("unix-time-milliseconds") == ArgumentType::kUnixTime);
  CHECK(type_of_argument("pattern") == ArgumentType::kPattern);
  CHECK(type_of_argument("member") == ArgumentType::kString);
}

TEST_CASE("every row of the sample has a usage line that reads") {
  for (const auto& row : sample::kRows) CHECK(arguments_of(row.spec).is_ok());
}

TEST_CASE("any line of the notation's pieces is either faulty or read") {
  const uint64_t seed = machine_seed();
  CAPTURE(seed);
  Rng rng(seed);
  constexpr std::string_view kPieces[] = {"key", "value", "NX", "COUNT", "[", "]", "<", ">", "|", "...", "*", "\"\""};
  int read = 0;
  for (int run = 0; run < 20000; run++) {
    std::string line;
    for (uint64_t i = rng.below(10); i > 0; i--) line += std::string(kPieces[rng.below(std::size(kPieces))]) + " ";
    const auto parsed = parse_usage(line);
    CHECK(parsed.is_ok() == usage_fault(line).empty());
    read += parsed.is_ok();
  }
  CHECK(read > 0);
}
