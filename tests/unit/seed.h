// The seed of a random test: from VEDETTE_TEST_SEED, or a new one each time. It is printed at once, because an assertion in
// the code under test ends the process.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "common/base/rng.h"

namespace vedette {

inline uint64_t test_seed(const char* test) {
  const char* given = std::getenv("VEDETTE_TEST_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 10) : machine_seed() >> 16;
  std::printf("%s: seed %llu\n", test, static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return seed;
}

}  // namespace vedette
