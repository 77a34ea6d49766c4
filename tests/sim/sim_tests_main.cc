// The runner of the simulation's tests: the servers' log is quiet.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/sim/sim_cluster.h"

int main(int argc, char** argv) {
  vedette::sim::show_server_log(std::getenv("VEDETTE_TEST_LOG") != nullptr);
  return doctest::Context(argc, argv).run();
}
