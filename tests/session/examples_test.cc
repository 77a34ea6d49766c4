// Runs the examples of every command's row: the documentation that users read is what the server does.
//
// A row's examples are steps separated by ';', each "COMMAND args -> reply"; the reply is written as reply.h
// tells. Quotes protect ';' and '->'. Each row starts on an empty server with one client.
#include <doctest/doctest.h>

#include "common/base/text.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

struct Step {
  std::string command;
  std::string expected;
};

// The first `mark` in `text` at or after `from` that stands outside of double quotes.
size_t find_unquoted(std::string_view text, std::string_view mark, size_t from) {
  bool in_quotes = false;
  for (size_t i = from; i < text.size(); i++) {
    if (in_quotes && text[i] == '\\') i++;
    else if (text[i] == '"') in_quotes = !in_quotes;
    else if (!in_quotes && text.substr(i).starts_with(mark)) return i;
  }
  return std::string_view::npos;
}

std::optional<std::vector<Step>> split_steps(std::string_view examples) {
  std::vector<Step> steps;
  for (size_t at = 0; at < examples.size();) {
    const size_t end = std::min(find_unquoted(examples, ";", at), examples.size());
    const std::string_view step = examples.substr(at, end - at);
    const size_t arrow = find_unquoted(step, "->", 0);
    if (arrow == std::string_view::npos) return std::nullopt;
    steps.push_back({std::string(trim(step.substr(0, arrow))), std::string(trim(step.substr(arrow + 2)))});
    if (steps.back().command.empty() || steps.back().expected.empty()) return std::nullopt;
    at = end + 1;
  }
  return steps;
}

void run_examples(const CommandSpec& spec) {
  CAPTURE(std::string(spec.name));
  CAPTURE(std::string(spec.examples));
  const auto steps = split_steps(spec.examples);
  REQUIRE_MESSAGE(steps, "malformed examples");
  TestServer server;
  TestClient client(server);
  for (const Step& step : *steps) {
    CAPTURE(step.command);
    CAPTURE(step.expected);
    const auto expected = parse_expectation(step.expected);
    const auto words = split_words(step.command);
    REQUIRE_MESSAGE(expected, "malformed reply in an example");
    REQUIRE_MESSAGE((words && !words->empty()), "malformed command in an example");
    const std::string output = client.send(request_bytes({words->begin(), words->end()}));
    std::string_view rest = output;
    const auto actual = take_reply(rest);
    REQUIRE_MESSAGE(actual, "no whole reply: ", output);
    CHECK_MESSAGE(rest.empty(), "more than one reply: ", output);
    CHECK_MESSAGE(matches(*expected, *actual), "replied ", to_text(*actual));
  }
}

void run_examples_below(const CommandInfo& info) {
  if (info.spec && !info.spec->examples.empty()) run_examples(*info.spec);
  for (const CommandInfo* sub : info.subcommands) run_examples_below(*sub);
}

TEST_CASE("the examples of every command's row hold") {
  TestServer server;
  for (const CommandInfo* info : server.state.commands.commands()) run_examples_below(*info);
}

TEST_CASE("an example that is malformed is told from one that is not") {
  CHECK(split_steps("SET k v -> OK; GET k -> v")->size() == 2);
  CHECK(split_steps("SET k \"a;b -> c\" -> OK")->size() == 1);
  CHECK_FALSE(split_steps("SET k v"));
  CHECK_FALSE(split_steps("SET k v ->"));
  CHECK_FALSE(split_steps("-> OK"));
  CHECK_FALSE(split_steps("SET k v -> OK; "));
  for (const char* text : {"", "[a", "[a,]", "[a b\"c]", "\"a", "(error)", "[a] b"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_expectation(text));
  }
}

TEST_CASE("an expectation matches the reply it describes and no other") {
  const auto match = [](std::string_view expected, std::string_view bytes) {
    const auto parsed = parse_expectation(expected);
    const auto actual = take_reply(bytes);
    REQUIRE(parsed);
    REQUIRE(actual);
    return matches(*parsed, *actual);
  };
  CHECK(match("OK", "+OK\r\n"));
  CHECK(match("two words, and more", "$19\r\ntwo words, and more\r\n"));
  CHECK(match("\"\"", "$0\r\n\r\n"));
  CHECK(match("nil", "$-1\r\n"));
  CHECK_FALSE(match("\"nil\"", "$-1\r\n"));
  CHECK_FALSE(match("nil", "$3\r\nnil\r\n"));
  CHECK(match("(error) ERR syntax", "-ERR syntax error\r\n"));
  CHECK(match("(error) WRONGTYPE...", "-WRONGTYPE Operation\r\n"));
  CHECK_FALSE(match("(error) ERR", "-WRONGTYPE Operation\r\n"));
  CHECK(match("[a, nil, [\"\"]]", "*3\r\n$1\r\na\r\n$-1\r\n*1\r\n$0\r\n\r\n"));
  CHECK(match("[a, ...]", "*2\r\n$1\r\na\r\n:5\r\n"));
  CHECK_FALSE(match("[a]", "*2\r\n$1\r\na\r\n:5\r\n"));
  CHECK_FALSE(match("[]", "*-1\r\n"));
}

}  // namespace
}  // namespace vedette::testing
