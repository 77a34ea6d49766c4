// The freeing worker: counts, memory, and its end.
#include "server/store/lazy_free.h"

#include <doctest/doctest.h>

#include <future>

#include "server/store/string_value.h"

using namespace vedette;

namespace {
// What the C library keeps of a thread, or frees only after the thread's balance was drawn.
constexpr uint64_t kThreadBytesMax = 512;
}  // namespace

TEST_CASE("what is freed in the background is counted, and its memory comes back") {
  register_memory_thread();
  const uint64_t before = used_memory();
  {
    LazyFree lazy;
    Database db(HashKey{1, 2});
    for (int i = 0; i < 2000; i++) {
      const std::string key = "key:" + std::to_string(i);
      db.add(db.key_of(key).hash, make_string_entry(key, "value", i % 2 ? 1 : kNoExpiry));
    }
    lazy.free_entry(make_string_entry("large", std::string(2 << 20, 'x'), kNoExpiry));
    std::promise<void> done;
    lazy.free_database(std::move(db), [&] { done.set_value(); });
    done.get_future().wait();  // jobs are done in order
    while (lazy.pending_objects()) std::this_thread::yield();
    CHECK(lazy.pending_bytes() == 0);
    CHECK(lazy.freed_objects() == 2001);
    lazy.reset_stats();
    CHECK(lazy.freed_objects() == 0);
  }
  CHECK(used_memory() - before <= kThreadBytesMax);
}

TEST_CASE("what is still queued is freed at the end") {
  const uint64_t before = used_memory();
  for (int round = 0; round < 20; round++) {
    LazyFree lazy;
    for (int i = 0; i < 20; i++) lazy.free_entry(make_string_entry("k", std::string(30000, 'x'), kNoExpiry));
  }
  CHECK(used_memory() - before <= 20 * kThreadBytesMax);
}
