// Snapshots under heavy change: whatever happens to the dataset while one is written, it shows the dataset exactly as
// it was when the snapshot began.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/execution/expire_driver.h"
#include "server/execution/snapshots.h"
#include "server/snapshot/rdb_reader.h"
#include "server/store/hash_value.h"
#include "server/store/list_value.h"
#include "server/store/set_value.h"
#include "server/store/sorted_set_value.h"
#include "tests/session/test_server.h"
#include "tests/unit/seed.h"

namespace vedette::testing {
namespace {

struct Value {
  std::string bytes;
  int64_t expiry_ms = kNoExpiry;
  bool operator==(const Value&) const = default;
};
using Dataset = std::map<std::pair<int, std::string>, Value>;

// What is in a value, in a form in which equal values are equal: the parts of those without an order are sorted.
std::string content_of(const Entry& entry) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view a, std::string_view b = {}) {
    parts.push_back(std::to_string(a.size()) + ":" + std::string(a) + "=" + std::string(b));
  };
  switch (entry.type()) {
    case ValueType::kString: {
      IntegerText text;
      return std::string(string_bytes(entry, text));
    }
    case ValueType::kList: {
      const ListView list(entry);
      list.for_each(list.seek(0), list.size(), [&](const listpack::Element& element) {
        add(element.is_integer ? std::to_string(element.integer) : std::string(element.bytes));
      });
      break;
    }
    case ValueType::kSet: for_each_member(entry, [&](Member& member) { add(member.text()); }); break;
    case ValueType::kHash: HashView(&entry, HashView::kAllFields).for_each(add); break;
    case ValueType::kSortedSet: {
      const SortedSetReader set(entry);
      set.for_each(set.all(), false, [&](std::string_view member, double score) { add(member, std::to_string(score)); });
      break;
    }
    default: FAIL("a type without a form here");
  }
  if (entry.type() != ValueType::kList) std::sort(parts.begin(), parts.end());
  std::string content(type_name(entry.type()));
  for (const std::string& part : parts) content += " " + part;
  return content;
}

Value value_of(const Entry& entry) { return Value{content_of(entry), entry.expiry_ms()}; }

Dataset dataset_of(const Keyspace& keyspace) {
  Dataset all;
  for (int db = 0; db < keyspace.count(); db++)
    keyspace.db(db).table().for_each([&](const Entry& entry) { all[{db, std::string(entry.key())}] = value_of(entry); });
  return all;
}

class Collector final : public RdbHandler {
 public:
  Status on_function(std::string_view) override { return Error("no functions were written"); }
  Status on_entry(int db, Entry* entry, const RdbEntryUse&) override {
    const bool added = found.emplace(std::make_pair(db, std::string(entry->key())), value_of(*entry)).second;
    const std::string key(entry->key());
    destroy_entry(entry);
    return added ? Status::ok() : Status(Error("written twice: " + key));
  }
  Dataset found;
};

Dataset read_rdb(const std::string& bytes) {
  Collector collector;
  RdbReader reader(collector);
  const Status status = reader.feed(bytes);
  REQUIRE_MESSAGE(status.is_ok(), (status ? "" : status.error().text()));
  REQUIRE(reader.finished());
  return std::move(collector.found);
}

// Runs the commands on a server of its own, where no time passes. The commands of a key come together.
Dataset read_commands(const std::string& bytes) {
  TestServer server;
  TestClient client(server);
  std::set<std::string> seen;
  RequestParser parser;
  std::vector<std::string_view> argv;
  std::string db, current;
  for (size_t at = 0; at < bytes.size();) {
    argv.clear();
    size_t consumed = 0;
    const auto outcome = parser.parse(bytes.data() + at, bytes.size() - at, RequestLimits(), argv, consumed);
    REQUIRE(outcome == RequestParser::Outcome::kRequest);
    at += consumed;
    const std::string reply = client.call(argv);
    REQUIRE_MESSAGE(!reply.starts_with("(error)"), reply);
    if (argv.at(0) == "SELECT") {
      db = argv.at(1);
      continue;
    }
    const std::string place = db + " " + std::string(argv.at(1));
    if (place == current) continue;
    REQUIRE_MESSAGE(seen.insert(place).second, "written twice: " << place);
    current = place;
  }
  return dataset_of(server.state.keyspace);
}

void check_same(const Dataset& found, const Dataset& wanted) {
  CHECK(found.size() == wanted.size());
  int shown = 0;
  for (const auto& [key, value] : wanted) {
    const auto it = found.find(key);
    if (it != found.end() && it->second == value) continue;
    CAPTURE(key.first);
    CAPTURE(key.second);
    CHECK(it != found.end());
    if (it != found.end()) CHECK(it->second.expiry_ms == value.expiry_ms);
    if (it != found.end()) CHECK((it->second.bytes == value.bytes));
    if (++shown == 5) return;
  }
}

/// Takes what it likes when it likes, and compares at the end.
class TestReader final : public SnapshotReader {
 public:
  TestReader(TestServer& server, Snapshots& snapshots, SnapshotForm form, uint64_t speed)
      : server_(server), snapshots_(snapshots), form_(form), speed_(speed) {
    snapshots.request(*this, form);
  }
  ~TestReader() override { snapshots_.withdraw(*this); }

  void on_snapshot_start(const BlockLog& bytes) override {
    REQUIRE(!log_);
    log_ = &bytes;
    wanted_ = dataset_of(server_.state.keyspace);
  }
  void on_snapshot_bytes() override {
    REQUIRE(log_);
    if (speed_ == UINT64_MAX) read();
  }
  void on_snapshot_end(const Status& status) override {
    REQUIRE(status.is_ok());
    ended_ = true;
  }
  uint64_t snapshot_position() const override { return position_; }

  bool started() const { return log_; }
  bool done() const { return ended_ && position_ == log_->end(); }
  void read() {
    if (!log_) return;
    uint64_t room = speed_;
    log_->for_each_piece(position_, [&](const char* bytes, size_t size) {
      const size_t taken = size_t(std::min<uint64_t>(size, room));
      text_.append(bytes, taken);
      position_ += taken;
      room -= taken;
      return room > 0;
    });
  }
  void check() const { check_same(form_ == SnapshotForm::kRdb ? read_rdb(text_) : read_commands(text_), wanted_); }

 private:
  TestServer& server_;
  Snapshots& snapshots_;
  SnapshotForm form_;
  uint64_t speed_;
  const BlockLog* log_ = nullptr;
  uint64_t position_ = 0;
  bool ended_ = false;
  std::string text_;
  Dataset wanted_;
};

/// A microsecond passes at each look, so that slices of a few microseconds are of a few buckets.
class TickingClock final : public Clock {
 public:
  explicit TickingClock(SimulatedClock& clock) : clock_(clock) {}
  Now now() override {
    Now now = clock_.now();
    now.instant.ns += ticks_ += 1000;
    return now;
  }

 private:
  SimulatedClock& clock_;
  int64_t ticks_ = 0;
};

class World {
 public:
  static constexpr int kDatabases = 4;
  static constexpr uint64_t kCollectionTypes = 4;

  explicit World(uint64_t seed)
      : rng_(seed), server_(seed), ticking_(server_.clock), snapshots_(server_.state), client_(server_), keys_(20 + rng_.below(2000)) {
    server_.state.clock = &ticking_;
    server_.state.settings.eviction_policy = EvictionPolicy::kAllKeysRandom;
    small_forms();
    snapshots_.window_bytes = rng_.below(2) ? 16 << 20 : 2000 + rng_.below(100000);
    for (uint64_t i = 0; i < keys_ / 2; i++) set();
  }
  ~World() {
    readers_.clear();
    while (snapshots_.ready()) slice();
    CHECK(!snapshots_.active());
    check_unmarked();
  }

  uint64_t checked() const { return checked_; }

  void step() {
    for (uint64_t i = rng_.below(20); i > 0; i--) change();
    if (rng_.below(40) == 0) sweeping_change();
    if (rng_.below(8) == 0 && readers_.size() < 5) add_reader();
    if (snapshots_.ready()) slice();
    for (auto& reader : readers_)
      if (rng_.below(2)) reader->read();
    if (rng_.below(150) == 0 && !readers_.empty()) readers_.erase(readers_.begin() + long(rng_.below(readers_.size())));
    if (rng_.below(400) == 0) readers_.clear();
    std::erase_if(readers_, [&](const auto& reader) {
      if (!reader->done()) return false;
      reader->check();
      checked_++;
      return true;
    });
    snapshots_.trim();
    if (!snapshots_.active()) check_unmarked();
  }

 private:
  void slice() { snapshots_.run_slice(ticking_.now(), int64_t(rng_.below(rng_.below(4) ? 20 : 400))); }

  void add_reader() {
    const uint64_t speeds[] = {UINT64_MAX, 100000, 5000, 700};
    readers_.push_back(std::make_unique<TestReader>(server_, snapshots_, rng_.below(3) ? SnapshotForm::kRdb : SnapshotForm::kCommands,
                                                    speeds[rng_.below(std::size(speeds))]));
  }

  // Values grow large early, so that there are many of both kinds.
  void small_forms() {
    PackingLimits& limits = server_.state.keyspace.packing;
    limits.hash_entries = rng_.below(30);
    limits.set_entries = rng_.below(30);
    limits.set_integers = rng_.below(30);
    limits.sorted_set_entries = rng_.below(30);
    limits.list_node_size = rng_.below(3) ? int(1 + rng_.below(30)) : -1;
  }

  std::string key() {
    if (rng_.below(5) == 0) return collection("lshz"[rng_.below(kCollectionTypes)]);
    return "k" + std::to_string(rng_.below(keys_));
  }
  std::string collection(char type) { return type + std::to_string(rng_.below(12)); }
  std::string element() {
    switch (rng_.below(40)) {
      case 0: return std::string(rng_.below(3000), 'e');
      case 1:
      case 2:
      case 3: return "element " + std::to_string(rng_.below(400));
      default: return std::to_string(int64_t(rng_.below(400)) - 100);
    }
  }
  /// A few elements, or so many that a slice ends among them.
  std::vector<std::string> elements(size_t each = 1) {
    std::vector<std::string> elements;
    for (uint64_t i = each * (1 + rng_.below(rng_.below(12) ? 5 : 300)); i > 0; i--) elements.push_back(element());
    return elements;
  }
  void call(std::vector<std::string> words, const std::vector<std::string>& rest = {}) {
    words.insert(words.end(), rest.begin(), rest.end());
    client_.call({words.begin(), words.end()});
  }
  std::string value() {
    switch (rng_.below(12)) {
      case 0: return std::to_string(rng_.below(1000));
      case 1: return std::string(rng_.below(2000), char('a' + rng_.below(26)));
      case 2: {
        // Hard to pack, and more than a slice of a value.
        std::string bytes(rng_.below(30) == 0 ? 60000 + rng_.below(300000) : rng_.below(20000), '\0');
        if (rng_.below(3) == 0) return bytes;  // easy to pack
        for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
          const uint64_t word = rng_.next();
          std::memcpy(bytes.data() + i, &word, 8);
        }
        return bytes;
      }
      default: return "v" + std::to_string(rng_.next());
    }
  }
  void set() {
    if (rng_.below(3)) client_.call({"SET", key(), value()});
    else client_.call({"SET", key(), value(), "PX", std::to_string(1 + rng_.below(3000))});
  }

  void change() {
    switch (rng_.below(34)) {
      case 0:
      case 1:
      case 2:
      case 3: return set();
      case 4: client_.call({"APPEND", key(), value()}); return;
      case 5: client_.call({"SETRANGE", key(), std::to_string(rng_.below(100)), "patch"}); return;
      case 6: client_.call({"INCRBY", key(), "7"}); return;
      case 7: client_.call({"DEL", key(), key()}); return;
      case 8: client_.call({"UNLINK", key()}); return;
      case 9: client_.call({"PEXPIRE", key(), std::to_string(rng_.below(2000))}); return;
      case 10: client_.call({"PERSIST", key()}); return;
      case 11: client_.call({"RENAME", key(), key()}); return;
      case 12: client_.call({"COPY", key(), key(), "DB", db(), "REPLACE"}); return;
      case 13: client_.call({"MOVE", key(), db()}); return;
      case 14: client_.call({"SELECT", db()}); return;
      case 15: client_.call({"GETEX", key(), "PX", "500"}); return;
      case 16: client_.call({"GETDEL", key()}); return;
      case 17: client_.call({"MSET", key(), value(), key(), value()}); return;
      case 18: server_.advance_ms(int64_t(rng_.below(60))); return;
      case 19: run_expire_cycle(server_.state, ticking_.now(), rng_.below(2) ? ExpireSlice::kTick : ExpireSlice::kBetweenTurns); return;
      case 20: client_.call({"SETNX", key(), "new"}); return;
      case 21:
      case 22:
      case 23: return change_list(collection('l'));
      case 24:
      case 25:
      case 26: return change_set(collection('s'));
      case 27:
      case 28:
      case 29: return change_hash(collection('h'));
      case 30:
      case 31:
      case 32: return change_sorted_set(collection('z'));
      default: client_.call({"GET", key()}); return;
    }
  }

  void change_list(const std::string& key) {
    switch (rng_.below(10)) {
      case 0:
      case 1: return call({rng_.below(2) ? "RPUSH" : "LPUSH", key}, elements());
      case 2: return call({rng_.below(2) ? "LPOP" : "RPOP", key, std::to_string(rng_.below(20))});
      case 3: return call({"LSET", key, std::to_string(rng_.below(50)), element()});
      case 4: return call({"LREM", key, "2", element()});
      case 5: return call({"LINSERT", key, "BEFORE", element(), element()});
      case 6: return call({"LTRIM", key, "1", "-3"});
      case 7: return call({"RPOPLPUSH", key, collection('l')});
      case 8: return call({"SORT", collection("ls"[rng_.below(2)]), "ALPHA", "STORE", key});
      default: return call({"LRANGE", key, "0", "3"});
    }
  }
  void change_set(const std::string& key) {
    switch (rng_.below(8)) {
      case 0:
      case 1: return call({"SADD", key}, elements());
      case 2: return call({"SREM", key}, elements());
      case 3: return call({"SPOP", key, std::to_string(rng_.below(20))});
      case 4: return call({"SMOVE", key, collection('s'), element()});
      case 5: return call({"SUNIONSTORE", key, collection('s'), collection('s')});
      case 6: return call({"SDIFFSTORE", key, collection('s'), collection('s')});
      default: return call({"SPOP", key});
    }
  }
  void change_hash(const std::string& key) {
    switch (rng_.below(6)) {
      case 0:
      case 1:
      case 2: return call({"HSET", key}, elements(2));
      case 3: return call({"HDEL", key}, elements());
      case 4: return call({"HINCRBY", key, element(), "3"});
      default: return call({"HSETNX", key, element(), element()});
    }
  }
  void change_sorted_set(const std::string& key) {
    std::vector<std::string> scored;
    for (const std::string& member : elements()) scored.insert(scored.end(), {std::to_string(rng_.below(50)), member});
    switch (rng_.below(6)) {
      case 0:
      case 1: return call({"ZADD", key}, scored);
      case 2: return call({"ZREM", key}, elements());
      case 3: return call({"ZINCRBY", key, "2", element()});
      case 4: return call({"ZREMRANGEBYRANK", key, "0", std::to_string(rng_.below(10))});
      default: return call({"ZREMRANGEBYSCORE", key, "3", "7"});
    }
  }

  void sweeping_change() {
    switch (rng_.below(8)) {
      case 0: client_.call({"FLUSHDB", rng_.below(2) ? "SYNC" : "ASYNC"}); return;
      case 1:
        if (rng_.below(3) == 0) client_.call({"FLUSHALL", rng_.below(2) ? "SYNC" : "ASYNC"});
        return;
      case 2:
      case 3: client_.call({"SWAPDB", db(), db()}); return;
      case 4: return grow();
      case 5: return shrink();
      case 6: return evict();
      default: server_.advance_ms(int64_t(rng_.below(3000))); return;
    }
  }
  void grow() {
    const uint64_t count = rng_.below(3000);
    for (uint64_t i = 0; i < count; i++) client_.call({"SET", "g" + std::to_string(i), "x"});
  }
  void shrink() {
    for (uint64_t i = 0; i < 3000; i++) client_.call({"DEL", "g" + std::to_string(i)});
    for (uint64_t i = 0; i < keys_; i++)
      if (rng_.below(3)) client_.call({"UNLINK", "k" + std::to_string(i)});
  }
  void evict() {
    server_.state.settings.memory_max = used_memory() - rng_.below(100000);
    for (int i = 0; i < 20; i++) set();
    server_.state.settings.memory_max = 0;
    client_("PING");
  }
  std::string db() { return std::to_string(rng_.below(kDatabases)); }

  void check_unmarked() {
    for (int i = 0; i < server_.state.keyspace.count(); i++) {
      const Database& content = server_.state.keyspace.db(i);
      REQUIRE(content.walk().origin == -1);
      REQUIRE(!content.walk().walk);
      size_t marked = 0;
      content.table().for_each([&](const Entry& entry) { marked += entry.walked(); });
      REQUIRE(marked == 0);
    }
  }

  Rng rng_;
  TestServer server_;
  TickingClock ticking_;
  Snapshots snapshots_;
  TestClient client_;
  uint64_t keys_;
  std::vector<std::unique_ptr<TestReader>> readers_;
  uint64_t checked_ = 0;
};

TEST_CASE("a snapshot written under random changes is exactly the dataset of its start") {
  const uint64_t seed = test_seed("snapshot model");
  uint64_t checked = 0;
  for (uint64_t run = 0; run < 100; run++) {
    CAPTURE(run);
    World world(seed + run);
    for (int i = 0; i < 400; i++) world.step();
    checked += world.checked();
  }
  MESSAGE("snapshots compared: ", checked);
  CHECK(checked > 400);
}

}  // namespace
}  // namespace vedette::testing
