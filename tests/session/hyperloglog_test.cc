// HyperLogLogs as strings: what is one, when the form changes, what copies of the dataset see.
#include <doctest/doctest.h>

#include <string>

#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

struct Fixture {
  TestServer server;
  TestClient client{server};
};

TEST_CASE_FIXTURE(Fixture, "other strings and other types are refused, damaged registers are told of") {
  client("SET s text");
  client("SET n 12345");
  client("RPUSH l a");
  for (const char* line : {"PFADD s a", "PFADD n a", "PFCOUNT s", "PFCOUNT none s", "PFMERGE d s", "PFDEBUG ENCODING n"}) {
    CAPTURE(line);
    CHECK(client(line) == "(error) WRONGTYPE Key is not a valid HyperLogLog string value.");
  }
  CHECK(client("PFADD l a") == "(error) WRONGTYPE Operation against a key holding the wrong kind of value");
  client("PFADD h a b c");
  client("APPEND h hello");
  CHECK(client("PFCOUNT h") == "(error) INVALIDOBJ Corrupted HLL object detected");
  CHECK(client("PFCOUNT h none") == "(error) INVALIDOBJ Corrupted HLL object detected");
  CHECK(client("PFMERGE d h") == "(error) INVALIDOBJ Corrupted HLL object detected");
  CHECK(client("EXISTS d") == "0");
}

TEST_CASE_FIXTURE(Fixture, "the form becomes dense past hll-sparse-max-bytes") {
  server.state.keyspace.packing.hyperloglog_sparse_bytes = 30;
  for (int i = 0; client("PFDEBUG ENCODING k") != "dense"; i++) {
    REQUIRE(i < 100);
    if (i) CHECK(client("STRLEN k") <= "30");
    client("PFADD k " + std::to_string(i));
  }
  CHECK(client("STRLEN k") == "12304");
  CHECK(client("OBJECT ENCODING k") == "raw");
}

TEST_CASE_FIXTURE(Fixture, "effects and events") {
  server.effects();
  server.events();
  client("PFADD k a b");
  client("PFADD k a");
  CHECK(server.effects().take() == "PFADD k a b");
  CHECK(server.events().take() == "pfadd:k");
  client("PFCOUNT k");
  client("PFCOUNT k");
  CHECK(server.effects().take() == "PFCOUNT k");
  client("PFMERGE d k");
  CHECK(server.effects().take() == "PFMERGE d k");
  CHECK(server.events().take() == "pfadd:d");
}

TEST_CASE_FIXTURE(Fixture, "one survives DUMP and RESTORE, and a merge of sparse ones stays sparse") {
  client("PFADD a 1 2 3");
  client("PFADD b 3 4 5");
  CHECK(client("PFMERGE d a b") == "OK");
  CHECK(client("PFDEBUG ENCODING d") == "sparse");
  CHECK(client("PFCOUNT d") == "5");
  CHECK(client("COPY d e") == "1");
  CHECK(client("PFCOUNT e") == "5");
  CHECK(client("PFDEBUG TODENSE a") == "1");
  CHECK(client("PFMERGE d a b") == "OK");
  CHECK(client("PFDEBUG ENCODING d") == "dense");
  CHECK(client("PFCOUNT d") == "5");
}

}  // namespace
}  // namespace vedette::testing
