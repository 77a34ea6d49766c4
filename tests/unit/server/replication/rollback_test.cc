// When a replica refuses to be emptied.
#include "server/replication/rollback.h"

#include <doctest/doctest.h>

#include <string>

using namespace vedette;

namespace {

RollbackQuestion question() {
  return {.own = {std::string(40, 'a'), 1000},
          .offered = {std::string(40, 'b'), 0},
          .same_address = true,
          .refused_for_ms = 0,
          .grace_ms = 5000};
}

}  // namespace

TEST_CASE("a primary that came back with less is refused for the grace time") {
  RollbackQuestion q = question();
  const RollbackVerdict verdict = judge_rollback(q);
  CHECK_FALSE(verdict.accept);
  CHECK(verdict.left_ms == 5000);
  CHECK(verdict.reason.find("1000") != std::string::npos);
  CHECK(verdict.reason.find(q.offered.id) != std::string::npos);
  q.refused_for_ms = 4999;
  CHECK(judge_rollback(q).left_ms == 1);
  q.refused_for_ms = 5000;
  CHECK(judge_rollback(q).accept);
  q.refused_for_ms = INT64_MAX;
  CHECK(judge_rollback(q).accept);
}

TEST_CASE("one byte less is less, under our own id too") {
  RollbackQuestion q = question();
  q.offered = {q.own.id, 999};
  CHECK_FALSE(judge_rollback(q).accept);
  q.offered.offset = 1000;
  CHECK(judge_rollback(q).accept);
  q.offered.offset = 1001;
  CHECK(judge_rollback(q).accept);
}

TEST_CASE("another primary, no grace, or nothing to lose: it obeys") {
  RollbackQuestion q = question();
  SUBCASE("another primary") { q.same_address = false; }
  SUBCASE("no grace") { q.grace_ms = 0; }
  SUBCASE("nothing to lose") {
    q.own.offset = 0;
    q.offered.id = q.own.id;
  }
  CHECK(judge_rollback(q).accept);
}

TEST_CASE("a history that begins in place of one that had not gone on since the snapshot is refused") {
  RollbackQuestion q = question();
  q.own.offset = 0;
  CHECK_FALSE(judge_rollback(q).accept);
  q.offered.offset = 1;
  CHECK(judge_rollback(q).accept);
}
