// Globs on bytes; words with quotes, and their inverse.
#include "common/base/text.h"

#include <cctype>

namespace vedette {

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_upper(c);
  return out;
}

namespace {

// Matches one character of `pattern` (a class, an escape or a plain one) at `at` against `c`; advances `at` past it.
bool matches_one(std::string_view pattern, size_t& at, char c, bool ignore_case) {
  const auto fold = [&](char x) { return ignore_case ? to_lower(x) : x; };
  if (pattern[at] == '?') return at++, true;
  if (pattern[at] == '\\' && at + 1 < pattern.size()) return at += 2, fold(pattern[at - 1]) == fold(c);
  if (pattern[at] != '[') return at++, fold(pattern[at - 1]) == fold(c);
  at++;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) at++;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      at++;
      found |= fold(pattern[at]) == fold(c);
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      auto low = static_cast<unsigned char>(fold(pattern[at])), high = static_cast<unsigned char>(fold(pattern[at + 2]));
      if (low > high) std::swap(low, high);
      const auto x = static_cast<unsigned char>(fold(c));
      found |= low <= x && x <= high;
      at += 2;
    } else {
      found |= fold(pattern[at]) == fold(c);
    }
    at++;
  }
  if (at < pattern.size()) at++;  // the ']'; an unclosed class ends with the pattern
  return found != negated;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text, bool ignore_case) {
  // Greedy with one point of return: on a mismatch only the last star can usefully take one character more.
  if (text.empty()) return pattern.empty();  // not even a star matches nothing: clients know it so
  constexpr size_t kNone = size_t(-1);
  size_t p = 0, t = 0, star = kNone, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      continue;
    }
    if (p < pattern.size() && matches_one(pattern, p, text[t], ignore_case)) {
      t++;
      continue;
    }
    if (star == kNone) return false;
    p = star + 1;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') p++;
  return p == pattern.size();
}

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) || c == 0; }
// Vertical tabs and form feeds are skipped between words, but do not end one.
bool ends_word(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == 0; }

// Reads the escape that follows a backslash at `at`; leaves `at` behind it.
char read_escape(std::string_view line, size_t& at) {
  const char c = line[at++];
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    case 'x':
      if (at + 1 < line.size() && hex_value(line[at]) >= 0 && hex_value(line[at + 1]) >= 0) {
        at += 2;
        return char(hex_value(line[at - 2]) * 16 + hex_value(line[at - 1]));
      }
      return 'x';
    default: return c;
  }
}

// Reads one word at `at`, which is not blank. False if a quote is not closed, or closed in the middle of a word.
bool read_word(std::string_view line, size_t& at, std::string& word) {
  char quote = 0;
  while (at < line.size() || quote) {
    if (at >= line.size()) return false;
    const char c = line[at++];
    if (quote) {
      if (c == quote) return at >= line.size() || is_blank(line[at]);
      if (c == '\\' && quote == '"' && at < line.size()) {
        word += read_escape(line, at);
      } else if (c == '\\' && quote == '\'' && at < line.size() && line[at] == '\'') {
        word += '\'';
        at++;
      } else {
        word += c;
      }
      continue;
    }
    if (ends_word(c)) return true;
    if (c == '"' || c == '\'') quote = c;
    else word += c;
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  for (;;) {
    while (at < line.size() && is_blank(line[at])) at++;
    if (at >= line.size()) return words;
    std::string word;
    if (!read_word(line, at, word)) return std::nullopt;
    words.push_back(std::move(word));
  }
}

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\a': out += "\\a"; break;
      case '\b': out += "\\b"; break;
      default:
        if (c >= 32 && c < 127) {
          out += c;
        } else {
          out += "\\x";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[static_cast<unsigned char>(c) & 15];
        }
    }
  }
  return out += '"';
}

std::string quoted_if_needed(std::string_view text) {
  bool plain = !text.empty();
  for (char c : text) plain &= c > 32 && c < 127 && c != '"' && c != '\'' && c != '\\';
  return plain ? std::string(text) : quoted(text);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace vedette
