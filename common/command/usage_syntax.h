// The notation of a row's usage line, checked at compile time. A line is a sequence of items:
//   word         a value if in lower case (`key`, `ip:port`), else a literal token (`LIMIT`, `*`, `""`)
//   [a b]        optional;  [A | B] an optional choice
//   <a | B b>    a choice that must be made
//   a [a ...]    repetition: the group's items, as many times as the caller likes; without an equal item
//   before it,
//                the group is optional too
// usage.h turns a line that passes here into the argument tree; so it never meets an ill-formed one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vedette {

/// Reads a usage line item by item.
class UsageScanner {
 public:
  enum class Kind : uint8_t { kEnd, kWord, kOpen, kClose, kChoose, kChosen, kBar, kDots };
  struct Token {
    Kind kind = Kind::kEnd;
    std::string_view text = {};
  };

  constexpr explicit UsageScanner(std::string_view line) : line_(line) {}
  constexpr Token next() {
    while (at_ < line_.size() && line_[at_] == ' ') at_++;
    if (at_ == line_.size()) return {};
    const size_t begin = at_++;
    switch (line_[begin]) {
      case '[': return {Kind::kOpen};
      case ']': return {Kind::kClose};
      case '<': return {Kind::kChoose};
      case '>': return {Kind::kChosen};
      case '|': return {Kind::kBar};
      default: break;
    }
    while (at_ < line_.size() && std::string_view(" []<>|").find(line_[at_]) == std::string_view::npos) at_++;
    const std::string_view text = line_.substr(begin, at_ - begin);
    return {text == "..." ? Kind::kDots : Kind::kWord, text};
  }

 private:
  std::string_view line_;
  size_t at_ = 0;
};

constexpr bool has_letter_between(std::string_view word, char first, char last) {
  for (char c : word)
    if (c >= first && c <= last) return true;
  return false;
}
/// A word without a lower-case letter stands for itself.
constexpr bool is_usage_literal(std::string_view word) { return !has_letter_between(word, 'a', 'z'); }

/// What is wrong with the line, in a few words; empty if nothing is.
constexpr std::string_view usage_fault(std::string_view usage) {
  using Kind = UsageScanner::Kind;
  constexpr int kDepthMax = 12;
  struct Level {
    Kind closer = Kind::kEnd;
    int items = 0;  // in the present alternative
    int alternatives = 1;
    bool ended = false;  // after the dots
  };
  Level levels[kDepthMax + 1] = {};
  int depth = 0;
  UsageScanner scanner(usage);
  while (true) {
    const UsageScanner::Token token = scanner.next();
    Level& level = levels[depth];
    if (level.ended && token.kind != Kind::kClose) return "'...' must close its group";
    switch (token.kind) {
      case Kind::kWord:
        if (!is_usage_literal(token.text) && has_letter_between(token.text, 'A', 'Z')) return "a word of mixed case";
        level.items++;
        break;
      case Kind::kOpen:
      case Kind::kChoose:
        level.items++;
        if (depth == kDepthMax) return "nested too deeply";
        levels[++depth] = Level{token.kind == Kind::kOpen ? Kind::kClose : Kind::kChosen};
        break;
      case Kind::kClose:
      case Kind::kChosen:
        if (depth == 0 || level.closer != token.kind) return "unbalanced brackets";
        if (level.items == 0) return "an empty alternative";
        if (token.kind == Kind::kChosen && level.alternatives < 2) return "a choice of one";
        depth--;
        break;
      case Kind::kBar:
        if (depth == 0) return "'|' outside of brackets";
        if (level.items == 0) return "an empty alternative";
        level.items = 0;
        level.alternatives++;
        break;
      case Kind::kDots:
        if (level.closer != Kind::kClose || level.items == 0 || level.alternatives > 1) return "'...' repeats nothing";
        level.ended = true;
        break;
      case Kind::kEnd: return depth == 0 ? std::string_view() : "unbalanced brackets";
    }
  }
}

static_assert(usage_fault("key [key ...] [NX | XX] <EX seconds | PERSIST>").empty());
static_assert(!usage_fault("key [NX").empty());

}  // namespace vedette
