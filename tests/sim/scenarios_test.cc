// Stories of replication, told on simulated servers. In each of them the record (history_record.h) checks
// every turn of every server; what is asserted here is how the story goes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/sim/sim_cluster.h"

namespace vedette::sim {
namespace {

class Story : public Cluster {
 public:
  explicit Story(int servers, uint64_t seed = 1) : Cluster(seed, servers) {}
  ~Story() override { CHECK_MESSAGE(failure() == "", trace_tail()); }

  /// All are up, and follow 0 in step, which has some keys.
  void begin() {
    start_all();
    fill(0, 20);
    for (int i = 1; i < size(); i++) follow(i, 0);
    REQUIRE(settled());
    run_ms(100);  // until the acknowledgements have arrived
  }
  void fill(int index, int keys, size_t bytes = 20) {
    for (int i = 0; i < keys; i++) call(index, fmt::format("SET k{} {}", i, std::string(bytes, char('a' + i % 26))));
  }
  bool settled(int64_t ms_max = 30000) {
    return run_until([&] { return in_step(); }, ms_max);
  }
  ReplicationSettings& config(int index) { return settings(index).replication; }
  const ReplicationStats& stats(int index) const { return replication(index).stats; }
  void cut(int a, int b) {
    for (const uint64_t id : network.connections_between(node(a), node(b))) network.reset(id, false);
  }
  void part(int a, int b, bool on = true) {
    network.block(node(a), node(b), on);
    network.block(node(b), node(a), on);
  }
  bool link_up(int index) const { return is_up(index) && replication(index).link() && replication(index).link()->up(); }
};

TEST_CASE("a replica takes the data over and follows the stream, in a chain too") {
  Story story(3);
  story.start_all();
  story.fill(0, 20);
  CHECK(story.follow(1, 0) == "OK");
  CHECK(story.follow(2, 1) == "OK");  // before 1 has anything: it is told to try later
  CHECK(story.settled());
  story.fill(0, 20);
  story.call(0, "APPEND k3 x");
  CHECK(story.settled());
  CHECK(story.call(2, "GET k3") == std::string(20, 'd') + "x");
  CHECK(story.stats(0).full_syncs == 1);
  CHECK(story.record.points_compared() > 0);
}

TEST_CASE("whatever byte of the first conversation the link is cut after, the replica comes again") {
  for (const bool diskless : {true, false}) {
    for (uint64_t bytes = 0; bytes < 700; bytes += diskless ? 7 : 13) {
      for (const int side : {0, 1}) {
        Story story(2);
        story.config(0).diskless_sync = diskless;
        bool done = false;
        story.network.on_accept = [&](uint64_t id, NodeId, NodeId) {
          if (!std::exchange(done, true)) story.network.cut_after(id, side, bytes);
        };
        story.begin();
        CHECK(done);
      }
    }
  }
}

TEST_CASE("a link that is cut anywhere in the stream goes on where it was, in the middle of a transaction too") {
  Story story(2);
  story.begin();
  story.call(0, "SET counter 0");
  for (uint64_t bytes = 1; bytes < 260; bytes += 3) {
    for (const uint64_t id : story.network.connections_between(story.node(0), story.node(1))) story.network.cut_after(id, 0, bytes);
    std::string block;
    story.call(0, "INCR counter");
    for (int i = 0; i < 3; i++) story.call(0, "INCRBY counter 7");
    story.call(0, "MSET a 1 b 2 c 3");
    CHECK(story.settled());
  }
  CHECK(story.stats(0).full_syncs == 1);
  CHECK(story.stats(0).partial_syncs > 20);
  CHECK(story.call(0, "GET counter") == story.call(1, "GET counter"));
}

TEST_CASE("CLIENT KILL by the primary's address ends the link, which goes on where it was") {
  Story story(2);
  story.begin();
  CHECK(story.call(1, "CLIENT KILL 10.0.0.0:7001") == "(error) ERR No such client");
  CHECK(story.call(1, "CLIENT KILL 10.0.0.0:7000") == "OK");
  CHECK_FALSE(story.link_up(1));
  CHECK(story.call(1, "CLIENT KILL 10.0.0.0:7000") == "(error) ERR No such client");
  CHECK(story.settled());
  CHECK(story.stats(0).full_syncs == 1);
  CHECK(story.stats(0).partial_syncs == 1);
  CHECK(story.call(0, "CONFIG RESETSTAT") == "OK");
  CHECK(story.stats(0).full_syncs == 0);
  CHECK(story.stats(0).partial_syncs == 0);
}

TEST_CASE("a new period of pings holds at once, shorter or longer") {
  Story story(2);
  story.config(0).ping_period_ms = 600'000;
  story.begin();
  const uint64_t before = story.standing(0).offset;
  story.run_ms(5000);
  CHECK(story.standing(0).offset == before);
  story.server(0).state().settings.replication.ping_period_ms = 1000;
  story.run_ms(5000);
  CHECK(story.standing(1).offset >= before + 4 * std::string_view("*1\r\n$4\r\nPING\r\n").size());
  story.server(0).state().settings.replication.ping_period_ms = 600'000;
  const uint64_t after = story.standing(0).offset;
  story.run_ms(5000);
  CHECK(story.standing(0).offset == after);
  CHECK(story.settled());
}

TEST_CASE("a promoted replica's siblings and its former primary go on without a full synchronization") {
  Story story(3);
  story.begin();
  CHECK(story.call(1, "REPLICAOF NO ONE") == "OK");
  story.fill(1, 5);
  CHECK(story.follow(2, 1) == "OK");
  CHECK(story.follow(0, 1) == "OK");  // it has written nothing since
  CHECK(story.settled());
  CHECK(story.stats(1).full_syncs == 0);
  CHECK(story.stats(1).partial_syncs == 2);
}

TEST_CASE("an ex-primary that has written alone gives that up by a full synchronization") {
  Story story(2);
  story.begin();
  story.part(0, 1);
  story.call(0, "SET alone 1");
  story.call(1, "REPLICAOF NO ONE");
  story.call(1, "SET other 1");
  story.part(0, 1, false);
  story.follow(0, 1);
  CHECK(story.settled());
  CHECK(story.stats(1).full_syncs == 1);
  CHECK(story.call(0, "GET alone") == "nil");
  CHECK(story.call(0, "GET other") == "1");
}

TEST_CASE("a primary that comes back empty does not empty its replica before the grace is over") {
  Story story(2);
  story.begin();
  const int64_t keys = int64_t(story.server(1).state().keyspace.total_keys());
  story.crash(0);
  story.start(0);
  story.run_ms(2000);
  CHECK(int64_t(story.server(1).state().keyspace.total_keys()) == keys);
  CHECK(story.replication(1).link()->refusal() != "");
  CHECK(story.stats(1).rollbacks_refused == 1);
  CHECK(story.settled());  // nobody promoted it
  CHECK(story.call(1, "DBSIZE") == "0");
}

TEST_CASE("a primary that restarts with what it has saved is followed without a full synchronization") {
  Story story(2);
  story.begin();
  CHECK(story.call(0, "SAVE") == "OK");
  story.crash(0);
  story.start(0);
  CHECK(story.run_until([&] { return !story.link_up(1); }));
  CHECK(story.settled());
  CHECK(story.stats(0).full_syncs == 0);
  CHECK(story.stats(0).partial_syncs == 1);
}

TEST_CASE(
    "a crashed primary rejoins under its promoted replica without a full synchronization if it has saved a "
    "shared point") {
  Story story(2);
  story.begin();
  CHECK(story.call(0, "SAVE") == "OK");
  story.crash(0);
  story.call(1, "REPLICAOF NO ONE");
  story.fill(1, 3);
  story.start(0);
  story.follow(0, 1);
  CHECK(story.settled());
  CHECK(story.stats(1).full_syncs == 0);
}

TEST_CASE("in a chain of three the middle restarts, and the end follows on") {
  for (const bool saved : {true, false}) {
    Story story(3);
    story.start_all();
    story.fill(0, 20);
    story.follow(1, 0);
    CHECK(story.run_until([&] { return story.link_up(1); }));
    story.follow(2, 1);
    CHECK(story.settled());
    if (saved) CHECK(story.call(1, "SAVE") == "OK");
    story.crash(1);
    story.call(0, "SET meanwhile 1");
    story.start(1);
    story.follow(1, 0);
    CHECK(story.settled());
    CHECK(story.stats(0).full_syncs == (saved ? 1 : 2));
    CHECK(story.stats(1).full_syncs == (saved ? 0 : 1));
    CHECK(story.call(2, "GET meanwhile") == "1");
  }
}

TEST_CASE("writes go on while a slow replica takes its snapshot, of either form and loaded in any way") {
  for (const bool diskless : {true, false}) {
    for (const DisklessLoading loading : {DisklessLoading::kNever, DisklessLoading::kWhenEmpty, DisklessLoading::kBeside}) {
      Story story(2);
      story.config(0).diskless_sync = diskless;
      story.config(0).backlog_bytes = 1024;
      story.config(1).diskless_load = loading;
      story.settings(0).key_save_delay_us = 5000;
      story.network.window_bytes_max = story.network.window_bytes_min;
      story.start_all();
      story.fill(0, 100, 300);
      story.server(1).read_bytes_max = 100;
      story.server(1).turn_delay_ns = kMillisecond;
      story.follow(1, 0);
      for (int i = 0; i < 200; i++) {
        story.call(0, fmt::format("SET k{} {}", i % 120, i));
        story.run_ms(3);
      }
      CHECK(story.settled());
      CHECK(story.stats(0).full_syncs == 1);  // more writes than the backlog holds: they waited for it
    }
  }
}

TEST_CASE("a snapshot for replicas is a background save in progress to who asks") {
  for (const bool diskless : {true, false}) {
    Story story(2);
    story.config(0).diskless_sync = diskless;
    story.settings(0).key_save_delay_us = 100'000;
    story.start_all();
    story.fill(0, 50);
    const auto says = [&](const char* line) { return story.call(0, "INFO persistence").find(line) != std::string::npos; };
    CHECK(says("rdb_bgsave_in_progress:0"));
    story.follow(1, 0);
    CHECK(story.run_until([&] { return story.server(0).snapshots().active(); }));
    story.run_ms(2500);
    CHECK(says("rdb_bgsave_in_progress:1"));
    CHECK(says("rdb_current_bgsave_time_sec:2"));
    CHECK(story.settled());
    CHECK(says("rdb_bgsave_in_progress:0"));
    CHECK(says("rdb_current_bgsave_time_sec:-1"));
  }
}

TEST_CASE("a snapshot that goes to a slow disk first is announced once") {
  Story story(2);
  story.config(0).diskless_sync = false;
  story.disk(0).job_ns = 300 * kMillisecond;
  story.begin();
  CHECK(story.stats(0).full_syncs == 1);
  CHECK(story.settled());
}

TEST_CASE("a replica that another holds up is not taken for silent") {
  Story story(3);
  story.config(0).timeout_ms = 2000;
  story.network.window_bytes_max = story.network.window_bytes_min;
  story.start_all();
  story.server(0).snapshots().window_bytes = 1000;
  story.fill(0, 200, 1000);
  story.follow(1, 0);
  story.follow(2, 0);
  CHECK(story.run_until([&] { return story.server(0).snapshots().active(); }));
  for (const uint64_t id : story.network.connections_between(story.node(0), story.node(2))) {
    story.network.clog(id, 0, true);
    story.network.clog(id, 1, true);
  }
  CHECK(story.run_until([&] { return story.link_up(1); }, 10000));
  CHECK(story.stats(0).full_syncs == 2);  // each once: it is 2 that was given up
}

TEST_CASE("FLUSHALL lets a replica begin anew that is taking in what was there") {
  for (const bool diskless : {true, false}) {
    Story story(3);
    story.config(0).diskless_sync = diskless;
    story.settings(0).key_save_delay_us = 1'000'000;
    story.start_all();
    story.follow(2, 0);
    CHECK(story.run_until([&] { return story.link_up(2); }));
    story.fill(0, 50);
    story.follow(1, 0);
    CHECK(story.run_until([&] { return story.server(0).snapshots().active(); }));
    story.run_ms(2000);
    CHECK(story.call(0, "FLUSHALL") == "OK");
    CHECK(story.settled(5000));  // the snapshot would take fifty seconds
    CHECK(story.stats(0).full_syncs == 3);
    CHECK(story.link_up(2));
  }
}

TEST_CASE("a load that a test's option slows down takes its time, in any way") {
  for (const DisklessLoading loading : {DisklessLoading::kNever, DisklessLoading::kWhenEmpty, DisklessLoading::kBeside}) {
    Story story(2);
    story.config(1).diskless_load = loading;
    story.settings(1).key_load_delay_us = 100'000;
    story.start_all();
    story.fill(0, 50, 5000);
    story.follow(1, 0);
    story.run_ms(4000);
    CHECK_FALSE(story.link_up(1));
    CHECK(story.settled(2000));
    CHECK(story.stats(0).full_syncs == 1);
  }
}

TEST_CASE("two replicas share a snapshot, and a third gets the next") {
  Story story(4);
  story.settings(0).key_save_delay_us = 10000;
  story.start_all();
  story.fill(0, 50);
  story.follow(1, 0);
  story.follow(2, 0);
  CHECK(story.run_until([&] { return story.server(0).snapshots().active(); }));
  CHECK(story.server(0).snapshots().keys_total() == 50);
  story.run_ms(100);
  story.call(0, "SET late 1");
  story.follow(3, 0);
  CHECK(story.run_until([&] { return story.link_up(1) && story.link_up(2); }));
  CHECK_FALSE(story.link_up(3));
  CHECK(story.settled());
  CHECK(story.stats(0).full_syncs == 3);
}

TEST_CASE("a load that is cut leaves nothing that a sibling would go on from") {
  Story story(3);
  story.config(0).backlog_bytes = 1024;
  story.config(1).backlog_bytes = 1 << 20;
  story.begin();
  story.part(0, 2);
  story.cut(0, 2);
  story.fill(0, 20, 100);
  CHECK(story.run_until([&] { return story.standing(0) == story.standing(1); }));
  // 0 has forgotten what 2 lacks, 1 has not.
  story.disk(2).job_ns = 500 * kMillisecond;
  story.part(0, 2, false);
  CHECK(story.run_until([&] { return story.server(2).loading(); }));
  story.crash(0);
  CHECK(story.run_until([&] { return !story.server(2).loading(); }));
  CHECK(story.call(1, "REPLICAOF NO ONE") == "OK");
  CHECK(story.follow(2, 1) == "OK");
  CHECK(story.settled());
  CHECK(story.stats(1).full_syncs == 1);
}

TEST_CASE("a replica that comes twice is counted once") {
  Story story(2);
  story.config(0).timeout_ms = 60000;
  story.begin();
  for (const uint64_t id : story.network.connections_between(story.node(1), story.node(0))) {
    story.network.clog(id, 0, true);  // 1 hears nothing any more; 0 will not learn that it has gone
    story.network.clog(id, 1, true);
  }
  CHECK(story.run_until([&] { return story.replication(0).replica_count() == 2 && story.link_up(1); }, 20000));
  AckLevels levels = story.replication(0).ack_levels();
  CHECK(levels.at(0).replicas == 1);
  CHECK(story.settled());
}

TEST_CASE("FAILOVER changes the roles and loses nothing") {
  Story story(3);
  story.begin();
  CHECK(story.call(0, "FAILOVER TO 10.0.0.2 7002") == "OK");
  CHECK(story.run_until([&] { return story.is_primary(2) && story.link_up(0); }));
  CHECK(story.call(0, "SET k v") == "(error) READONLY You can't write against a read only replica.");
  story.follow(1, 2);
  story.call(2, "SET after 1");
  CHECK(story.settled());
  CHECK(story.stats(2).full_syncs == 0);
}

TEST_CASE("FAILOVER without a replica that keeps up ends at its timeout") {
  Story story(2);
  story.begin();
  story.part(0, 1);
  story.call(0, "SET behind 1");
  CHECK(story.call(0, "FAILOVER TIMEOUT 500") == "OK");
  story.run_ms(300);
  CHECK(story.replication(0).failover.active());
  story.run_ms(500);
  CHECK_FALSE(story.replication(0).failover.active());
  CHECK(story.is_primary(0));
  story.part(0, 1, false);
  CHECK(story.call(0, "SET goes on") == "OK");
  CHECK(story.settled());
}

TEST_CASE("FAILOVER that is aborted at any moment leaves one history to each primary") {
  for (int64_t us = 0; us < 6000; us += 50) {
    Story story(2);
    story.begin();
    CHECK(story.call(0, "FAILOVER") == "OK");
    const int64_t until = story.timeline.now() + us * kMicrosecond;
    while (story.timeline.run_next(until)) {}
    story.call(0, "FAILOVER ABORT");
    story.run_ms(5);
    for (const int i : {0, 1})
      if (story.is_primary(i)) story.call(i, fmt::format("SET who {}", i));
    story.run_ms(100);
    CHECK(story.failure() == "");
    if (story.is_primary(0)) story.follow(1, 0);
    CHECK(story.settled());
  }
}

TEST_CASE("FAILOVER is refused where it cannot be") {
  Story story(2);
  story.start_all();
  CHECK(story.call(0, "FAILOVER") == "(error) ERR FAILOVER requires connected replicas.");
  story.follow(1, 0);
  CHECK(story.settled());
  CHECK(story.call(1, "FAILOVER") == "(error) ERR FAILOVER is not valid when server is a replica.");
  CHECK(story.call(0, "FAILOVER TO 10.0.0.9 1") == "(error) ERR FAILOVER target HOST and PORT is not a replica.");
  CHECK(story.call(0, "FAILOVER TO 10.0.0.1 7001 FORCE") ==
        "(error) ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
  CHECK(story.call(0, "FAILOVER ABORT") == "(error) ERR No failover in progress.");
}

}  // namespace
}  // namespace vedette::sim
