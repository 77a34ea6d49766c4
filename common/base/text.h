// Small operations on text: case-insensitive comparison (ASCII, no locale), glob patterns, quoting.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; }
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}

/// The glob of KEYS, SCAN MATCH, PSUBSCRIBE and CONFIG GET: `*`, `?`, `[abc]`, `[^a-z]`, `\x`. Bytes, no locale.
/// Time O(pattern * text) in the worst case, whatever the number of stars.
bool glob_match(std::string_view pattern, std::string_view text, bool ignore_case = false);

/// Splits a line into words as the inline protocol and configuration files do: blanks separate; "..." knows
/// \n \r \t \b \a \xHH and \c; '...' knows \' only; a closing quote must be followed by a blank or the end.
/// Nothing if the quotes are unbalanced.
std::optional<std::vector<std::string>> split_words(std::string_view line);

/// "..." with the escapes that split_words() reads back.
std::string quoted(std::string_view text);
/// The text itself where split_words() reads it back as one word, otherwise quoted().
std::string quoted_if_needed(std::string_view text);

std::string_view trim(std::string_view text);

/// What an error text shows of a client's word: the part before the first NUL, as every server of the protocol does.
inline std::string_view shown_word(std::string_view word) { return word.substr(0, word.find('\0')); }

}  // namespace vedette
