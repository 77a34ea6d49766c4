// A server without sockets on a clock that tests set: a state, its executor and one session.
#pragma once

#include <string>
#include <string_view>

#include "server/commands/families.h"
#include "server/execution/executor.h"

namespace vedette {

/// Time moves only when told to, and by a step with each reading, so that work that bounds its time comes to its bound.
class ManualClock final : public Clock {
 public:
  Now now() override {
    present.instant.ns += step_ns;
    present.wall.us += step_ns / 1000;
    readings++;
    return present;
  }
  void advance_ms(int64_t ms) {
    present.instant.ns += ms * 1'000'000;
    present.wall.us += ms * 1000;
  }
  Now present{Instant{1'000'000'000'000}, WallTime{1'700'000'000'000'000}};
  int64_t step_ns = 0;
  uint64_t readings = 0;
};

struct ServerFixture {
  explicit ServerFixture(uint64_t seed, int databases = 4) : state(databases, HashKey{seed, seed + 1}, seed), executor(state, clock) {
    register_memory_thread();
    add_all_commands(state.commands);
    executor.prepare();
  }

  /// Runs an inline request and returns the reply's bytes.
  std::string run(std::string_view line) {
    const std::string bytes = std::string(line) + "\r\n";
    executor.gather(session, bytes);
    executor.execute();
    std::string reply;
    session.output.for_each_piece([&](const char* data, size_t size) { return reply.append(data, size), true; });
    session.output.clear();
    return reply;
  }
  /// Puts a string into a database directly.
  void add(int db, const std::string& key, std::string_view value, int64_t expiry_ms = kNoExpiry) {
    Database& database = state.keyspace.db(db);
    Entry* entry = make_string_entry(key, value, expiry_ms);
    entry->set_access(state.keyspace.access.for_new_entry());
    database.add(database.key_of(key).hash, entry);
  }
  bool holds(int db, const std::string& key) {
    const Database& database = state.keyspace.db(db);
    return bool(database.find(database.key_of(key)));
  }
  void limit_memory(uint64_t bytes, EvictionPolicy policy) {
    state.settings.memory_max = bytes;
    state.settings.eviction_policy = policy;
    state.set_condition(kMemoryLimited, bytes != 0);
  }
  const Now& now() { return executor.refresh_now(); }

  ManualClock clock;
  ServerState state;
  Executor executor;
  Session session{1, state.chunks, clock.present.instant};
};

/// Notes every effect and keyspace event.
struct EffectLog final : EffectSink {
  void on_effects(const EffectBatch& effects) override {
    for (size_t i = 0; i < effects.size(); i++) {
      std::string line = std::to_string(effects[i].db);
      for (const std::string_view arg : effects[i].argv) line += ' ' + std::string(arg);
      lines.push_back(line);
    }
  }
  std::vector<std::string> lines;
};
struct EventLog final : Subscriber {
  void deliver(const Message& message) override { lines.push_back(std::string(message.channel) + " " + std::string(message.payload)); }
  std::vector<std::string> lines;
};

}  // namespace vedette
