// A reply as a tree, and as the text in which tests and the rows' examples write it:
//
//   OK, hello, 12, 1.5     a simple string, bulk string, number (their kinds are not told apart)
//   "two words", ""        a string that is empty, has blanks, brackets, commas or quotes, or reads "nil" or
//   "..." nil                    the null (error) ERR no such    an error; in an expectation its beginning
//   will do [a, [b, nil]]          an aggregate: array, map (key, value, key, value), set, push
//   ...                    in an expectation: anything, and as the last of an aggregate any number of
//   elements
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::testing {

struct ReplyNode {
  enum class Kind { kText, kNull, kError, kAggregate, kAnything };
  Kind kind = Kind::kNull;
  std::string text;  ///< kText, kError
  std::vector<ReplyNode> elements;
};

/// Takes the first reply off `bytes` (RESP2 or RESP3); nothing, with `bytes` as they were, if it is torn or
/// malformed.
std::optional<ReplyNode> take_reply(std::string_view& bytes);
std::string to_text(const ReplyNode& reply);

/// Reads an expectation; nothing if it is malformed.
std::optional<ReplyNode> parse_expectation(std::string_view text);
bool matches(const ReplyNode& expected, const ReplyNode& actual);

}  // namespace vedette::testing
