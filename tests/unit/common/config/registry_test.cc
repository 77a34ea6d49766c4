// CONFIG GET, SET and REWRITE over sample options.
#include "common/config/registry.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace vedette;

namespace {

enum class Colour { kRed, kGreen };

struct Values {
  bool flag = false;
  int count = 10;
  uint64_t bytes = 1024;
  Colour colour = Colour::kRed;
  std::string text, secret, fixed = "f", guarded = "g";
  std::vector<std::string> words{"a", "b"};
  std::vector<std::string> users;
  int hidden = 0;
};

std::vector<OptionGroup> rows(Values& v) {
  OptionGroup group{"All", {}};
  auto& r = group.options;
  r.push_back(bool_option({.name = "flag", .flags = kOptionNotWhileLoading, .doc = "A flag."}, v.flag));
  r.push_back(integer_option({.name = "count", .aliases = "number", .doc = "A count."}, v.count, 0, 100));
  r.push_back(bytes_option({.name = "bytes", .doc = "Some bytes."}, v.bytes, 0, 0));
  r.push_back(enum_option({.name = "colour", .doc = "A colour."}, v.colour, {{"red", Colour::kRed}, {"green", Colour::kGreen}}));
  r.push_back(string_option({.name = "text", .doc = "A text."}, v.text));
  r.push_back(string_option({.name = "secret", .flags = kOptionSensitive, .doc = "A secret."}, v.secret));
  r.push_back(string_option({.name = "fixed", .flags = kOptionImmutable, .doc = "Fixed."}, v.fixed));
  r.push_back(string_option({.name = "guarded", .flags = kOptionProtected, .doc = "Guarded."}, v.guarded));
  r.push_back(words_option({.name = "words", .flags = kOptionNoEffect, .doc = "Words.", .note = "nobody reads them"}, v.words));
  r.push_back(integer_option({.name = "hidden", .flags = kOptionHidden, .doc = "Hidden."}, v.hidden, -5, 5));
  r.push_back(directive({.name = "user", .doc = "A user."}, "words", [&v](const OptionWords& words) -> Status {
    if (words.empty()) return Error("who?");
    v.users.push_back(words[0]);
    return Status::ok();
  }));
  std::vector<OptionGroup> groups;
  groups.push_back(std::move(group));
  return groups;
}

struct Server {
  Values values;
  ConfigRegistry registry{rows(values)};

  std::string set(std::vector<std::string_view> words, ConfigSetRights rights = {}) {
    const Status status = registry.set(words, rights);
    return status ? "OK" : status.error().text();
  }
  std::string get(std::vector<std::string_view> patterns) {
    std::string text;
    for (const auto& [name, value] : registry.get(patterns)) text += name + "=" + value + ";";
    return text;
  }
  std::string load(std::string_view text) {
    const auto problem = read_config_text(disk_reader(), "f", text, registry.loader());
    return problem ? problem->reason : "OK";
  }
};

}  // namespace

TEST_CASE("CONFIG GET answers names, aliases and globs, each once") {
  Server server;
  CHECK(server.get({"COUNT"}) == "COUNT=10;");
  CHECK(server.get({"number", "c*"}) == "count=10;number=10;colour=red;");
  CHECK(server.get({"count", "count", "coun?"}) == "count=10;");
  CHECK(server.get({"h*"}) == "");
  CHECK(server.get({"Hidden"}) == "Hidden=0;");
  CHECK(server.get({"user", "nosuch", "\\count"}) == "");
  CHECK(server.get({"[b]yte[s]"}) == "bytes=1024;");
}

TEST_CASE("CONFIG SET takes several values at once") {
  Server server;
  CHECK(server.set({"Count", "5", "bytes", "2kb", "COLOUR", "GREEN", "words", "x y"}) == "OK");
  CHECK(server.values.count == 5);
  CHECK(server.values.bytes == 2048);
  CHECK(server.values.colour == Colour::kGreen);
  CHECK(server.values.words == std::vector<std::string>{"x", "y"});
  CHECK(server.set({"count", "1", "number", "2"}) == "OK");  // two names of one option
  CHECK(server.values.count == 2);
}

TEST_CASE("CONFIG SET refuses in the protocol's words and changes nothing") {
  Server server;
  const std::string failed = "ERR CONFIG SET failed (possibly related to argument '";
  CHECK(server.set({"count"}) == "ERR syntax error");
  CHECK(server.set({"nosuch", "1"}) == "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'");
  CHECK(server.set({"user", "1"}) == "ERR Unknown option or number of arguments for CONFIG SET - 'user'");
  CHECK(server.set({"fixed", "1"}) == failed + "fixed') - can't set immutable config");
  CHECK(server.set({"guarded", "1"}) == failed + "guarded') - can't set protected config");
  CHECK(server.set({"guarded", "1"}, {.protected_options = true}) == "OK");
  CHECK(server.set({"count", "1", "COUNT", "2"}) == failed + "COUNT') - duplicate parameter");
  CHECK(server.set({"count", "1", "flag", "maybe"}) == failed + "flag') - argument must be 'yes' or 'no'");
  CHECK(server.set({"count", "7", "number", "x"}) == failed + "number') - argument couldn't be parsed into an integer");
  CHECK(server.set({"count", "101"}) == failed + "count') - argument must be between 0 and 100 inclusive");
  CHECK(server.set({"bytes", "-1"}) == failed + "bytes') - argument must be a memory value");
  CHECK(server.set({"colour", "blue"}) == failed + "colour') - argument(s) must be one of the following: red, green");
  // The names are looked at before the values.
  CHECK(server.set({"count", "x", "fixed", "1"}) == failed + "fixed') - can't set immutable config");
  CHECK(server.set({"flag", "yes"}, {.loading = true}) == "LOADING Redis is loading the dataset in memory");
  CHECK(server.values.count == 10);
  CHECK_FALSE(server.values.flag);
}

TEST_CASE("a hook runs once per CONFIG SET, and only if a value has changed") {
  Server server;
  int runs = 0;
  server.registry.on_change({"count", "bytes"}, [&] {
    runs++;
    return Status::ok();
  });
  CHECK(server.set({"number", "5", "bytes", "7"}) == "OK");
  CHECK(runs == 1);
  CHECK(server.set({"count", "5"}) == "OK");
  CHECK(server.set({"text", "t"}) == "OK");
  CHECK(runs == 1);
}

TEST_CASE("setting the name of what is read again is a change") {
  std::string file;
  OptionGroup group{"All", {}};
  group.options.push_back(string_option({.name = "file", .flags = kOptionRereads, .doc = "A file."}, file));
  ConfigRegistry registry({std::move(group)});
  int runs = 0;
  registry.on_change({"file"}, [&] {
    runs++;
    return Status::ok();
  });
  for (int i = 1; i <= 3; i++) {
    CHECK(registry.set({"file", "name"}, {}));
    CHECK(runs == i);
  }
}

TEST_CASE("a hook that fails takes all values back, and the hooks before it see them") {
  Server server;
  std::vector<int> seen;
  server.registry.on_change({"count"}, [&] {
    seen.push_back(server.values.count);
    return Status::ok();
  });
  server.registry.on_change({"text"}, [&]() -> Status {
    if (server.values.text == "bad") return Error("no room");
    return Status::ok();
  });
  CHECK(server.set({"count", "3", "text", "bad", "number", "4"}) ==
        "ERR CONFIG SET failed (possibly related to argument 'text') - no room");
  CHECK(server.values.count == 10);
  CHECK(server.values.text == "");
  CHECK(seen == std::vector<int>{4, 10});
}

TEST_CASE("lines of a file set options by any name; what is wrong is said") {
  Server server;
  CHECK(server.load("NUMBER 7\nwords \"p q\"\nuser x on\nuser y off\nfixed \"a b\"\nguarded z") == "OK");
  CHECK(server.values.count == 7);
  CHECK(server.values.words == std::vector<std::string>{"p", "q"});
  CHECK(server.values.users == std::vector<std::string>{"x", "y"});
  CHECK(server.values.fixed == "a b");
  CHECK(server.load("nosuch 1") == "Bad directive or wrong number of arguments");
  CHECK(server.load("count") == "wrong number of arguments");
  CHECK(server.load("count 1 2") == "wrong number of arguments");
  CHECK(server.load("user") == "who?");
}

TEST_CASE("what follows a secret's name is a secret, and what follows no name may be one") {
  Server server;
  CHECK(server.registry.is_sensitive("secret"));
  CHECK(server.registry.is_sensitive("secre"));
  CHECK_FALSE(server.registry.is_sensitive("text"));
}

TEST_CASE("options without effect are told, if they are set") {
  Server server;
  CHECK(server.registry.notices().empty());
  CHECK(server.load("words x") == "OK");
  CHECK(server.registry.notices() == std::vector<std::string>{"Option words is accepted and has no effect: nobody reads them"});
}

TEST_CASE("CONFIG REWRITE keeps what is right, changes in place and adds the rest") {
  Server server;
  const std::string file =
      "# head\n"
      "  NUMBER   7  \n"
      "\n"
      "\n"
      "bytes 2kb\n"
      "bytes 4kb\n"
      "unknown thing\n"
      "broken \"line\n"
      "user x on\n"
      "# tail";
  REQUIRE(server.load("number 7\nbytes 4kb\nuser x on\n") == "OK");
  CHECK(server.registry.rewritten(file) == file + "\n");
  CHECK(server.set({"count", "8", "bytes", "1mb", "text", "a \"b\"\n", "colour", "green", "hidden", "3"}) == "OK");
  CHECK(server.registry.rewritten(file) ==
        "# head\n"
        "count 8\n"
        "\n"
        "\n"
        "bytes 1mb\n"
        "unknown thing\n"
        "broken \"line\n"
        "user x on\n"
        "# tail\n"
        "\n"
        "# Generated by CONFIG REWRITE\n"
        "colour green\n"
        "text \"a \\\"b\\\"\\n\"\n"
        "hidden 3\n");
}

TEST_CASE(
    "a second CONFIG REWRITE changes nothing, and a value that returns to its default leaves or stays "
    "right") {
  Server server;
  CHECK(server.set({"text", "x", "count", "8", "words", ""}) == "OK");
  const std::string once = server.registry.rewritten("");
  CHECK(once == "# Generated by CONFIG REWRITE\ncount 8\ntext \"x\"\nwords \"\"\n");
  CHECK(server.registry.rewritten(once) == once);
  CHECK(server.set({"text", "", "count", "10"}) == "OK");
  CHECK(server.registry.rewritten(once) == "# Generated by CONFIG REWRITE\ncount 10\nwords \"\"\n");
  CHECK(server.values.words.empty());  // looking at the file has left the values alone
}

TEST_CASE("lines of a directive follow their source, if there is one") {
  Server server;
  std::vector<std::string> users{"x on", "z off"};
  server.registry.set_directive_lines("user", [&] { return users; });
  CHECK(server.registry.rewritten("user x on\nuser y on\n# end\n") == "user x on\nuser z off\n# end\n");
  CHECK(server.registry.rewritten("user x  \"on\"\nuser z off\n") == "user x  \"on\"\nuser z off\n");
  CHECK(server.registry.rewritten("user y on\n") == "user x on\nuser z off\n");
  users.clear();
  CHECK(server.registry.rewritten("user y on\n# end\n") == "# end\n");
  CHECK(server.values.users.empty());
}

TEST_CASE("CONFIG REWRITE writes the file, or says why not") {
  Server server;
  CHECK(server.registry.rewrite("").error().text() == "ERR The server is running without a config file");
  char folder[] = "/tmp/vedette-rewrite-XXXXXX";
  REQUIRE(mkdtemp(folder));
  const std::string path = std::string(folder) + "/x.conf";
  CHECK(server.set({"count", "8"}) == "OK");
  CHECK(server.registry.rewrite(path));
  CHECK(*disk_reader().read(path) == "# Generated by CONFIG REWRITE\ncount 8\n");
  CHECK(server.registry.rewrite(folder).error().text() == "ERR Rewriting config file: Is a directory");
  CHECK(server.registry.rewrite(path + "/y").error().text() == "ERR Rewriting config file: Not a directory");
  unlink(path.c_str());
  rmdir(folder);
}
