// Waiting for acknowledgements.
#include "server/replication/acks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "common/base/rng.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

AckLevels levels(std::vector<uint64_t> acks) {
  AckLevels out;
  for (const uint64_t ack : acks) out.add(ack, ack / 2);
  return out;
}

}  // namespace

TEST_CASE("levels count who holds an offset, and tell what so many hold") {
  AckLevels three = levels({100, 300, 200});
  CHECK(three.at(0) == AckCounts{3, 0, 3});
  CHECK(three.at(200) == AckCounts{2, 0, 0});
  CHECK(three.at(201) == AckCounts{1, 0, 0});
  CHECK(three.at(301) == AckCounts{0, 0, 0});
  CHECK(three.reached({1, 0, 0}) == 300);
  CHECK(three.reached({2, 0, 0}) == 200);
  CHECK(three.reached({0, 0, 3}) == 50);
  CHECK_FALSE(three.reached({4, 0, 0}));
  CHECK_FALSE(three.reached({0, 1, 0}));
  three.set_local_aof(120);
  CHECK(three.at(120).local_aof == 1);
  CHECK(three.at(121).local_aof == 0);
  CHECK(three.reached({1, 1, 0}) == 120);
  CHECK(three.reached({0, 0, 0}) == UINT64_MAX);
}

TEST_CASE("only followers that are online count") {
  AckLevels out;
  out.add(Follower{.state = Follower::State::kSendBulk, .ack_offset = 10});
  out.add(Follower{.state = Follower::State::kOnline, .ack_offset = 10});
  CHECK(out.at(10).replicas == 1);
}

TEST_CASE("who has enough is due, in the order of offsets; who has not waits for its deadline") {
  AckRegistry registry;
  registry.add({.client = 1, .offset = 100, .wanted = {.replicas = 1}, .deadline = Instant{50}, .tag = 7});
  registry.add({.client = 2, .offset = 90, .wanted = {.replicas = 1}});
  registry.add({.client = 3, .offset = 100, .wanted = {.replicas = 2}, .deadline = Instant{60}});
  CHECK(registry.highest_offset() == 100);
  CHECK(registry.next_deadline() == Instant{50});
  CHECK(registry.take_due({0}, levels({89, 89})).empty());

  auto due = registry.take_due({0}, levels({100, 80}));
  REQUIRE(due.size() == 2);
  CHECK(due[0].waiter.client == 2);
  CHECK(due[1].waiter.client == 1);
  CHECK(due[1].waiter.tag == 7);
  CHECK(due[1].have.replicas == 1);
  CHECK_FALSE(due[1].timed_out);
  CHECK(registry.next_deadline() == Instant{60});

  CHECK(registry.take_due({59}, levels({100, 80})).empty());
  due = registry.take_due({60}, levels({100, 80}));
  REQUIRE(due.size() == 1);
  CHECK(due[0].waiter.client == 3);
  CHECK(due[0].timed_out);
  CHECK(due[0].have.replicas == 1);
  CHECK(registry.empty());
  CHECK_FALSE(registry.next_deadline());
  CHECK(registry.highest_offset() == 0);
}

TEST_CASE("enough at the deadline is enough") {
  AckRegistry registry;
  registry.add({.client = 1, .offset = 5, .wanted = {.replicas = 1}, .deadline = Instant{10}});
  const auto due = registry.take_due({20}, levels({5}));
  REQUIRE(due.size() == 1);
  CHECK_FALSE(due[0].timed_out);
}

TEST_CASE("who goes away waits no more") {
  AckRegistry registry;
  registry.add({.client = 1, .offset = 5, .wanted = {.replicas = 1}, .deadline = Instant{10}});
  CHECK(registry.waits(1));
  CHECK(registry.cancel(1)->offset == 5);
  CHECK_FALSE(registry.cancel(1));
  CHECK(registry.take_due({20}, levels({5})).empty());
  registry.add({.client = 1, .offset = 6, .wanted = {.replicas = 1}});
  registry.add({.client = 2, .offset = 6, .wanted = {.local_aof = 1}});
  const auto all = registry.take_all(levels({6}));
  CHECK(all.size() == 2);
  CHECK(registry.empty());
  CHECK(registry.size() == 0);
}

TEST_CASE("the registry answers like a list of waiters that is searched through") {
  Rng rng(test_seed("acks"));
  for (int round = 0; round < 100; round++) {
    AckRegistry registry;
    std::map<uint64_t, AckWaiter> model;
    std::vector<std::pair<uint64_t, uint64_t>> replicas(rng.below(5));
    std::optional<uint64_t> local;
    int64_t now = 0;
    uint64_t client = 0;
    for (int step = 0; step < 200; step++) {
      switch (rng.below(4)) {
        case 0:
        case 1: {
          AckWaiter waiter{
              .client = ++client, .offset = rng.below(1000), .wanted = {int(rng.below(4)), int(rng.below(2)), int(rng.below(3))}};
          if (rng.below(2)) waiter.deadline = Instant{now + int64_t(rng.below(50))};
          registry.add(waiter);
          model[client] = waiter;
          break;
        }
        case 2: {
          if (client == 0) break;
          const uint64_t gone = 1 + rng.below(client);
          CHECK(registry.cancel(gone).has_value() == (model.erase(gone) == 1));
          break;
        }
        default: {
          now += int64_t(rng.below(20));
          for (auto& [ack, aof] : replicas) {
            ack += rng.below(100);
            aof += rng.below(ack - aof + 1);
          }
          if (rng.below(3) == 0) local = rng.below(1000);
          AckLevels current;
          for (const auto& [ack, aof] : replicas) current.add(ack, aof);
          if (local) current.set_local_aof(*local);

          std::map<uint64_t, bool> expected;  // client -> timed out
          for (const auto& [id, waiter] : model) {
            AckCounts have;
            for (const auto& [ack, aof] : replicas) {
              have.replicas += ack >= waiter.offset;
              have.replica_aofs += aof >= waiter.offset;
            }
            have.local_aof = local && *local >= waiter.offset;
            const bool enough = have.replicas >= waiter.wanted.replicas && have.local_aof >= waiter.wanted.local_aof &&
                                have.replica_aofs >= waiter.wanted.replica_aofs;
            REQUIRE(current.at(waiter.offset) == have);
            if (enough || (waiter.deadline && *waiter.deadline <= Instant{now})) expected[id] = !enough;
          }
          std::map<uint64_t, bool> got;
          for (const auto& due : registry.take_due({now}, current)) got[due.waiter.client] = due.timed_out;
          REQUIRE(got == expected);
          for (const auto& [id, timed_out] : expected) model.erase(id);
        }
      }
      REQUIRE(registry.size() == model.size());
    }
  }
}
