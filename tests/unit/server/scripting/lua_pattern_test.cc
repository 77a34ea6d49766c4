// Lua's patterns on our own matcher: the manual's examples, faults, and a matcher by recursion to compare with.
#include "server/scripting/lua_pattern.h"

#include <doctest/doctest.h>

#include <functional>
#include <random>
#include <string>

#include "tests/unit/seed.h"

namespace vedette {
namespace {

void no_pause(void*) {}

// "begin-end" of the first match and its captures, "none", or the fault.
std::string first_match(std::string_view subject, std::string_view pattern) {
  const bool anchored = pattern.starts_with('^');
  if (anchored) pattern.remove_prefix(1);
  std::vector<char> scratch;
  PatternMatcher matcher(subject, pattern, no_pause, nullptr, scratch);
  for (size_t at = 0; at <= subject.size(); at++) {
    const char* to = matcher.match(subject.data() + at);
    if (matcher.fault()) return matcher.fault();
    if (to) {
      std::string shown = std::to_string(at) + "-" + std::to_string(to - subject.data());
      for (int i = 0; i < matcher.captures(); i++) {
        const auto& capture = matcher.capture(i);
        if (capture.size == PatternMatcher::Capture::kOpen) shown += " open";
        else if (capture.size == PatternMatcher::Capture::kPosition) shown += " @" + std::to_string(capture.begin - subject.data());
        else shown += " " + std::string(capture.begin, size_t(capture.size));
      }
      return shown;
    }
    if (anchored) break;
  }
  return "none";
}

TEST_CASE("the items of a pattern") {
  CHECK(first_match("hello world", "o w") == "4-7");
  CHECK(first_match("hello", "l+") == "2-4");
  CHECK(first_match("hello", "^l") == "none");
  CHECK(first_match("THE (quick) fox", "%((%a+)%)") == "4-11 quick");
  CHECK(first_match("key = value", "^(%w+)%s*=%s*(%w+)$") == "0-11 key value");
  CHECK(first_match("f(a(b)c)d", "%b()") == "1-8");
  CHECK(first_match("THE (quick) fox", "%f[%a]%a+%f[%A]") == "0-3");
  CHECK(first_match("xyz", "x()y()") == "0-2 @1 @2");
  CHECK(first_match("say 'it\"s'", "(['\"])(.-)%1") == "4-10 ' it\"s");
  CHECK(first_match("aaa", "a-b") == "none");
  CHECK(first_match("aaab", "^(a-)b") == "0-4 aaa");
  CHECK(first_match("x]y", "[]]") == "1-2");
  CHECK(first_match("x-y", "[a%-]") == "1-2");
  CHECK(first_match("b-", "[a-]+") == "1-2");
  CHECK(first_match("a$b", "a$b") == "0-3");
  CHECK(first_match("abc", "") == "0-0");
  CHECK(first_match(std::string_view("a\0b", 3), "%z") == "1-2");
  CHECK(first_match("0x1F", "%x%u?") == "0-1");
  CHECK(first_match("ac", "ab?c") == "0-2");
}

TEST_CASE("what is wrong with a pattern") {
  CHECK(first_match("x", "%") == "malformed pattern (ends with '%')");
  CHECK(first_match("x", "[a") == "malformed pattern (missing ']')");
  CHECK(first_match("x", "[%") == "malformed pattern (missing ']')");
  CHECK(first_match("x", "%f") == "missing '[' after '%f' in pattern");
  CHECK(first_match("x", "%b(") == "unbalanced pattern");
  CHECK(first_match("x", "x)") == "invalid pattern capture");
  CHECK(first_match("x", "%1") == "invalid capture index");
  CHECK(first_match("x", "(%1)") == "invalid capture index");
  CHECK(first_match("x", "(x") == "0-1 open");
  std::string many;
  for (int i = 0; i < 33; i++) many += "()";
  CHECK(first_match("x", many) == "too many captures");
}

TEST_CASE("a pattern that tries for ever is asked now and then, and can be left by an exception") {
  const std::string subject(60, 'a');
  std::string pattern;
  for (int i = 0; i < 20; i++) pattern += "a*";
  pattern += "b";
  struct Over {};
  int pauses = 0;
  std::vector<char> scratch;
  PatternMatcher matcher(
      subject, pattern,
      [](void* count) {
        if (++*static_cast<int*>(count) == 100) throw Over();
      },
      &pauses, scratch);
  CHECK_THROWS_AS((void)matcher.match(subject.data()), Over);
  CHECK(pauses == 100);
}

// The same by plain recursion, for patterns of literals, sets, quantifiers and captures.
class ByRecursion {
 public:
  ByRecursion(std::string_view subject, std::string_view pattern) : s_(subject), p_(pattern) {}
  std::string first() {
    for (size_t at = 0; at <= s_.size(); at++) {
      captures_.clear();
      if (const long to = match(at, 0); to >= 0) {
        std::string shown = std::to_string(at) + "-" + std::to_string(to);
        for (const auto& [begin, end] : captures_) shown += " " + std::string(s_.substr(begin, end - begin));
        return shown;
      }
    }
    return "none";
  }

 private:
  long match(size_t s, size_t p) {
    if (p == p_.size()) return long(s);
    if (p_[p] == '(') {
      captures_.emplace_back(s, kOpen);
      const long to = match(s, p + 1);
      if (to < 0) captures_.pop_back();
      return to;
    }
    if (p_[p] == ')') {
      size_t i = captures_.size();
      while (captures_[--i].second != kOpen) {}
      captures_[i].second = s;
      const long to = match(s, p + 1);
      if (to < 0) captures_[i].second = kOpen;
      return to;
    }
    const char item = p_[p];
    const auto fits = [&](size_t at) { return at < s_.size() && (item == '.' || s_[at] == item); };
    const char suffix = p + 1 < p_.size() ? p_[p + 1] : '\0';
    if (suffix == '?') {
      if (fits(s))
        if (const long to = match(s + 1, p + 2); to >= 0) return to;
      return match(s, p + 2);
    }
    if (suffix == '*' || suffix == '+') {
      size_t most = 0;
      while (fits(s + most)) most++;
      for (size_t count = most + 1; count-- > size_t(suffix == '+');)
        if (const long to = match(s + count, p + 2); to >= 0) return to;
      return -1;
    }
    if (suffix == '-') {
      while (true) {
        if (const long to = match(s, p + 2); to >= 0) return to;
        if (!fits(s++)) return -1;
      }
    }
    return fits(s) ? match(s + 1, p + 1) : -1;
  }

  static constexpr size_t kOpen = size_t(-1);
  std::string_view s_, p_;
  std::vector<std::pair<size_t, size_t>> captures_;
};

TEST_CASE("random patterns match as a matcher by recursion says") {
  const uint64_t seed = test_seed("patterns by recursion");
  std::mt19937_64 random(seed);
  const auto pick = [&](std::string_view from) { return from[random() % from.size()]; };
  for (int round = 0; round < 20000; round++) {
    std::string subject, pattern;
    for (size_t i = random() % 12; i > 0; i--) subject += pick("aab");
    int open = 0;
    for (size_t i = random() % 6; i > 0; i--) {
      if (random() % 4 == 0) pattern += '(', open++;
      pattern += pick("aab.");
      if (random() % 2) pattern += pick("*+-?");
      if (open && random() % 2) pattern += ')', open--;
    }
    while (open--) pattern += ')';
    CAPTURE(subject);
    CAPTURE(pattern);
    REQUIRE(first_match(subject, pattern) == ByRecursion(subject, pattern).first());
  }
}

}  // namespace
}  // namespace vedette
