// Stories of replication, told on simulated servers.
#include <doctest/doctest.h>

#include "tests/sim/sim_cluster.h"

namespace vedette::sim {
namespace {

TEST_CASE("a replica takes the data over and follows the stream") {
  Cluster cluster(1, 3);
  cluster.start_all();
  for (int i = 0; i < 20; i++) cluster.call(0, "SET k" + std::to_string(i) + " v" + std::to_string(i));
  CHECK(cluster.follow(1, 0) == "OK");
  CHECK(cluster.follow(2, 1) == "OK");
  CHECK(cluster.run_until([&] { return cluster.in_step(); }));
  for (int i = 0; i < 20; i++) cluster.call(0, "APPEND k" + std::to_string(i) + " x");
  CHECK(cluster.run_until([&] { return cluster.in_step(); }));
  CHECK(cluster.call(2, "GET k3") == "v3x");
  CHECK(cluster.record.points_compared() > 0);
  CHECK_MESSAGE(cluster.failure() == "", cluster.trace_tail());
}

}  // namespace
}  // namespace vedette::sim
