// The rates, sampled.
#include "server/execution/server_state.h"

namespace vedette {

void RateMeter::sample(uint64_t total, Instant now) {
  const int64_t ns = ns_between(last_, now);
  if (last_ != Instant{} && ns > 0) {
    // A counter that was reset counts from zero again.
    const uint64_t grown = total >= last_total_ ? total - last_total_ : total;
    rates_[next_] = uint64_t(double(grown) * 1e9 / double(ns));
    next_ = (next_ + 1) % kSamples;
  }
  last_total_ = total;
  last_ = now;
}

uint64_t RateMeter::per_second() const {
  uint64_t sum = 0;
  for (const uint64_t rate : rates_) sum += rate;
  return sum / kSamples;
}

void sample_rates(ServerState& server, Instant now) {
  server.command_rate.sample(server.stats.commands, now);
  server.input_rate.sample(server.stats.bytes_in, now);
  server.output_rate.sample(server.stats.bytes_out, now);
  server.turn_rate.sample(server.stats.turns, now);
  server.busy_rate.sample(uint64_t(server.stats.turns_busy_ns), now);
}

}  // namespace vedette
