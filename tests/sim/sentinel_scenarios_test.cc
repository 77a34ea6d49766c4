// Stories of sentinels, told on simulated servers. In each of them the cluster checks every vote, leader and configuration; what is
// asserted here is how the story goes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/sim/sentinel_cluster.h"

namespace vedette::sim {
namespace {

class Watch : public SentinelCluster {
 public:
  explicit Watch(int servers = 3, int sentinels = 3, uint64_t seed = 1, int quorum = 0)
      : SentinelCluster(seed, servers, sentinels, quorum) {
    directives = {"down-after-milliseconds m 500", "failover-timeout m 5000"};
  }
  ~Watch() override { CHECK_MESSAGE(failure() == "", trace_tail()); }
  /// Ends in agreement on another primary than `former`.
  bool moved_from(int former, int64_t ms_max = 30000) {
    const bool moved = run_until([&] { return agreed() && named_by(first_up()) != former; }, ms_max);
    CHECK_MESSAGE(moved, trace_tail(120));
    return moved;
  }
  int first_up() const {
    for (int i = 0; i < sentinel_count(); i++)
      if (sentinel_is_up(i)) return i;
    return -1;
  }
};

TEST_CASE("the primary dies: a replica is promoted, and the old one comes back as a replica") {
  for (const int sentinels : {1, 2, 3, 5, 7}) {
    CAPTURE(sentinels);
    Watch story(3, sentinels);
    REQUIRE(story.begin());
    story.crash(0);
    REQUIRE(story.moved_from(0));
    CHECK(story.count("+switch-master") == sentinels);
    const int now = story.named_by(0);
    story.start(0);
    CHECK(story.run_until([&] { return story.agreed() && story.replication(0).is_replica(); }));
    CHECK(story.named_by(0) == now);
  }
}

TEST_CASE("refused connections open the failover at once, if that counts; silence does not") {
  for (const bool fast : {true, false}) {
    CAPTURE(fast);
    Watch story;
    story.directives = {"down-after-milliseconds m 10000"};
    if (fast) story.directives.push_back("fast-evidence m yes");
    REQUIRE(story.begin());
    story.crash(0);
    story.run_ms(1000);
    CHECK(story.count("+switch-master") == (fast ? 3 : 0));
  }
  Watch silent;
  silent.directives = {"down-after-milliseconds m 10000", "fast-evidence m yes"};
  REQUIRE(silent.begin());
  silent.isolate(silent.node(0));
  silent.run_ms(5000);
  CHECK(silent.count("+switch-master") == 0);
}

TEST_CASE("the primary is parted with a minority: the majority moves on, the minority follows when it is heard again") {
  Watch story(3, 3);
  REQUIRE(story.begin());
  for (int i = 0; i < 3; i++) {
    for (const NodeId there : {story.node(1), story.node(2), story.sentinel_node(1), story.sentinel_node(2)}) {
      for (const NodeId here : {story.node(0), story.sentinel_node(0)}) {
        story.network.block(here, there, true);
        story.network.block(there, here, true);
      }
    }
  }
  CHECK(story.run_until([&] { return story.named_by(1) != 0 && story.named_by(1) == story.named_by(2); }));
  CHECK(story.named_by(0) == 0);
  story.network.heal_ways();
  CHECK(story.moved_from(0));
}

TEST_CASE("the leader dies in whatever state of the failover: another finishes it") {
  for (int64_t wait_us = 0; wait_us < 30000; wait_us += 1500) {
    CAPTURE(wait_us);
    Watch story(3, 5, uint64_t(wait_us) + 1);
    REQUIRE(story.begin());
    story.crash(0);
    REQUIRE(story.run_until([&] { return story.count("+try-failover") > 0; }));
    const int64_t until = story.timeline.now() + wait_us * kMicrosecond;
    while (story.timeline.run_next(until)) {}
    int leader = -1;
    for (int i = 0; i < 5; i++)
      if (story.group(i).failover.epoch == story.sentinel(i).monitor().current_epoch() && story.group(i).failover.epoch > 0) leader = i;
    if (leader >= 0) story.crash_sentinel(leader);
    REQUIRE(story.moved_from(0));
  }
}

TEST_CASE("the promoted one dies at once: the next is promoted") {
  for (int64_t wait_us = 0; wait_us < 20000; wait_us += 2000) {
    CAPTURE(wait_us);
    Watch story(4, 3, uint64_t(wait_us) + 1);
    REQUIRE(story.begin());
    story.crash(0);
    REQUIRE(story.run_until([&] { return story.count("+selected-slave") > 0; }));
    const int64_t until = story.timeline.now() + wait_us * kMicrosecond;
    while (story.timeline.run_next(until)) {}
    int chosen = -1;
    for (int i = 0; i < 3; i++)
      for (int s = 1; s < 4; s++)
        if (story.group(i).failover.chosen.host == Cluster::host_of(s)) chosen = s;
    REQUIRE(chosen > 0);
    story.crash(chosen);
    CHECK(story.moved_from(0, 60000));
  }
}

TEST_CASE("a quorum below the majority sees the primary down, but does not act without a majority") {
  Watch story(3, 5, 1, 2);
  REQUIRE(story.begin());
  for (const int i : {0, 1, 2}) story.crash_sentinel(i);
  story.crash(0);
  story.run_ms(8000);
  CHECK(story.count("+odown") > 0);
  CHECK(story.count("+switch-master") == 0);
  story.start_sentinel(0);
  CHECK(story.moved_from(0));
}

TEST_CASE("a link that flaps faster than down-after moves nothing") {
  Watch story;
  REQUIRE(story.begin());
  for (int i = 0; i < 20; i++) {
    story.isolate(story.node(0));
    story.run_ms(200);
    story.network.heal_ways();
    story.run_ms(700);
  }
  CHECK(story.count("+switch-master") == 0);
  CHECK(story.run_until([&] { return story.agreed(); }));
}

TEST_CASE("an ordered failover moves the primary while it is alive") {
  Watch story;
  REQUIRE(story.begin());
  REQUIRE(story.sentinel(1).monitor().failover(story.group(1), sentinel::FailoverMode::kForced, story.sentinel(1).now()));
  story.sentinel(1).settle();
  CHECK(story.moved_from(0));
  CHECK(story.replication(0).is_replica());
}

TEST_CASE("a planned failover hands over without a loss") {
  Watch story;
  REQUIRE(story.begin());
  for (int i = 0; i < 50; i++) story.order(0, fmt::format("INCR n"));
  REQUIRE(story.sentinel(1).monitor().failover(story.group(1), sentinel::FailoverMode::kCoordinated, story.sentinel(1).now()));
  story.sentinel(1).settle();
  CHECK(story.moved_from(0));
  CHECK(story.replication(0).is_replica());
  CHECK(story.call(story.named_by(0), "GET n") == "50");
  CHECK(story.full_syncs == 0);
}

TEST_CASE("a sentinel that was stopped for long concludes nothing from its own absence") {
  Watch story;
  REQUIRE(story.begin());
  for (int i = 0; i < 3; i++) story.sentinel(i).stop_until(story.timeline.now() + 20 * kSecond);
  story.run_ms(40000);
  CHECK(story.count("+switch-master") == 0);
  CHECK(story.count("+tilt") == 3);
  CHECK(story.count("-tilt") == 3);
}

TEST_CASE("replicas of priority 0 are never promoted") {
  Watch story;
  for (const int i : {1, 2}) story.settings(i).replication.priority = i == 1 ? 0 : 100;
  REQUIRE(story.begin());
  story.crash(0);
  REQUIRE(story.moved_from(0));
  CHECK(story.named_by(0) == 2);
  story.crash(2);
  story.run_ms(8000);
  CHECK(story.named_by(0) == 2);
  CHECK(story.count("-failover-abort-no-good-slave") > 0);
}

}  // namespace
}  // namespace vedette::sim
