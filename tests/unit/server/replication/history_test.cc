// Histories: forks, what is reported, and who may go on from where.
#include "server/replication/history.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/base/rng.h"
#include "server/replication/psync.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

const std::string kA(40, 'a'), kB(40, 'b'), kC(40, 'c');

History at(const std::string& id, uint64_t offset) {
  History history;
  history.adopt(id, offset);
  return history;
}

}  // namespace

TEST_CASE("a promoted replica writes its own history and shares the former one up to the fork") {
  History history = at(kA, 100);
  history.fork(kB);
  CHECK(history.id == kB);
  CHECK(history.id2 == kA);
  CHECK(history.second_offset == 101);
  CHECK(history.offset == 100);
  history.advance(5);
  CHECK(history.reported() == HistoryPoint{kB, 105});
  CHECK(history.second_offset == 101);
}

TEST_CASE("a full synchronisation and a lost backlog void the past") {
  History history = at(kA, 100);
  history.fork(kB);
  SUBCASE("full synchronisation") {
    history.adopt(kC, 7);
    CHECK(history.offset == 7);
  }
  SUBCASE("lost backlog") {
    history.restart(kC);
    CHECK(history.offset == 100);
  }
  CHECK(history.id == kC);
  CHECK(history.id2.empty());
  CHECK(history.second_offset == -1);
}

TEST_CASE("a partial synchronisation under a new id keeps the old one as the past") {
  History history = at(kA, 100);
  history.continue_as(kB);
  CHECK(history.id == kB);
  CHECK(history.id2 == kA);
  CHECK(history.second_offset == 101);
  history.advance(10);
  history.continue_as("");
  CHECK(history.id == kB);
  CHECK(history.id2 == kA);
  history.continue_as(kB);
  CHECK(history.id2 == kA);
  CHECK(history.second_offset == 101);
}

TEST_CASE("a process that was restarted reports what it has loaded until it writes") {
  History history;
  history.resumed(kA, 50, kB);
  CHECK(history.id == kB);
  CHECK(history.reported() == HistoryPoint{kA, 50});
  history.advance(0);
  CHECK(history.reported() == HistoryPoint{kA, 50});
  SUBCASE("a written byte diverges") {
    history.advance(1);
    CHECK(history.reported() == HistoryPoint{kB, 51});
    CHECK(history.id2 == kA);
    CHECK(history.second_offset == 51);
  }
  SUBCASE("a follower that was told the new id knows us by it") {
    history.announced();
    CHECK(history.reported() == HistoryPoint{kB, 50});
  }
  SUBCASE("it goes on with the loaded history") {
    history.continue_as("");
    CHECK(history.id == kA);
    CHECK(history.id2.empty());
    CHECK(history.reported() == HistoryPoint{kA, 50});
  }
  SUBCASE("it goes on with the loaded history under a new name") {
    history.continue_as(kC);
    CHECK(history.id == kC);
    CHECK(history.id2 == kA);
    CHECK(history.second_offset == 51);
  }
  SUBCASE("promoted again, the loaded history is still its past") {
    history.fork(kC);
    CHECK(history.id == kC);
    CHECK(history.id2 == kA);
    CHECK(history.second_offset == 51);
  }
}

TEST_CASE("ids are 40 hexadecimal digits") {
  CHECK(is_history_id("0123456789abcdefABCDEF0123456789abcdef01"));
  CHECK_FALSE(is_history_id("0123456789abcdefABCDEF0123456789abcdef0"));
  CHECK_FALSE(is_history_id("0123456789abcdefABCDEF0123456789abcdef012"));
  CHECK_FALSE(is_history_id("g123456789abcdefABCDEF0123456789abcdef01"));
  CHECK_FALSE(is_history_id(""));
}

TEST_CASE("who asks goes on exactly when its history is ours and its bytes are held") {
  History history = at(kA, 100);
  history.fork(kB);
  history.advance(100);  // A up to 100, B up to 200
  const BacklogRange held{51, 200};
  using Reason = FullResyncReason;
  const auto full = [&](std::string_view id, int64_t offset) {
    const PsyncAnswer answer = answer_psync({id, offset}, history, held);
    REQUIRE_FALSE(answer.is_continue);
    CHECK_FALSE(describe(answer.reason, {id, offset}, history, held).empty());
    return answer.reason;
  };
  const auto position = [&](std::string_view id, int64_t offset) {
    const PsyncAnswer answer = answer_psync({id, offset}, history, held);
    REQUIRE(answer.is_continue);
    CHECK(answer.id == kB);
    return answer.position;
  };
  CHECK(position(kB, 51) == 50);
  CHECK(position(kB, 201) == 200);
  CHECK(full(kB, 50) == Reason::kTooOld);
  CHECK(full(kB, 202) == Reason::kAhead);
  CHECK(position(kA, 101) == 100);
  CHECK(full(kA, 102) == Reason::kBeyondFork);
  CHECK(full(kA, 50) == Reason::kTooOld);
  CHECK(full(kC, 101) == Reason::kOtherHistory);
  CHECK(full("?", -1) == Reason::kAsked);
  CHECK(full("", 101) == Reason::kOtherHistory);
  for (int64_t offset : {int64_t(0), int64_t(-1), INT64_MIN}) CHECK(full(kB, offset) == Reason::kTooOld);
  CHECK(full(kB, INT64_MAX) == Reason::kAhead);
  CHECK(position(std::string(40, 'B'), 201) == 200);
  CHECK(answer_psync({kB, 201}, history, std::nullopt).reason == Reason::kNoBacklog);
}

TEST_CASE("without a past, nobody is taken for a follower of it") {
  const History history = at(kA, 10);
  CHECK(answer_psync({"", 5}, history, BacklogRange{1, 10}).reason == FullResyncReason::kOtherHistory);
}

// A small world of servers whose streams are texts: whatever forks, restarts and synchronisations happen, a server that
// goes on after a partial synchronisation holds a beginning of the other's stream.
TEST_CASE("going on never mixes two histories") {
  struct Server {
    History history;
    std::string stream;  // all bytes since ever
    HistoryPoint saved;  // what a restart comes back with
    std::string saved_stream;
  };
  Rng rng(test_seed("histories"));
  int continued = 0;
  for (int round = 0; round < 200; round++) {
    std::vector<Server> servers(4);
    for (Server& server : servers) server.history.restart(rng.hex(40));
    for (int step = 0; step < 120; step++) {
      Server& one = servers[rng.below(servers.size())];
      switch (rng.below(6)) {
        case 0:
        case 1: {  // writes, as a primary
          if (rng.below(2)) one.history.fork(rng.hex(40));
          // Who was demoted or is a replica must fork before it writes; a primary goes on under its id. Here each writer
          // forks unless it has forked or restarted last, which its id tells: nobody else has it.
          bool shared = false;
          for (const Server& other : servers) shared |= &other != &one && other.history.id == one.history.id;
          if (shared) one.history.fork(rng.hex(40));
          const uint64_t bytes = rng.below(5);
          for (uint64_t i = 0; i < bytes; i++) one.stream += char('a' + rng.below(26));
          one.history.advance(bytes);
          break;
        }
        case 2:  // saves
          one.saved = {one.history.reported()};
          one.saved_stream = one.stream;
          break;
        case 3:  // crashes, and comes back with what was saved
          if (one.saved.id.empty()) break;
          one.stream = one.saved_stream;
          one.history.resumed(one.saved.id, one.saved.offset, rng.hex(40));
          break;
        default: {  // follows another one
          Server& primary = servers[rng.below(servers.size())];
          if (&primary == &one) break;
          const HistoryPoint own = one.history.reported();
          const PsyncAnswer answer = answer_psync({own.id, int64_t(own.offset) + 1}, primary.history,
                                                  BacklogRange{1, primary.history.offset});
          if (answer.is_continue) {
            continued++;
            REQUIRE(primary.stream.substr(0, answer.position) == one.stream);
            one.history.continue_as(std::string(answer.id));
          } else {
            one.history.adopt(primary.history.id, primary.history.offset);
          }
          primary.history.announced();
          one.history.advance(primary.stream.size() - one.history.offset);
          one.stream = primary.stream;
        }
      }
      for (const Server& server : servers) REQUIRE(server.history.offset == server.stream.size());
    }
  }
  CHECK(continued > 0);
}
