// Commands as stream bytes, read back by the parser of requests.
#include "server/replication/stream_encoder.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/base/rng.h"
#include "common/resp/request_parser.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

using Command = std::vector<std::string>;

std::string text_of(const BlockLog& log) {
  std::string out;
  log.for_each_piece(log.begin(), [&](const char* data, size_t size) {
    out.append(data, size);
    return true;
  });
  return out;
}

std::vector<Command> parsed(const std::string& stream) {
  std::vector<Command> commands;
  RequestParser parser;
  size_t at = 0;
  while (at < stream.size()) {
    std::vector<std::string_view> args;
    size_t consumed = 0;
    REQUIRE(stream[at] == '*');
    REQUIRE(parser.parse(stream.data() + at, stream.size() - at, {}, args, consumed) == RequestParser::Outcome::kRequest);
    commands.emplace_back(args.begin(), args.end());
    at += consumed;
  }
  return commands;
}

struct Stream {
  explicit Stream(size_t block_bytes = 64 * 1024) : log(block_bytes), encoder(log) {}
  void command(int db, Command argv) { encoder.command(db, std::span<const std::string>(argv)); }
  BlockLog log;
  StreamEncoder encoder;
};

}  // namespace

TEST_CASE("a command is an array of bulk strings, with SELECT where the database changes") {
  Stream stream;
  stream.command(0, {"SET", "k", ""});
  stream.command(0, {"DEL", "k"});
  stream.command(15, {"DEL", "k"});
  stream.command(-1, {"SCRIPT", "FLUSH"});
  stream.command(15, {"DEL", "k"});
  CHECK(text_of(stream.log) ==
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"
        "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n"
        "*2\r\n$6\r\nSELECT\r\n$2\r\n15\r\n"
        "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n"
        "*2\r\n$6\r\nSCRIPT\r\n$5\r\nFLUSH\r\n"
        "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
}

TEST_CASE("a reader that knows of no database is told it again") {
  Stream stream;
  stream.command(3, {"A"});
  stream.encoder.forget_database();
  stream.command(3, {"B"});
  stream.encoder.set_database(4);
  stream.command(4, {"C"});
  CHECK(parsed(text_of(stream.log)) == std::vector<Command>{{"SELECT", "3"}, {"A"}, {"SELECT", "3"}, {"B"}, {"C"}});
}

TEST_CASE("MULTI and EXEC are there only around more than one command") {
  Stream stream;
  stream.encoder.begin_transaction();
  stream.encoder.end_transaction();
  CHECK(stream.log.size() == 0);
  stream.encoder.begin_transaction();
  stream.command(1, {"A"});
  CHECK(parsed(text_of(stream.log)) == std::vector<Command>{{"SELECT", "1"}});
  stream.encoder.end_transaction();
  stream.encoder.begin_transaction();
  stream.command(1, {"B"});
  stream.command(2, {"C"});
  stream.command(2, {"D"});
  stream.encoder.end_transaction();
  stream.command(2, {"E"});
  CHECK(parsed(text_of(stream.log)) ==
        std::vector<Command>{{"SELECT", "1"}, {"A"}, {"MULTI"}, {"B"}, {"SELECT", "2"}, {"C"}, {"D"}, {"EXEC"}, {"E"}});
}

TEST_CASE("PING is 14 bytes and GETACK 37, in no database") {
  Stream stream;
  stream.encoder.ping();
  CHECK(stream.log.size() == 14);
  stream.encoder.getack();
  CHECK(stream.log.size() == 14 + 37);
  CHECK(stream.encoder.database() == -1);
  CHECK(parsed(text_of(stream.log)) == std::vector<Command>{{"PING"}, {"REPLCONF", "GETACK", "*"}});
}

TEST_CASE("every length is written as it is, through the borders of the tables and of the in-place form") {
  for (size_t size = 0; size < 2100; size++) {
    Stream stream(256);
    std::string value(size, 'v');
    for (size_t i = 0; i < size; i++) value[i] = char(i * 7);
    stream.command(-1, {"SET", value, "x"});
    REQUIRE(text_of(stream.log) == "*3\r\n$3\r\nSET\r\n$" + std::to_string(size) + "\r\n" + value + "\r\n$1\r\nx\r\n");
  }
  Stream stream;
  const Command many(12345, "m");
  stream.command(-1, many);
  CHECK(parsed(text_of(stream.log)) == std::vector<Command>{many});
}

TEST_CASE("a big command fills the blocks of the log") {
  Stream stream(1024);
  for (int i = 0; i < 10; i++) stream.command(0, {"SET", "k", std::string(10000, 'x')});
  CHECK(stream.log.memory_bytes() < stream.log.size() * 26 / 25 + 2 * 1024);  // a block of 1024 has some 32 bytes of its own
}

TEST_CASE("the encoder goes on in another log") {
  Stream stream;
  BlockLog other;
  stream.command(0, {"A"});
  stream.encoder.redirect(other);
  stream.command(0, {"B"});
  CHECK(text_of(other) == "*1\r\n$1\r\nB\r\n");
}

TEST_CASE("what is encoded is what is parsed") {
  Rng rng(test_seed("stream encoder"));
  for (int round = 0; round < 50; round++) {
    Stream stream(1 + rng.below(5000));
    std::vector<Command> expected;
    int selected = -1;
    for (int step = 0; step < 50; step++) {
      std::vector<Command> group;
      const uint64_t count = rng.below(3) ? 1 : rng.below(4);
      const bool transaction = count != 1 || rng.below(2);
      if (transaction && rng.below(2)) stream.encoder.begin_transaction(count);
      else if (transaction) stream.encoder.begin_transaction();
      for (uint64_t i = 0; i < count; i++) {
        const int db = int(rng.below(4)) - 1;
        Command command(1 + rng.below(5));
        for (std::string& arg : command) {
          arg.resize(rng.below(rng.below(10) ? 40 : 3000));
          for (char& c : arg) c = char(rng.below(256));
        }
        if (rng.below(2)) {
          stream.command(db, command);
        } else {
          const std::vector<std::string_view> views(command.begin(), command.end());
          stream.encoder.command(db, std::span<const std::string_view>(views));
        }
        if (db >= 0 && db != selected) {
          group.push_back({"SELECT", std::to_string(db)});
          selected = db;
        }
        group.push_back(command);
      }
      if (transaction) stream.encoder.end_transaction();
      if (count > 1) {
        const bool begins_elsewhere = group[0][0] == "SELECT" && group[0].size() == 2;
        group.insert(group.begin() + begins_elsewhere, {"MULTI"});
        group.push_back({"EXEC"});
      }
      expected.insert(expected.end(), group.begin(), group.end());
    }
    REQUIRE(parsed(text_of(stream.log)) == expected);
  }
}
