// Scripts' texts on their way to the interpreter.
#include "server/scripting/lua_source.h"

#include <doctest/doctest.h>

namespace vedette {
namespace {

std::string changed(std::string_view text) {
  const LuaSource source = prepare_source(text);
  if (!source.error.empty()) return source.error;
  return source.changed.empty() ? std::string(text) : source.changed;
}

TEST_CASE("a library's function that is called last is called like any other") {
  CHECK(changed("return redis.call('GET', KEYS[1])") == "return (redis.call('GET', KEYS[1]))");
  CHECK(changed("if a then return redis.call('A') else return redis.pcall('B') end return 1") ==
        "if a then return (redis.call('A')) else return (redis.pcall('B')) end return 1");
  CHECK(changed("return tonumber(redis.call('A', (f({1, 2}))))") == "return (tonumber(redis.call('A', (f({1, 2})))))");
  CHECK(changed("return redis.call('A', (function() return redis.call('B') end)())") ==
        "return (redis.call('A', (function() return (redis.call('B')) end)()))");
  CHECK(changed("local call = redis.call return call('A')") == "local call = redis.call return (call('A'))");
}

TEST_CASE("what is no such call stays as it is") {
  for (const std::string_view text : {"return redis.call('A') .. 'x'",
                                      "return redis.call('A'), 1",
                                      "return redis.call('A').ok",
                                      "return f(1)",
                                      "return unpack(t)",
                                      "return string.find('a', 'b')",
                                      "return redis.call 'A'",
                                      "-- return redis.call('A')",
                                      "--[==[ return redis.call('A') ]==] return 1",
                                      "return 'return redis.call(1)'",
                                      "return [[return redis.call(1)]]",
                                      "local redis = {} return redis.call('A')",
                                      "local call = redis.call local call = redis.call return call('A')",
                                      "local tonumber = f return tonumber(1)",
                                      "local function tostring() end return tostring(1)",
                                      "t.error = 1 return x:error(1)",
                                      "local call = redis.call call = f return call('A')",
                                      "return",
                                      "return redis.call(",
                                      ""})
    CHECK(changed(text) == text);
}

TEST_CASE("a text is looked at once, however many calls, names and brackets it has") {
  std::string calls, names, brackets = "return redis.call(", expected;
  for (int i = 0; i < 50000; i++) {
    const std::string name = "f" + std::to_string(i);
    calls += "function() return redis.call('A') end ";
    expected += "function() return (redis.call('A')) end ";
    names += "function() return " + name + "(1) end ";
    brackets += "return redis.call((";
  }
  CHECK(changed(calls) == expected);
  CHECK(changed(names) == names);
  CHECK(changed(brackets) == brackets);
  CHECK(changed(std::string(2 << 20, ';')) == "1: chunk is too large");
}

TEST_CASE("a backslash that means nothing is left out") {
  CHECK(changed(R"(return '\a\/\\-\%' .. "\x41\z\u{48}")") == R"(return '\a/\\-%' .. "x41zu{48}")");
  CHECK(changed(R"(return tostring('\.'))") == R"(return (tostring('.')))");
  for (const std::string_view text : {R"('\a\b\f\n\r\t\v\\\"\'\065')", R"([[\x]] --\x)", "'\\\n' '\\\r\n'", "'\\", "'"})
    CHECK(changed(text) == text);
  const LuaSource source = prepare_source(R"(return tostring('\.'))");
  CHECK(source.plain == R"(return tostring('.'))");
}

TEST_CASE("numbers of the foreign function interface are no numbers") {
  CHECK(changed("return 1LL") == "1: malformed number near '1LL'");
  CHECK(changed("\n\nreturn 0xffu, 0xfULL") == "3: malformed number near '0xfULL'");
  CHECK(changed("return 5i") == "1: malformed number near '5i'");
  CHECK(changed("return 0b1") == "1: malformed number near '0b1'");
  for (const std::string_view text : {"return 1e10, 0x1f, .5, 3., 1e-5, 0xfu", "return a.l, x1L", "return 'x 1LL'", "-- 1LL"})
    CHECK(changed(text) == text);
}

TEST_CASE("the line of the last return is known") {
  CHECK(prepare_source("").last_return == 1);
  CHECK(prepare_source("local a = 1\n\nreturn a").last_return == 3);
  CHECK(prepare_source("if a then\nreturn 1 end\nreturn\n2 -- return").last_return == 3);
}

}  // namespace
}  // namespace vedette
