// A small random generator (xoshiro256**, D. Blackman and S. Vigna, public domain algorithm). Pure code takes an
// Rng& as an argument, so that a run can be repeated from its seed; only an app seeds one from the machine.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/bits.h"

namespace vedette {

class Rng {
 public:
  explicit Rng(uint64_t seed);
  uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound) { return high_product(next(), bound); }
  /// `length` lower-case hexadecimal digits.
  std::string hex(size_t length);

 private:
  uint64_t s_[4];
};

/// A seed from the operating system.
uint64_t machine_seed();

}  // namespace vedette
