// Every kind of reply in both versions, and counts that are known afterwards.
#include "common/resp/reply_writer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>

#include "tests/unit/seed.h"

using namespace vedette;

namespace {

std::string bytes_of(const OutputBuffer& out) {
  std::string bytes;
  out.for_each_piece([&](const char* data, size_t size) { return bytes.append(data, size), true; });
  return bytes;
}

std::string written(RespVersion version, const std::function<void(ReplyWriter&)>& write) {
  ChunkPool pool;
  OutputBuffer out(pool);
  ReplyWriter writer(out, version);
  CHECK_FALSE(writer.complete());
  write(writer);
  CHECK(writer.complete());
  CHECK(out.size() == bytes_of(out).size());
  return bytes_of(out);
}

void check(const std::function<void(ReplyWriter&)>& write, std::string_view resp2, std::string_view resp3) {
  CHECK(written(RespVersion::k2, write) == resp2);
  CHECK(written(RespVersion::k3, write) == resp3);
}

}  // namespace

TEST_CASE("each kind of reply has its form in both versions") {
  check([](auto& w) { w.ok(); }, "+OK\r\n", "+OK\r\n");
  check([](auto& w) { w.error("ERR two\r\nlines"); }, "-ERR two  lines\r\n", "-ERR two  lines\r\n");
  check([](auto& w) { w.integer(INT64_MIN); }, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n");
  check([](auto& w) { w.bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n");
  check([](auto& w) { w.bulk(std::string_view("a\0b", 3)); }, std::string_view("$3\r\na\0b\r\n", 9), std::string_view("$3\r\na\0b\r\n", 9));
  check([](auto& w) { w.bulk_integer(-15); }, "$3\r\n-15\r\n", "$3\r\n-15\r\n");
  check([](auto& w) { w.null(); }, "$-1\r\n", "_\r\n");
  check([](auto& w) { w.null_array(); }, "*-1\r\n", "_\r\n");
  check([](auto& w) { w.boolean(true); }, ":1\r\n", "#t\r\n");
  check([](auto& w) { w.boolean(false); }, ":0\r\n", "#f\r\n");
  check([](auto& w) { w.real(1.5); }, "$3\r\n1.5\r\n", ",1.5\r\n");
  check([](auto& w) { w.real(-HUGE_VAL); }, "$4\r\n-inf\r\n", ",-inf\r\n");
  check([](auto& w) { w.big_number("123"); }, "$3\r\n123\r\n", "(123\r\n");
  check([](auto& w) { w.verbatim("txt", "hi"); }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n");
}

TEST_CASE("aggregates owe their elements") {
  check([](auto& w) { w.array(2), w.integer(1), w.null(); }, "*2\r\n:1\r\n$-1\r\n", "*2\r\n:1\r\n_\r\n");
  check([](auto& w) { w.map(1), w.bulk("a"), w.integer(1); }, "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n");
  check([](auto& w) { w.set(1), w.bulk("a"); }, "*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n");
  check([](auto& w) { w.push(1), w.bulk("a"); }, "*1\r\n$1\r\na\r\n", ">1\r\n$1\r\na\r\n");
  check([](auto& w) { w.array(0); }, "*0\r\n", "*0\r\n");
  ChunkPool pool;
  OutputBuffer out(pool);
  ReplyWriter writer(out, RespVersion::k2);
  writer.array(2);
  writer.array(1);
  writer.ok();
  CHECK_FALSE(writer.complete());
  writer.ok();
  CHECK(writer.complete());
}

TEST_CASE("counts that are known afterwards go before their elements") {
  check(
      [](auto& w) {
        const auto outer = w.start_deferred();
        w.bulk("a");
        const auto inner = w.start_deferred();
        w.integer(1);
        w.integer(2);
        w.finish_set(inner, 2);
        const auto empty = w.start_deferred();
        w.finish_array(empty, 0);
        w.integer(3);
        w.finish_map(outer, 2);
      },
      "*4\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n*0\r\n:3\r\n", "%2\r\n$1\r\na\r\n~2\r\n:1\r\n:2\r\n*0\r\n:3\r\n");
}

namespace {

// Writes a random value, by the writer and as text. Aggregates are deferred or not, as the dice say.
void write_random(Rng& rng, int depth, ReplyWriter& writer, std::string& expected) {
  const uint64_t kind = rng.below(depth > 0 ? 5 : 3);
  if (kind == 0) {
    const auto value = int64_t(rng.next());
    writer.integer(value);
    expected += ":" + to_text(value) + "\r\n";
  } else if (kind < 3) {
    static constexpr size_t kSizes[] = {0, 1, 9, 10, 100, 5000, 8192, 8193, 16359, 16360, 16361, 40000};
    const std::string bytes(kSizes[rng.below(rng.below(4) ? 5 : std::size(kSizes))], char('a' + rng.below(26)));
    writer.bulk(bytes);
    expected += "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
  } else {
    const size_t count = rng.below(12);
    const bool deferred = rng.below(2);
    ReplyWriter::Deferred start{};
    if (deferred) start = writer.start_deferred();
    else writer.array(count);
    expected += "*" + std::to_string(count) + "\r\n";
    for (size_t i = 0; i < count; i++) write_random(rng, depth - 1, writer, expected);
    if (deferred) writer.finish_array(start, count);
  }
}

}  // namespace

TEST_CASE("deferred counts hold across chunks, whatever is nested in them") {
  Rng rng(test_seed("deferred counts"));
  ChunkPool pool;
  OutputBuffer out(pool);
  std::string expected;
  for (int i = 0; i < 400; i++) {
    const size_t before = out.size();
    std::string reply;
    ReplyWriter writer(out, RespVersion::k2);
    write_random(rng, 4, writer, reply);
    REQUIRE(writer.complete());
    if (rng.below(3) == 0) out.truncate(before);  // a reply that is taken back
    else expected += reply;
    REQUIRE(out.size() == expected.size());
    if (rng.below(8) == 0) {
      REQUIRE(bytes_of(out) == expected);
      const size_t sent = rng.below(expected.size() + 1);
      out.consume(sent);
      expected.erase(0, sent);
    }
  }
  CHECK(bytes_of(out) == expected);
}
