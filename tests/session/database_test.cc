// Selecting, exchanging and emptying databases; who waits for a flush.
#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "tests/session/keyspace_events.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

// Takes posts from the freeing thread, as the app's loop does.
class PostBox final : public ServerActions {
 public:
  explicit PostBox(TestServer& server) : server_(server) { server.state.actions = this; }
  ~PostBox() override {
    server_.state.keyspace.lazy_free.stop();
    server_.state.actions = nullptr;
  }
  void shutdown(const ShutdownRequest&) override {}
  bool abort_shutdown() override { return false; }
  void sleep_us(int64_t) override {}
  void run_elsewhere(std::function<void()> job, std::function<void()> done) override {
    job();
    post(std::move(done));
  }
  void post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    arrived_.notify_one();
  }
  /// Waits for a post and runs it.
  void run_next() {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      REQUIRE(arrived_.wait_for(lock, std::chrono::seconds(60), [this] { return !posted_.empty(); }));
      work = std::move(posted_.front());
      posted_.erase(posted_.begin());
    }
    work();
    server_.turn();
  }

 private:
  TestServer& server_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::function<void()>> posted_;
};

void fill(TestServer& server, int db, size_t keys) {
  Database& database = server.state.keyspace.db(db);
  for (size_t i = 0; i < keys; i++) {
    const std::string key = "key:" + std::to_string(i);
    database.add(database.key_of(key).hash, make_string_entry(key, "v", kNoExpiry));
  }
}
constexpr size_t kLarge = LazyFree::kLargeDatabaseEntries + 1;

TEST_CASE("a large database is flushed at once, its client waits for the memory alone") {
  TestServer server;
  PostBox box(server);
  TestClient client(server), other(server);
  for (const char* command : {"FLUSHALL", "FLUSHALL SYNC", "FLUSHDB", "flushdb sync"}) {
    CAPTURE(command);
    fill(server, 0, kLarge);
    CHECK(client(command).empty());
    CHECK(client("PING").empty());  // it waits behind the flush
    CHECK(other("DBSIZE") == "0");
    CHECK(other("SET k v") == "OK");
    box.run_next();
    CHECK(client.pending() == "OK PONG");
    CHECK(client("DBSIZE") == "1");
    CHECK(client("FLUSHALL") == "OK");
  }
}

TEST_CASE("one answer comes when several large databases have been freed") {
  TestServer server;
  PostBox box(server);
  TestClient client(server);
  for (const int db : {0, 3, 15}) fill(server, db, kLarge);
  fill(server, 4, 10);
  CHECK(client("FLUSHALL").empty());
  CHECK(server.state.keyspace.total_keys() == 0);
  box.run_next();
  CHECK(client.pending() == "OK");
  CHECK(server.state.keyspace.lazy_free.pending_objects() == 0);
  CHECK(server.state.keyspace.lazy_free.freed_objects() == 3 * kLarge);
}

TEST_CASE("a flush in the background answers at once") {
  TestServer server;
  PostBox box(server);
  TestClient client(server);
  fill(server, 0, kLarge);
  CHECK(client("FLUSHALL ASYNC") == "OK");
  fill(server, 0, kLarge);
  server.state.settings.lazy_user_flush = true;
  CHECK(client("FLUSHDB") == "OK");
  fill(server, 0, kLarge);
  CHECK(client("FLUSHDB SYNC").empty());
  box.run_next();
  CHECK(client.pending() == "OK");
}

TEST_CASE("a client that left, or wants no replies, is not answered") {
  TestServer server;
  PostBox box(server);
  {
    TestClient leaver(server);
    fill(server, 0, kLarge);
    CHECK(leaver("FLUSHALL").empty());
  }
  box.run_next();
  TestClient client(server);
  client.session.set(kReplyOff);
  fill(server, 0, kLarge);
  CHECK(client("FLUSHALL").empty());
  client.session.unset(kReplyOff);
  CHECK(client("PING").empty());
  box.run_next();
  CHECK(client.pending() == "PONG");
}

TEST_CASE("who cannot wait is answered at once") {
  TestServer server;
  {
    PostBox box(server);
    TestClient script(server);
    script.session.set(kInternal);
    fill(server, 0, kLarge);
    CHECK(script("FLUSHALL") == "OK");
  }
  TestClient client(server);  // there is no loop any more
  fill(server, 0, kLarge);
  CHECK(client("FLUSHALL") == "OK");
}

TEST_CASE("a flush is propagated even of nothing, as it was written") {
  TestServer server;
  TestClient client(server);
  RecordedEffects& effects = server.effects();
  const uint64_t dirty = server.state.stats.dirty;
  client("FLUSHALL");
  client("flushdb async");
  CHECK(effects.take() == "FLUSHALL; flushdb async");
  CHECK(server.state.stats.dirty == dirty);
  client("SET k v");
  client("FLUSHALL SYNC");
  CHECK(server.state.stats.dirty == dirty + 2);
  for (const char* torn : {"FLUSHALL FOO", "FLUSHALL ASYNC SYNC", "FLUSHDB FOO", "FLUSHDB SYNC SYNC"})
    CHECK(client(torn) == "(error) ERR syntax error");
}

TEST_CASE("flushes make watchers of keys that were there stale") {
  TestServer server;
  TestClient client(server), in_zero(server), in_one(server), absent(server);
  client("SET k v");
  client("SELECT 1");
  client("SET k v");
  server.state.watches.add(in_zero.session, 0, "k", false);
  server.state.watches.add(in_one.session, 1, "k", false);
  server.state.watches.add(absent.session, 1, "none", false);
  client("FLUSHDB");
  CHECK_FALSE(in_zero.session.has(kTransactionStale));
  CHECK(in_one.session.has(kTransactionStale));
  client("FLUSHALL");
  CHECK(in_zero.session.has(kTransactionStale));
  CHECK_FALSE(absent.session.has(kTransactionStale));
  server.state.watches.remove(in_zero.session, 0, "k");
  server.state.watches.remove(in_one.session, 1, "k");
  server.state.watches.remove(absent.session, 1, "none");
}

TEST_CASE("SWAPDB exchanges contents under the feet of everyone") {
  TestServer server;
  TestClient client(server), other(server), watcher(server);
  RecordedEffects& effects = server.effects();
  client("SET k zero");
  client("PEXPIRE k 5000");
  other("SELECT 1");
  other("SET only-one v");
  effects.take();
  server.state.watches.add(watcher.session, 1, "k", false);
  CHECK(client("SWAPDB 0 1") == "OK");
  CHECK(effects.take() == "SWAPDB 0 1");
  CHECK(watcher.session.has(kTransactionStale));
  server.state.watches.remove(watcher.session, 1, "k");
  CHECK(client("GET k") == "nil");
  CHECK(other("GET k") == "zero");
  CHECK(server.state.keyspace.db(1).expires() == 1);
  CHECK(client("KEYS *") == "[only-one]");
  CHECK(client("SWAPDB 1 1") == "OK");
  CHECK(client("SWAPDB x 1") == "(error) ERR invalid first DB index");
  CHECK(client("SWAPDB 1 99999999999999") == "(error) ERR invalid second DB index");
  CHECK(client("SWAPDB 0 16") == "(error) ERR DB index is out of range");
  CHECK(client("SWAPDB -1 0") == "(error) ERR DB index is out of range");
}

TEST_CASE("SELECT refuses databases that are not there and stays where it was") {
  TestServer server;
  TestClient client(server);
  client("SELECT 5");
  CHECK(client("SELECT 16") == "(error) ERR DB index is out of range");
  CHECK(client("SELECT -1") == "(error) ERR DB index is out of range");
  CHECK(client("SELECT one") == "(error) ERR value is not an integer or out of range");
  CHECK(client.session.db == 5);
}

}  // namespace
}  // namespace vedette::testing
