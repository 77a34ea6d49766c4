#include "common/base/text.h"

#include <doctest/doctest.h>

using namespace vedette;

TEST_CASE("a glob matches stars, classes and escapes, byte for byte") {
  CHECK(glob_match("*", ""));
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
