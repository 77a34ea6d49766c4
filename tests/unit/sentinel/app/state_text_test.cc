// The state file's text, torn and damaged everywhere, and what a start makes of it together with a configuration.
#include "sentinel/app/state_text.h"

#include <doctest/doctest.h>

using namespace vedette;
using namespace vedette::sentinel;

namespace {

using Lines = std::vector<std::string>;

const StateContent kContent{{"monitor m 10.0.0.1 6379 2", "down-after-milliseconds m 5000"},
                            {"myid aaaa", "current-epoch 7", "monitor m 10.0.0.2 6379 2", "auth-pass m \"two words\"", "config-epoch m 7",
                             "known-replica m 10.0.0.1 6379"}};

std::string problem(std::string_view text) {
  const auto parsed = parse_state_text(text);
  return parsed ? "good" : parsed.error().text();
}

}  // namespace

TEST_CASE("a state's text comes back as it was") {
  for (const StateContent& content : {kContent, StateContent{}, StateContent{{}, {"myid a"}}}) {
    const auto parsed = parse_state_text(to_state_text(content));
    REQUIRE(parsed);
    CHECK(parsed->configured == content.configured);
    CHECK(parsed->state == content.state);
  }
}

TEST_CASE("a state that was cut at any byte is refused, with the line") {
  const std::string text = to_state_text(kContent);
  for (size_t size = 0; size < text.size(); size++) {
    CAPTURE(size);
    CHECK(problem(std::string_view(text).substr(0, size)).starts_with("line "));
  }
  CHECK(problem("") == "line 1: the file is empty");
  CHECK(problem(text.substr(0, text.size() - 1)) == "line 10: the file ends before its checksum: it has been cut");
}

TEST_CASE("a state with any bit flipped is refused") {
  const std::string text = to_state_text(kContent);
  for (size_t at = 0; at < text.size(); at++)
    for (int bit = 0; bit < 8; bit++) {
      std::string damaged = text;
      damaged[at] = char(damaged[at] ^ (1 << bit));
      CAPTURE(at);
      CHECK(problem(damaged).starts_with("line "));
    }
  CHECK(problem(text + "x").starts_with("line "));
  CHECK(problem(text + text).starts_with("line "));
}

TEST_CASE("what is no state, or one of a later form, is told apart") {
  CHECK(problem("port 26379\n") == "line 1: this is no state of a sentinel, or its beginning has been damaged");
}

TEST_CASE("with an unchanged configuration the state has the last word") {
  CHECK(merge_state(kContent.configured, kContent) == Lines{"monitor m 10.0.0.2 6379 2", "myid aaaa", "current-epoch 7",
                                                            "auth-pass m \"two words\"", "config-epoch m 7",
                                                            "known-replica m 10.0.0.1 6379"});
  CHECK(merge_state({"monitor m 10.0.0.1 6379 2"}, StateContent{}) == Lines{"monitor m 10.0.0.1 6379 2"});
}

TEST_CASE("what an operator has edited since is the configuration's") {
  // Another time to be down, and another quorum: the primary stays where the failover has led it.
  const Lines edited = merge_state({"monitor m 10.0.0.1 6379 3", "down-after-milliseconds m 900"}, kContent);
  CHECK(edited[0] == "monitor m 10.0.0.2 6379 3");
  CHECK(edited[1] == "down-after-milliseconds m 900");
  CHECK(edited.size() == 7);
  // A line that is gone is back at its default.
  StateContent saved = kContent;
  saved.state.push_back("down-after-milliseconds m 5000");
  const Lines removed = merge_state({"monitor m 10.0.0.1 6379 2"}, saved);
  for (const std::string& line : removed) CHECK_FALSE(line.starts_with("down-after"));
}

TEST_CASE("another primary in the configuration makes what was learned of the old one void, but no vote") {
  StateContent saved = kContent;
  saved.state.push_back("leader-epoch m 6");
  const Lines merged = merge_state({"monitor m 10.0.0.9 6379 2", "down-after-milliseconds m 5000"}, saved);
  CHECK(merged == Lines{"monitor m 10.0.0.9 6379 2", "myid aaaa", "current-epoch 7", "auth-pass m \"two words\"", "leader-epoch m 6"});
}

TEST_CASE("primaries that were added or removed while it ran, or by an editor") {
  StateContent saved = kContent;
  saved.state = {"current-epoch 7", "monitor added 10.0.0.5 6379 1", "config-epoch added 1"};  // SENTINEL REMOVE m, SENTINEL MONITOR added
  CHECK(merge_state(kContent.configured, saved) == Lines{"current-epoch 7", "monitor added 10.0.0.5 6379 1", "config-epoch added 1"});
  // The operator has touched what was removed: it is meant to be watched.
  const Lines again = merge_state({"monitor m 10.0.0.1 6379 1", "down-after-milliseconds m 5000"}, saved);
  CHECK(again[0] == "monitor m 10.0.0.1 6379 1");
  CHECK(again[1] == "down-after-milliseconds m 5000");
  // An editor has taken it out: nothing of it stays.
  CHECK(merge_state({}, kContent) == Lines{"myid aaaa", "current-epoch 7"});
}
