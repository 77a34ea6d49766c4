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

struct Reply {
  enum class Kind { kText, kNull, kError, kAggregate, kAnything };
  Kind kind = Kind::kNull;
  char marker = 0;   ///< its first byte on the wire: '+', '$', ':', '%' ...
  std::string text;  ///< kText, kError
  std::vector<Reply> elements;
};

/// Takes the first reply off `bytes` (RESP2 or RESP3); nothing, with `bytes` as they were, if it is torn or
/// malformed.
std::optional<Reply> take_reply(std::string_view& bytes);
std::string to_text(const Reply& reply);

/// Reads an expectation; nothing if it is malformed.
std::optional<Reply> parse_expectation(std::string_view text);
bool matches(const Reply& expected, const Reply& actual);

}  // namespace vedette::testing
