// The manifest of an append-only file: what is read, what is refused, and how a set of files changes.
#include "server/snapshot/append_manifest.h"

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "server/snapshot/append_position.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

std::string problem_of(std::string_view text) {
  ManifestError error;
  return parse_manifest(text, error) ? "" : error.reason;
}

AppendManifest parsed(std::string_view text) {
  ManifestError error;
  const auto manifest = parse_manifest(text, error);
  REQUIRE_MESSAGE(manifest, error.reason);
  return *manifest;
}

}  // namespace

TEST_CASE("a manifest names base, history and increments in order") {
  const AppendManifest manifest = parsed(
      "file a.aof.2.base.rdb seq 2 type b\nfile a.aof.1.base.rdb seq 1 type h\nfile a.aof.3.incr.aof seq 3 "
      "type i\n"
      "file a.aof.4.incr.aof seq 4 type i\n");
  REQUIRE(manifest.base);
  CHECK(manifest.base->name == "a.aof.2.base.rdb");
  CHECK(manifest.base_sequence == 2);
  CHECK(manifest.history.size() == 1);
  CHECK(manifest.increment_sequence == 4);
  const auto parts = manifest.parts();
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].name == "a.aof.2.base.rdb");
  CHECK(parts[2].name == "a.aof.4.incr.aof");
}

TEST_CASE("comments, unknown keys, order of keys, case and line ends of other systems are read") {
  const AppendManifest manifest = parsed(
      "# a comment\nSEQ 1 TYPE base FILE x color blue\r\n  file \"with blank\\x21\" seq 7 type incr  \n# not "
      "ended");
  CHECK(manifest.base->name == "x");
  CHECK(manifest.increments[0].name == "with blank!");
}

TEST_CASE("a manifest is refused for the reason that clients' tools look for") {
  CHECK(problem_of("") == "Found an empty AOF manifest");
  CHECK(problem_of("\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("file a seq 1\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("file a seq 1 type b x\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("file a seq 1 type \"b\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("file a seq 0 type b\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("file a seq 99999999999999999999 type b\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("file a seq 1 type \"\"\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("fil a seq 1 type b\n") == "Invalid AOF manifest file format");
  CHECK(problem_of("file a seq 1 type x\n") == "Unknown AOF file type");
  CHECK(problem_of("file ../a seq 1 type b\n") == "File can't be a path, just a filename");
  CHECK(problem_of("file .. seq 1 type b\n") == "File can't be a path, just a filename");
  CHECK(problem_of("file \"a\\x00b\" seq 1 type b\n") == "File can't be a path, just a filename");
  CHECK(problem_of("file a seq 1 type b\nfile b seq 2 type b\n") == "Found duplicate base file information");
  CHECK(problem_of("file a seq 2 type i\nfile b seq 1 type i\n") == "Found a non-monotonic sequence number");
  CHECK(problem_of("file a seq 2 type i\nfile b seq 2 type i\n") == "Found a non-monotonic sequence number");
  CHECK(problem_of("file a seq 1 type b") == "The AOF manifest file contains too long line");
  CHECK(problem_of("file " + std::string(1100, 'a') + " seq 1 type b\n") == "The AOF manifest file contains too long line");
}

TEST_CASE("the error of a manifest tells the line") {
  ManifestError error;
  CHECK(!parse_manifest("file a seq 1 type b\n# comment\nfile b seq 1 type q\n", error));
  CHECK(error.line_number == 3);
  CHECK(error.line == "file b seq 1 type q");
}

TEST_CASE("a manifest of any names reads back as it was") {
  Rng rng(test_seed("append manifest"));
  for (int round = 0; round < 300; round++) {
    std::string prefix;
    for (uint64_t i = 0; i <= rng.below(8); i++) {
      const char c = char(rng.below(256));
      prefix += c == '/' || c == '\0' ? '_' : c;
    }
    AppendManifest manifest;
    for (uint64_t step = rng.below(6); step-- > 0;) {
      manifest.add_increment(prefix);
      if (rng.below(2)) manifest.replace_base(manifest.next_base(prefix, rng.below(2)), rng.below(2));
    }
    if (manifest.parts().empty()) continue;
    AppendManifest read = parsed(print_manifest(manifest));
    if (manifest.increments.empty()) read.increment_sequence = manifest.increment_sequence;
    CHECK(read == manifest);
  }
}

TEST_CASE("hostile bytes never make a manifest whose names leave the folder") {
  Rng rng(test_seed("hostile manifest"));
  const std::string_view pieces[] = {"file ", "seq ", "type ", "b",  "i", "h", " ", "\n", "\"",
                                     "'",     "\\x",  "/",     "..", "1", "9", "#", "\r", "a.aof"};
  for (int round = 0; round < 3000; round++) {
    std::string text;
    for (uint64_t i = rng.below(40); i-- > 0;) {
      if (rng.below(20) == 0) text += char(rng.below(256));
      else text += pieces[rng.below(std::size(pieces))];
    }
    ManifestError error;
    const auto manifest = parse_manifest(text, error);
    CHECK(bool(manifest) == error.reason.empty());
    if (!manifest) continue;
    for (const AppendFile& file : manifest->parts()) CHECK(file.name.find('/') == file.name.npos);
  }
}

TEST_CASE("a rewrite makes history of what it replaces") {
  AppendManifest manifest;
  CHECK(manifest.add_increment("a.aof").name == "a.aof.1.incr.aof");
  const AppendFile base = manifest.next_base("a.aof", true);
  CHECK(base.name == "a.aof.1.base.rdb");
  CHECK(manifest.add_increment("a.aof").name == "a.aof.2.incr.aof");  // the rewrite begins
  manifest.replace_base(base, 1);
  CHECK(print_manifest(manifest) ==
        "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type h\nfile a.aof.2.incr.aof seq 2 "
        "type i\n");
  manifest.replace_base(manifest.next_base("a.aof", false), 0);
  CHECK(manifest.base->name == "a.aof.2.base.aof");
  REQUIRE(manifest.history.size() == 3);  // the newest first
  CHECK(manifest.history[0].name == "a.aof.2.incr.aof");
  CHECK(manifest.history[1].name == "a.aof.1.base.rdb");
  CHECK(manifest.history[2].name == "a.aof.1.incr.aof");
  CHECK(manifest.increments.empty());
  CHECK(manifest.add_increment("a.aof").sequence == 3);  // no number is used twice
}

TEST_CASE("a single file of old becomes the base") {
  CHECK(print_manifest(manifest_of_single_file("appendonly.aof")) == "file appendonly.aof seq 1 type b\n");
}

TEST_CASE("the line that tells where replication stood reads back") {
  const std::string id(40, 'b');
  const std::string line = print_append_position(id, 1234, 3);
  CHECK(line == "#VEDETTE-REPL:" + id + " 3 1234\r\n");
  const auto text = std::string_view(line).substr(0, line.size() - 2);
  CHECK(parse_append_position(text, "") == AppendPosition{id, 1234, 3});
  CHECK(print_append_position("", 9, 0) == "#VEDETTE-REPL:0 9\r\n");
  CHECK(parse_append_position("#VEDETTE-REPL:2 9", id) == AppendPosition{id, 9, 2});
  CHECK(!parse_append_position("#VEDETTE-REPL:0 9", ""));
  CHECK(!parse_append_position("#VEDETTE-REPL:9", id));
  CHECK(!parse_append_position("#VEDETTE-REPL:" + id, id));
  CHECK(!parse_append_position("#VEDETTE-REPL:" + id + " 0 -1", id));
  CHECK(!parse_append_position("#VEDETTE-REPL:" + std::string(40, 'g') + " 0 1", id));
  CHECK(!parse_append_position("#TS:9", id));
}
