// Globs, words and quotes, with what is malformed.
#include "common/base/text.h"

#include <doctest/doctest.h>

#include "tests/unit/seed.h"

using namespace vedette;

TEST_CASE("a glob matches stars, classes and escapes, byte for byte") {
  CHECK(glob_match("", ""));
  CHECK_FALSE(glob_match("*", ""));  // as clients know it
  CHECK(glob_match("h?llo", "hello"));
  CHECK(glob_match("h[ae]llo", "hallo"));
  CHECK(glob_match("h[^e]llo", "hallo"));
  CHECK_FALSE(glob_match("h[^e]llo", "hello"));
  CHECK(glob_match("h[a-b]llo", "hbllo"));
  CHECK(glob_match("a\\*b", "a*b"));
  CHECK_FALSE(glob_match("a\\*b", "axb"));
  CHECK(glob_match("*a*b*c", "xxaxxbxxc"));
  CHECK_FALSE(glob_match("*a*b*c", "xxaxxbxx"));
  CHECK(glob_match("FOO*", "foobar", true));
}

TEST_CASE("a glob with many stars is answered at once") {
  std::string pattern, text(200, 'a');
  for (int i = 0; i < 100; i++) pattern += "a*";
  CHECK_FALSE(glob_match(pattern + "b", text));
}

TEST_CASE("words split by blanks, with both kinds of quotes") {
  CHECK(*split_words("set  \"a b\\n\\x41\" 'it\\'s'") == std::vector<std::string>{"set", "a b\nA", "it's"});
  CHECK_FALSE(split_words("set \"a"));
  CHECK_FALSE(split_words("set \"a\"b"));
  CHECK(split_words("")->empty());
}

TEST_CASE("a quoted text reads back as itself") {
  const std::string bytes("a\"b\\c\n\0\xff z", 10);
  CHECK(split_words(quoted(bytes))->at(0) == bytes);
  CHECK(split_words(quoted_if_needed(""))->at(0).empty());
}

namespace {

char folded(char c, bool fold) { return fold ? to_lower(c) : c; }

// Whether the class that starts behind the '[' at `p` takes `c`; `p` goes behind it. The same bounds as a reader would
// draw: a backslash quotes, a dash between two others spans, an unclosed class ends with the pattern.
bool class_takes(std::string_view& p, char c, bool fold) {
  const bool negated = p.starts_with('^');
  if (negated) p.remove_prefix(1);
  bool taken = false;
  while (!p.empty() && p[0] != ']') {
    if (p[0] == '\\' && p.size() > 1) {
      taken |= folded(p[1], fold) == c;
      p.remove_prefix(2);
    } else if (p.size() > 2 && p[1] == '-') {
      const auto a = static_cast<unsigned char>(folded(p[0], fold)), b = static_cast<unsigned char>(folded(p[2], fold));
      const auto x = static_cast<unsigned char>(c);
      taken |= std::min(a, b) <= x && x <= std::max(a, b);
      p.remove_prefix(3);
    } else {
      taken |= folded(p[0], fold) == c;
      p.remove_prefix(1);
    }
  }
  if (!p.empty()) p.remove_prefix(1);
  return taken != negated;
}

// By plain recursion: each star tries every length.
bool naive_match(std::string_view p, std::string_view t, bool fold) {
  if (p.empty()) return t.empty();
  if (p[0] == '*') {
    for (size_t skip = 0; skip <= t.size(); skip++)
      if (naive_match(p.substr(1), t.substr(skip), fold)) return true;
    return false;
  }
  if (t.empty()) return false;
  const char c = folded(t[0], fold);
  const std::string_view rest = t.substr(1);
  if (p[0] == '?') return naive_match(p.substr(1), rest, fold);
  if (p[0] == '[') {
    p.remove_prefix(1);
    return class_takes(p, c, fold) && naive_match(p, rest, fold);
  }
  if (p[0] == '\\' && p.size() > 1) p.remove_prefix(1);
  return folded(p[0], fold) == c && naive_match(p.substr(1), rest, fold);
}

std::string random_text(Rng& rng, std::string_view alphabet, size_t size_max) {
  std::string text(rng.below(size_max + 1), 0);
  for (char& c : text) c = alphabet[rng.below(alphabet.size())];
  return text;
}

}  // namespace

TEST_CASE("a glob matches what plain recursion matches") {
  Rng rng(test_seed("globs"));
  int matches = 0;
  for (int i = 0; i < 200000; i++) {
    const std::string pattern = random_text(rng, "**??[[]]^-\\abcAB\xff", 9), text = random_text(rng, "abcABC-]\\\xff", 7);
    const bool fold = rng.below(2);
    CAPTURE(pattern);
    CAPTURE(text);
    const bool expected = text.empty() ? pattern.empty() : naive_match(pattern, text, fold);
    REQUIRE(glob_match(pattern, text, fold) == expected);
    matches += expected;
  }
  CHECK(matches > 1000);
}

TEST_CASE("any bytes read back from their quoted form, among other words") {
  Rng rng(test_seed("quoting"));
  for (int i = 0; i < 20000; i++) {
    std::string bytes(rng.below(20), 0);
    for (char& c : bytes) c = rng.below(2) ? char(rng.next()) : "\"'\\ \n\tx0"[rng.below(8)];
    const auto words = split_words("a " + quoted(bytes) + " \t" + quoted_if_needed(bytes) + " b");
    REQUIRE(words);
    REQUIRE(*words == std::vector<std::string>{"a", bytes, bytes, "b"});
    split_words(bytes);  // whatever it is, it ends
  }
}

TEST_CASE("blanks end words, but vertical tabs and form feeds only separate them") {
  CHECK(*split_words("a\tb\rc d\n") == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(*split_words(" \v\fa\vb \f c") == std::vector<std::string>{"a\vb", "c"});
  CHECK(*split_words("a\"b c\" \"\"") == std::vector<std::string>{"ab c", ""});
  CHECK(trim(" \t a b \r\n") == "a b");
  CHECK(trim(" ").empty());
}
