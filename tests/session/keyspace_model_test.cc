// Random commands on the keyspace against a plain model of it: a map of values and times for each database.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

struct Value {
  std::string bytes;
  int64_t expiry_ms = kNoExpiry;
};

class Model {
 public:
  static constexpr int kDatabases = 3, kKeys = 24;

  explicit Model(uint64_t seed) : rng_(seed), server_(seed), client_(server_) {}

  void step() {
    const uint64_t kind = rng_.below(100);
    if (kind < 25) set();
    else if (kind < 40) expire();
    else if (kind < 45) persist();
    else if (kind < 53) remove();
    else if (kind < 63) rename();
    else if (kind < 71) copy();
    else if (kind < 78) move();
    else if (kind < 80) swap();
    else if (kind < 81) flush();
    else if (kind < 86) select();
    else if (kind < 92) server_.advance_ms(int64_t(rng_.below(400)));
    else check_key(random_key());
  }

  void check_all() {
    for (int db = 0; db < kDatabases; db++) {
      call("SELECT " + std::to_string(db), "OK");
      selected_ = db;
      std::set<std::string> wanted, scanned, listed;
      for (int i = 0; i < kKeys; i++)
        if (find("k" + std::to_string(i))) wanted.insert("k" + std::to_string(i));
      collect(client_.send(request_bytes({"KEYS", "*"})), listed, false);
      std::string cursor = "0";
      do cursor = collect(client_.send(request_bytes({"SCAN", cursor, "COUNT", "3"})), scanned, true);
      while (cursor != "0");
      CHECK(listed == wanted);
      CHECK(scanned == wanted);
      call("DBSIZE", std::to_string(wanted.size()));  // SCAN has removed what had expired
      if (wanted.empty()) call("RANDOMKEY", "nil");
      else CHECK(wanted.count(client_("RANDOMKEY")) == 1);
      size_t expires = 0;
      for (const std::string& key : wanted) expires += find(key)->expiry_ms != kNoExpiry, check_key(key);
      CHECK(server_.state.keyspace.db(db).expires() == expires);
    }
  }

 private:
  std::string random_key() { return "k" + std::to_string(rng_.below(kKeys)); }
  int random_db() { return int(rng_.below(kDatabases)); }
  int64_t now() const { return server_.now_ms(); }

  /// The live value, or null; in the selected database or another.
  Value* find(const std::string& key, int db = -1) {
    auto& map = dbs_[db < 0 ? selected_ : db];
    const auto it = map.find(key);
    if (it == map.end()) return nullptr;
    if (it->second.expiry_ms == kNoExpiry || now() <= it->second.expiry_ms) return &it->second;
    map.erase(it);
    return nullptr;
  }
  std::map<std::string, Value>& here() { return dbs_[selected_]; }

  void call(const std::string& line, const std::string& expected) {
    CAPTURE(line);
    CHECK(client_(line) == expected);
  }

  void set() {
    const std::string key = random_key();
    std::string bytes = "v" + std::to_string(rng_.below(1000));
    if (rng_.below(3) == 0) bytes = std::to_string(rng_.below(100000));
    if (rng_.below(8) == 0) bytes = std::string(20000, char('a' + rng_.below(26)));
    call("SET " + key + " " + bytes, "OK");
    here()[key] = Value{bytes, kNoExpiry};
  }

  void expire() {
    const std::string key = random_key();
    const bool absolute = rng_.below(2);
    const int64_t ttl = int64_t(rng_.below(1000)) - 100;
    const char* conditions[] = {"", " NX", " XX", " GT", " LT"};
    const uint64_t condition = rng_.below(5);
    const int64_t at = now() + ttl;
    Value* value = find(key);
    bool sets = value;
    if (value) {
      const int64_t held = value->expiry_ms;
      if (condition == 1) sets = held == kNoExpiry;
      if (condition == 2) sets = held != kNoExpiry;
      if (condition == 3) sets = held != kNoExpiry && at > held;
      if (condition == 4) sets = held == kNoExpiry || at < held;
    }
    const std::string time = " " + std::to_string(absolute ? at : ttl);
    call((absolute ? "PEXPIREAT " : "PEXPIRE ") + key + time + conditions[condition], sets ? "1" : "0");
    if (!sets) return;
    if (ttl <= 0) here().erase(key);
    else value->expiry_ms = at;
  }

  void persist() {
    const std::string key = random_key();
    Value* value = find(key);
    const bool had = value && value->expiry_ms != kNoExpiry;
    call("PERSIST " + key, had ? "1" : "0");
    if (had) value->expiry_ms = kNoExpiry;
  }

  void remove() {
    const std::string a = random_key(), b = random_key();
    const int there = (find(a) ? 1 : 0) + (a != b && find(b) ? 1 : 0);
    call((rng_.below(2) ? "DEL " : "UNLINK ") + a + " " + b, std::to_string(there));
    here().erase(a), here().erase(b);
  }

  void rename() {
    const std::string from = random_key(), to = random_key();
    const bool if_absent = rng_.below(2);
    std::string expected = if_absent ? "1" : "OK";
    const Value* value = find(from);
    const bool stays = if_absent && find(to);
    if (!value) expected = "(error) ERR no such key";
    else if (stays) expected = "0";
    call((if_absent ? "RENAMENX " : "RENAME ") + from + " " + to, expected);
    if (!value || stays || from == to) return;
    here()[to] = *value;
    here().erase(from);
  }

  void copy() {
    const std::string from = random_key(), to = random_key();
    const int db = random_db();
    const bool replace = rng_.below(2);
    const Value* value = find(from);
    const bool copies = value && (replace || !find(to, db));
    std::string expected = copies ? "1" : "0";
    const bool same = from == to && db == selected_;
    if (same) expected = "(error) ERR source and destination objects are the same";
    call("COPY " + from + " " + to + " DB " + std::to_string(db) + (replace ? " REPLACE" : ""), expected);
    if (copies && !same) dbs_[db][to] = *value;
  }

  void move() {
    const std::string key = random_key();
    const int db = (selected_ + 1) % kDatabases;
    const Value* value = find(key);
    const bool moves = value && !find(key, db);
    call("MOVE " + key + " " + std::to_string(db), moves ? "1" : "0");
    if (!moves) return;
    dbs_[db][key] = *value;
    here().erase(key);
  }

  void swap() {
    const int a = random_db(), b = random_db();
    call("SWAPDB " + std::to_string(a) + " " + std::to_string(b), "OK");
    std::swap(dbs_[a], dbs_[b]);
  }

  void flush() {
    call("FLUSHDB", "OK");
    here().clear();
  }

  void select() {
    selected_ = random_db();
    call("SELECT " + std::to_string(selected_), "OK");
  }

  void check_key(const std::string& key) {
    const Value* value = find(key);
    call("GET " + key, value ? value->bytes : "nil");
    call("EXISTS " + key, value ? "1" : "0");
    call("TYPE " + key, value ? "string" : "none");
    const std::string without = value ? "-1" : "-2";
    const bool expires = value && value->expiry_ms != kNoExpiry;
    call("PTTL " + key, expires ? std::to_string(value->expiry_ms - now()) : without);
    call("PEXPIRETIME " + key, expires ? std::to_string(value->expiry_ms) : without);
  }

  // Adds the keys of a reply; returns the cursor of a SCAN.
  static std::string collect(const std::string& bytes, std::set<std::string>& keys, bool is_scan) {
    std::string_view rest = bytes;
    const auto reply = take_reply(rest);
    REQUIRE(reply);
    for (const ReplyNode& key : (is_scan ? reply->elements.at(1) : *reply).elements) keys.insert(key.text);
    return is_scan ? reply->elements.at(0).text : "";
  }

  Rng rng_;
  TestServer server_;
  TestClient client_;
  std::map<std::string, Value> dbs_[kDatabases];
  int selected_ = 0;
};

TEST_CASE("random commands on keys, times and databases do what a plain model does") {
  const uint64_t seed = machine_seed();
  MESSAGE("seed ", seed);
  for (uint64_t run = 0; run < 10; run++) {
    CAPTURE(run);
    Model model(seed + run);
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 100; i++) model.step();
      model.check_all();
    }
  }
}

}  // namespace
}  // namespace vedette::testing
