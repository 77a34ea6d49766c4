// --check-rdb: what it says of good, damaged and missing files.
#include "server/app/check_rdb.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <memory>

#include "tests/unit/server/snapshot/rdb_bytes.h"

namespace vedette {
namespace {

using namespace rdb_bytes;
using namespace std::string_literals;

struct Outcome {
  int code;
  std::string text;
};

// What is said of a file with `bytes`.
Outcome checked(std::string_view bytes) {
  char path[] = "/tmp/vedette-check-rdb-XXXXXX";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0);
  REQUIRE(write(fd, bytes.data(), bytes.size()) == ssize_t(bytes.size()));
  close(fd);
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  const int code = check_rdb(path, out);
  std::fclose(out);
  unlink(path);
  const std::unique_ptr<char, void (*)(void*)> owner(text, std::free);
  const std::string said(text, size);
  return {code, said.substr(said.find('\n') + 1)};
}

}  // namespace

TEST_CASE("a good file is told by what it holds") {
  const Outcome outcome = checked(
      framed("\xfa\x05"
             "ctime\xc2\x00\xf1\x53\x65\xf5\x0d#!lua name=ab\xfe\x00\xfb\x02\x01\x00\x01"
             "a\x01"
             "1"
             "\xfc\x05\0\0\0\0\0\0\0\x00\x01"
             "b\x01"
             "2\xfe\x09\x00\x01"
             "c\x01"
             "3"s));
  CHECK(outcome.code == 0);
  CHECK(outcome.text ==
        "RDB version 10 (Redis)\nAUX ctime = \"1700000000\"\na library of functions, 13 bytes: \"#!lua "
        "name=ab\"\n"
        "selecting database 0\nannounced: 2 keys, 1 of them with an expiry\nselecting database 9\n"
        "database 0: 2 keys, 1 with an expiry, 1 of them expired\ndatabase 9: 1 keys, 0 with an expiry, 0 of "
        "them expired\n"
        "string: 3 keys\n76 bytes\nthe file is good\n");
}

TEST_CASE("a damaged file is told by the place and the last key before it") {
  const Outcome outcome = checked(
      framed("\xfe\x02\x00\x01"
             "a\x01"
             "1\x00\x01"
             "b\xc4"s));
  CHECK(outcome.code == 1);
  CHECK(outcome.text ==
        "RDB version 10 (Redis)\nselecting database 2\n"
        "RDB: at byte 16, db 2, key \"b\": a string begins with the unknown byte 0xc4\n"
        "the last whole key: \"a\" in database 2\nnot a good file; 1 keys before the damage\n");
}

TEST_CASE("keys without elements are named and counted") {
  const Outcome outcome = checked(
      framed("\xfe\x00\x02\x04gone\x00\x00\x01"
             "a\x01"
             "1"s));
  CHECK(outcome.code == 0);
  CHECK(outcome.text.find("\nthe key \"gone\" has no elements, so it would not be loaded\n") != std::string::npos);
  CHECK(outcome.text.find("\nstring: 1 keys\n1 keys without elements\n") != std::string::npos);
}

TEST_CASE("what follows the end of an RDB is counted") {
  const Outcome outcome = checked(framed("") + "*1\r\n$4\r\nPING\r\n");
  CHECK(outcome.code == 0);
  CHECK(outcome.text.find("14 bytes follow the end of the RDB") != std::string::npos);
}

TEST_CASE("an empty file and a missing one are errors") {
  CHECK(checked("").text == "RDB: the file is empty\nnot a good file; 0 keys before the damage\n");
  std::FILE* out = std::fopen("/dev/null", "w");
  CHECK(check_rdb("/nonexistent/file.rdb", out) == 1);
  std::fclose(out);
}

}  // namespace vedette
