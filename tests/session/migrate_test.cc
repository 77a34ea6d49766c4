// MIGRATE against a target that the test plays itself, and between two servers in one process.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>

#include "common/base/numbers.h"
#include "server/execution/pause.h"
#include "server/snapshot/dump_payload.h"
#include "tests/session/test_server.h"
#include "tests/unit/seed.h"

namespace vedette::testing {
namespace {

// One connection that the server has made.
struct Wire {
  std::string host;
  int port = 0;
  LinkOwner* owner = nullptr;  // null: nobody listens any more
  std::string sent;            // since the last look
  size_t unsent = 0;
  bool closed = false;
};

class WireLink final : public OutgoingLink {
 public:
  explicit WireLink(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~WireLink() override { wire_->owner = nullptr, wire_->closed = true; }
  void send(std::string_view bytes) override { wire_->sent += bytes; }
  size_t unsent() const override { return wire_->unsent; }
  void disown() override { wire_->owner = nullptr; }

 private:
  std::shared_ptr<Wire> wire_;
};

// A server whose targets are the test.
class Source {
 public:
  explicit Source(uint64_t seed = 1) : server(seed) {
    server.actions.on_connect = [this](const std::string& host, int port, LinkOwner& owner) {
      wires.push_back(std::make_shared<Wire>(Wire{host, port, &owner, {}, 0, false}));
      return std::make_unique<WireLink>(wires.back());
    };
  }

  Wire& wire(size_t i = 0) {
    VED_ASSERT(i < wires.size());
    return *wires[i];
  }
  void connected(size_t i = 0, const std::string& failure = {}) {
    if (wire(i).owner) wire(i).owner->on_link_connected(failure);
    server.turn();
  }
  void answer(std::string_view bytes, size_t i = 0) {
    if (wire(i).owner) wire(i).owner->on_link_bytes(bytes);
    server.turn();
  }
  void closed(size_t i = 0) {
    if (wire(i).owner) wire(i).owner->on_link_closed("the test");
    server.turn();
  }
  void pass_ms(int64_t ms) {
    server.advance_ms(ms);
    server.migrations.tick(server.executor.now());
    server.turn();
  }
  // What was sent since the last look, requests separated by "; ", payloads as "<value>".
  std::string sent(size_t i = 0) {
    std::string text;
    std::string_view bytes = wire(i).sent;
    while (!bytes.empty()) {
      const auto request = take_reply(bytes);
      if (!request) return text + "(torn)";
      if (!text.empty()) text += "; ";
      for (size_t word = 0; word < request->elements.size(); word++) {
        const std::string& argument = request->elements[word].text;
        if (word) text += ' ';
        text += word == 3 && is_dump_payload(argument) ? "<" + value_in(argument) + ">" : argument;
      }
    }
    wire(i).sent.clear();
    return text;
  }

  TestServer server;
  std::vector<std::shared_ptr<Wire>> wires;

 private:
  static std::string value_in(std::string_view payload) {
    const Result<Entry*> entry = parse_dump_payload(payload, "k", kNoExpiry);
    VED_ASSERT(entry);
    IntegerText digits;
    const std::string text(string_bytes(**entry, digits));
    destroy_entry(*entry);
    return text;
  }
};

// As far as the target's consent to SELECT.
void begin(Source& source, TestClient& client, std::string_view words) {
  CHECK(client("MIGRATE target 7000 " + std::string(words)) == "");
  source.connected();
  CHECK(source.sent() == "SELECT 0");
  source.answer("+OK\r\n");
}

TEST_CASE("MIGRATE sends keys when the target has accepted AUTH and SELECT, and deletes each when it has it") {
  Source source;
  TestClient client(source.server);
  auto& effects = source.server.effects();
  auto& events = source.server.events();
  client("SET a 1");
  client("SET b two PX 5000");
  effects.take(), events.take();
  CHECK(client("MIGRATE target 7000 '' 3 100 AUTH2 me secret KEYS a none b a") == "");
  CHECK(source.wire().host == "target");
  CHECK(source.wire().port == 7000);
  CHECK(source.sent() == "");
  source.connected();
  CHECK(source.sent() == "AUTH me secret; SELECT 3");
  source.answer("+OK\r\n");
  CHECK(source.sent() == "");
  source.answer("+OK\r\n");
  CHECK(source.sent() == "RESTORE a 0 <1>; RESTORE b 5000 <two>");
  CHECK(client.pending() == "");
  for (const char byte : std::string_view("+OK\r\n")) {
    CHECK(source.server.entry("a"));
    source.answer({&byte, 1});
  }
  CHECK(!source.server.entry("a"));
  CHECK(source.server.entry("b"));
  CHECK(effects.take() == "DEL a");
  CHECK(client.pending() == "");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  CHECK(effects.take() == "DEL b");
  CHECK(events.take() == "del:a del:b");
  CHECK(client("PING") == "PONG");
}

TEST_CASE("MIGRATE tells an expiry relative to the moment, and at least a millisecond") {
  Source source;
  TestClient client(source.server);
  client("SET k v PX 1");
  client("SET gone v PX 1");
  CHECK(client("MIGRATE target 7000 '' 0 100 COPY KEYS k gone") == "");
  source.connected();
  source.answer("+OK\r\n");
  CHECK(source.sent() == "SELECT 0; RESTORE k 1 <v>; RESTORE gone 1 <v>");
  source.answer("+OK\r\n+OK\r\n");
  CHECK(client.pending() == "OK");
  CHECK(client("MIGRATE target 7000 '' 1 100 KEYS k gone") == "");
  CHECK(source.sent() == "SELECT 1");
  source.server.advance_ms(2);
  source.answer("+OK\r\n");
  CHECK(source.sent() == "");
  CHECK(client.pending() == "NOKEY");
}

TEST_CASE("a key that is changed while it is migrated is sent again, over our older copy") {
  Source source;
  TestClient client(source.server), other(source.server);
  client("SET k 1");
  begin(source, client, "k 0 100");
  CHECK(source.sent() == "RESTORE k 0 <1>");
  CHECK(other("INCR k") == "2");
  source.answer("+OK\r\n");
  CHECK(other("GET k") == "2");
  CHECK(source.sent() == "RESTORE k 0 <2> REPLACE");
  CHECK(other("PEXPIRE k 9000") == "1");
  source.answer("+OK\r\n");
  CHECK(source.sent() == "RESTORE k 9000 <2> REPLACE");
  CHECK(client.pending() == "");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  CHECK(!source.server.entry("k"));
}

TEST_CASE("a key that changes without end stays here") {
  Source source;
  TestClient client(source.server), other(source.server);
  client("SET k 0");
  begin(source, client, "k 0 100");
  for (int round = 1; round <= 8; round++) {
    CHECK(source.sent() == "RESTORE k 0 <" + std::to_string(round - 1) + ">" + (round > 1 ? " REPLACE" : ""));
    CHECK(client.pending() == "");
    other("INCR k");
    source.answer("+OK\r\n");
  }
  CHECK(client.pending() == "(error) IOERR key changed while it was migrated: \"k\"");
  CHECK(other("GET k") == "8");
}

TEST_CASE("a key that is deleted while it is migrated is deleted at the target") {
  Source source;
  TestClient client(source.server), other(source.server);
  for (const std::string_view deletion : {"DEL k", "FLUSHALL", "SWAPDB 0 5", "MOVE k 4", "RENAME k other", "GETDEL k", "PEXPIREAT k 1"}) {
    CAPTURE(deletion);
    client("FLUSHALL");
    client("SET k 1");
    client("SET k2 v");
    CHECK(client("MIGRATE target 7000 k 0 100") == "");
    if (source.wire().sent.empty()) source.connected(), source.answer("+OK\r\n");
    source.sent();
    other(deletion);
    source.answer("+OK\r\n");
    CHECK(source.sent() == "DEL k");
    source.answer(":1\r\n");
    CHECK(client.pending() == "OK");
  }
}

TEST_CASE("a key that comes into being again while the target deletes it is sent again") {
  Source source;
  TestClient client(source.server), other(source.server);
  client("SET k old");
  begin(source, client, "k 0 100");
  other("DEL k");
  source.answer("+OK\r\n");
  other("SET k new");
  CHECK(source.sent() == "RESTORE k 0 <old>; DEL k");
  source.answer(":1\r\n");
  CHECK(source.sent() == "RESTORE k 0 <new>");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  CHECK(!source.server.entry("k"));
}

TEST_CASE("a copy is the value at the moment of its dump") {
  Source source;
  TestClient client(source.server), other(source.server);
  auto& effects = source.server.effects();
  client("SET k 1");
  effects.take();
  begin(source, client, "k 0 100 COPY REPLACE");
  CHECK(source.sent() == "RESTORE k 0 <1> REPLACE");
  other("INCR k");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  CHECK(other("GET k") == "2");
  CHECK(effects.take() == "INCR k");
}

TEST_CASE("what the target refuses is told once, and the other keys go on") {
  Source source;
  TestClient client(source.server);
  client("MSET a 1 b 2 c 3");
  begin(source, client, "'' 0 100 KEYS a b c");
  source.answer("-BUSYKEY there\r\n+OK\r\n-OOM full\r\n");
  CHECK(client.pending() == "(error) ERR Target instance replied with error: BUSYKEY there");
  CHECK(client("KEYS *") == "[a, c]");
  // The connection serves on, and says again where it is.
  CHECK(source.server.migrations.connections() == 1);
  source.sent();
  client("MIGRATE target 7000 a 0 100");
  CHECK(source.sent() == "SELECT 0");
}

TEST_CASE("a refused AUTH or SELECT ends it before any key was sent") {
  for (const std::string_view answers : {"-WRONGPASS no\r\n", "+OK\r\n-ERR DB index is out of range\r\n"}) {
    Source source;
    TestClient client(source.server);
    client("SET k v");
    client("MIGRATE target 7000 k 99 100 AUTH secret");
    source.connected();
    CHECK(source.sent() == "AUTH secret; SELECT 99");
    source.answer(answers);
    CHECK(source.sent() == "");
    const std::string reply = client.pending();
    CHECK(reply.starts_with("(error) ERR Target instance replied with error: "));
    CHECK(source.server.migrations.connections() == 0);
    CHECK(source.wire().closed);
    CHECK(client("GET k") == "v");
  }
}

TEST_CASE("a target that cannot be reached") {
  Source source;
  TestClient client(source.server);
  client("SET k v");
  client("MIGRATE target 7000 k 0 100");
  source.connected(0, "connection refused");
  CHECK(client.pending() == "(error) IOERR error or timeout connecting to the client");
  client("MIGRATE target 7000 k 0 100");
  source.pass_ms(99);
  CHECK(client.pending() == "");
  source.pass_ms(1);
  CHECK(client.pending() == "(error) IOERR error or timeout connecting to the client");
  for (const std::string_view port : {"0", "65536", "x", ""})
    CHECK(client({"MIGRATE", "target", port, "k", "0", "100"}) == "(error) IOERR error or timeout connecting to the client");
  source.server.actions.on_connect = nullptr;
  CHECK(client("MIGRATE target 7000 k 0 100") == "(error) IOERR error or timeout connecting to the client");
  CHECK(source.server.migrations.connections() == 0);
  CHECK(source.server.migrations.under_way() == 0);
  CHECK(client("GET k") == "v");
}

TEST_CASE("the timeout bounds the silence of each step; none is a second") {
  Source source;
  TestClient client(source.server);
  client("MSET a 1 b 2");
  client("MIGRATE target 7000 '' 0 0 KEYS a b");
  source.pass_ms(900);
  source.connected();
  source.pass_ms(900);
  source.answer("+OK\r\n");
  source.pass_ms(900);
  source.answer("+OK\r\n");
  source.pass_ms(999);
  CHECK(client.pending() == "");
  source.wire().unsent = 10;  // bytes that go are a sign too
  source.pass_ms(999);
  CHECK(client.pending() == "");
  source.pass_ms(1000);
  CHECK(client.pending() == "(error) IOERR error or timeout writing to target instance");
  CHECK(client("KEYS *") == "[b]");
  CHECK(source.wires.size() == 1);  // silence is no reason to try again
}

TEST_CASE("a connection that ends before a word about a key is made again, once") {
  Source source;
  TestClient client(source.server);
  client("MSET a 1 b 2");
  begin(source, client, "'' 0 100 KEYS a b");
  source.closed();
  REQUIRE(source.wires.size() == 2);
  source.connected(1);
  source.answer("+OK\r\n", 1);
  CHECK(source.sent(1) == "SELECT 0; RESTORE a 0 <1>; RESTORE b 0 <2>");
  SUBCASE("and not again") {
    source.closed(1);
    CHECK(client.pending() == "(error) IOERR error or timeout reading to target instance");
    CHECK(client("MGET a b") == "[1, 2]");
  }
  SUBCASE("and what was answered counts") {
    source.answer("+OK\r\n", 1);
    source.closed(1);
    CHECK(client.pending() == "(error) IOERR error or timeout reading to target instance");
    CHECK(client("MGET a b") == "[nil, 2]");
  }
  CHECK(source.wires.size() == 2);
  CHECK(source.server.state.watches.empty());
}

TEST_CASE("nonsense of the target is an error and deletes nothing") {
  const std::string long_line = "+" + std::string(70000, 'x');
  for (const std::string_view nonsense :
       {std::string_view(":1\r\n"), std::string_view("$2\r\nOK\r\n"), std::string_view("*0\r\n"), std::string_view("HTTP/1.1 400\r\n"),
        std::string_view("\n"), std::string_view("$-1\r\n"), std::string_view("*1\r\n*1\r\n*1\r\n:1\r\n"), std::string_view(long_line)}) {
    CAPTURE(nonsense.substr(0, 20));
    Source source;
    TestClient client(source.server);
    client("MSET k v other w");
    begin(source, client, "'' 0 100 KEYS k other");
    source.answer(nonsense);
    REQUIRE(source.wires.size() == 2);  // it is tried once more
    source.connected(1);
    source.answer("+OK\r\n", 1);
    source.answer(nonsense, 1);
    CHECK(client.pending() == "(error) IOERR error or timeout reading to target instance");
    CHECK(source.server.migrations.connections() == 0);
    CHECK(client("MGET k other") == "[v, w]");
  }
}

TEST_CASE("an answer too many ends the connection") {
  Source source;
  TestClient client(source.server);
  client("MSET k v other w");
  begin(source, client, "k 0 100");
  source.answer("+OK\r\n+OK\r\n");
  CHECK(client.pending() == "(error) IOERR error or timeout reading to target instance");
  CHECK(source.server.migrations.connections() == 0);
  CHECK(client("MGET k other") == "[nil, w]");
}

TEST_CASE("two migrations of one key do not overtake each other") {
  Source source;
  TestClient first(source.server), second(source.server), third(source.server);
  first("SET k v");
  begin(source, first, "k 0 100 REPLACE");
  CHECK(second("MIGRATE target 7000 k 0 100 REPLACE") == "");
  CHECK(third("MIGRATE elsewhere 7000 k 0 100 COPY") == "");
  source.connected(1), source.connected(2);
  source.answer("+OK\r\n", 1), source.answer("+OK\r\n", 2);
  CHECK(source.sent(1) == "SELECT 0");
  source.pass_ms(99);
  source.answer("+OK\r\n");
  CHECK(first.pending() == "OK");
  CHECK(second.pending() == "NOKEY");
  CHECK(third.pending() == "NOKEY");
  CHECK(source.sent(2) == "SELECT 0");
}

TEST_CASE("a migration that waits for another's key goes on when that one has failed") {
  Source source;
  TestClient first(source.server), second(source.server);
  first("SET k v");
  begin(source, first, "k 0 100");
  second("MIGRATE elsewhere 7000 k 0 5000");
  source.connected(1);
  source.answer("+OK\r\n", 1);
  source.pass_ms(100);
  CHECK(first.pending() == "(error) IOERR error or timeout reading to target instance");
  CHECK(source.sent(1) == "SELECT 0; RESTORE k 0 <v>");
  source.answer("+OK\r\n", 1);
  CHECK(second.pending() == "OK");
}

TEST_CASE("the client may go: what was asked for is done") {
  Source source;
  TestClient other(source.server);
  {
    TestClient client(source.server);
    client("MSET a 1 b 2");
    begin(source, client, "'' 0 100 KEYS a b");
  }
  source.answer("+OK\r\n");
  source.answer("+OK\r\n");
  CHECK(other("DBSIZE") == "0");
  CHECK(source.server.migrations.under_way() == 0);
  CHECK(source.server.migrations.connections() == 1);
}

TEST_CASE("nothing is deleted while writes are paused") {
  Source source;
  TestClient client(source.server), other(source.server);
  client("SET k v");
  begin(source, client, "k 0 100");
  CHECK(source.wire().owner->wants_link_bytes());
  CHECK(other("CLIENT PAUSE 5000 WRITE") == "OK");
  CHECK(!source.wire().owner->wants_link_bytes());
  source.pass_ms(4000);  // that is not the target's silence
  CHECK(client.pending() == "");
  source.pass_ms(1001);
  check_pause(source.server.state, source.server.executor, source.server.executor.now().instant);
  CHECK(source.wire().owner->wants_link_bytes());
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
}

TEST_CASE("a change of role ends it without deleting") {
  Source source;
  TestClient client(source.server);
  client("SET k v");
  begin(source, client, "k 0 100");
  source.server.state.is_replica = true;
  source.answer("+OK\r\n");
  CHECK(client.pending() == "(error) IOERR the role or the dataset of this server changed while keys were migrated");
  CHECK(source.server.entry("k"));
}

TEST_CASE("a connection is kept for ten seconds, for the same target and user") {
  Source source;
  TestClient client(source.server);
  client("MSET a 1 b 2 c 3 d 4 e 5");
  client("MIGRATE target 7000 a 2 100 AUTH secret");
  source.connected();
  source.answer("+OK\r\n+OK\r\n");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  CHECK(client("INFO stats").find("migrate_cached_sockets:1\\r") != std::string::npos);
  CHECK(source.sent() == "AUTH secret; SELECT 2; RESTORE a 0 <1>");
  source.pass_ms(9999);
  client("MIGRATE target 7000 b 2 100 AUTH secret");
  CHECK(source.sent() == "AUTH secret");  // the password may have changed since
  source.answer("+OK\r\n");
  CHECK(source.sent() == "RESTORE b 0 <2>");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  client("MIGRATE target 7000 c 0 100 AUTH secret");
  CHECK(source.sent() == "AUTH secret; SELECT 0");
  source.answer("+OK\r\n+OK\r\n");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  client("MIGRATE target 7000 d 0 100 AUTH other");
  REQUIRE(source.wires.size() == 2);
  source.connected(1, "no");
  client("MIGRATE target 7001 d 0 100 AUTH secret");
  REQUIRE(source.wires.size() == 3);
  source.connected(2, "no");
  client.pending();
  source.pass_ms(9999);
  CHECK(!source.wire().closed);
  source.pass_ms(1);
  CHECK(source.wire().closed);
  CHECK(source.server.migrations.connections() == 0);
}

TEST_CASE("an idle connection that says something is dropped, as one that is closed") {
  Source source;
  TestClient client(source.server);
  for (int i = 0; i < 2; i++) {
    client("SET k v");
    client("MIGRATE target 7000 k 0 100");
    source.connected(size_t(i));
    source.answer("+OK\r\n", size_t(i));
    source.answer("+OK\r\n", size_t(i));
    CHECK(source.server.migrations.connections() == 1);
    if (i == 0) source.answer("+HELLO\r\n");
    else source.closed(1);
    CHECK(source.server.migrations.connections() == 0);
    CHECK(source.wire(size_t(i)).closed);
  }
}

TEST_CASE("at most 64 idle connections are kept") {
  Source source;
  TestClient client(source.server);
  for (size_t i = 0; i < 70; i++) {
    client("SET k v");
    client("MIGRATE target " + std::to_string(7000 + i) + " k 0 100");
    source.connected(i);
    source.answer("+OK\r\n", i);
    source.answer("+OK\r\n", i);
    source.pass_ms(1);
  }
  CHECK(source.server.migrations.connections() == 64);
  CHECK(source.wire(5).closed);
  CHECK(!source.wire(6).closed);
}

TEST_CASE("few keys are under way at a time") {
  Source source;
  TestClient client(source.server);
  std::string keys;
  for (int i = 0; i < 300; i++) {
    client("SET k" + std::to_string(i) + " v");
    keys += " k" + std::to_string(i);
  }
  begin(source, client, "'' 0 100 KEYS" + keys);
  const auto count = [&] {
    const std::string text = source.sent();
    size_t found = 0;
    for (size_t at = text.find("RESTORE"); at != std::string::npos; at = text.find("RESTORE", at + 1)) found++;
    return found;
  };
  CHECK(count() == 128);
  source.answer("+OK\r\n");
  CHECK(count() == 1);
  source.wire().unsent = 2 << 20;
  source.answer("+OK\r\n+OK\r\n");
  CHECK(count() == 0);
  source.wire().unsent = 0;
  source.pass_ms(50);
  CHECK(count() == 2);
  for (int i = 3; i < 300; i++) source.answer("+OK\r\n");
  CHECK(client.pending() == "OK");
  CHECK(client("DBSIZE") == "0");
}

TEST_CASE("MIGRATE takes its turn among the client's requests, and no reply if none is wanted") {
  Source source;
  TestClient client(source.server);
  client("SET k v");
  CHECK(client.send("MIGRATE target 7000 k 0 100\r\nEXISTS k\r\n") == "");
  source.connected();
  source.answer("+OK\r\n");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "OK 0");
  client("SET k v");
  CHECK(client.send("CLIENT REPLY SKIP\r\nMIGRATE target 7000 k 0 100\r\nEXISTS k\r\n") == "");
  source.answer("+OK\r\n");
  CHECK(client.pending() == "0");
}

TEST_CASE("MIGRATE is refused where nobody can wait") {
  Source source;
  TestClient client(source.server);
  client("SET k v");
  client("MULTI");
  CHECK(client("MIGRATE target 7000 k 0 100") == "QUEUED");
  CHECK(client("EXEC") == "[(error) ERR MIGRATE waits for the target, which is not possible inside a transaction or script]");
  CHECK(source.wires.empty());
}

// Two servers in one process: the source's connections end at clients of the target. Bytes go in random pieces at random
// times, connections break, and somebody changes keys all the while.
class Crossing {
 public:
  explicit Crossing(uint64_t seed) : rng_(seed), source_(seed), target_(seed + 1), user_(source_.server) {}

  void run(int steps) {
    for (int i = 0; i < steps; i++) step();
    for (int i = 0; i < 10000 && source_.server.migrations.under_way(); i++) carry(false);
    for (int i = 0; i < 5 && source_.server.migrations.under_way(); i++) source_.pass_ms(2000), carry(false);
    CHECK(source_.server.migrations.under_way() == 0);
    CHECK(source_.server.state.watches.empty());
    check();
  }
  size_t moved() const { return moved_; }

 private:
  static constexpr int kKeys = 8;

  std::string key() { return "k" + std::to_string(rng_.below(kKeys)); }

  void step() {
    const uint64_t kind = rng_.below(20);
    if (kind < 6) return change();
    if (kind < 8) return migrate();
    if (kind == 8 && rng_.below(4) == 0) return carry(true);
    carry(false);
  }

  void change() {
    const std::string name = key();
    const bool lived_there = !source_.server.entry(name) && target_.entry(name);
    switch (rng_.below(5)) {
      case 0: user_("SET " + name + " " + std::to_string(rng_.below(1000))); break;
      case 1: user_("INCR " + name); break;
      case 2: user_("SET " + name + " " + std::to_string(rng_.below(9)) + " XX"); break;
      case 3: user_("PEXPIRE " + name + " " + std::to_string(1000000000 + rng_.below(9))); break;
      default:
        if (user_("DEL " + name) == "1") values_.erase(name);
    }
    if (!source_.server.entry(name)) return;
    values_[name] = user_("GET " + name);
    if (lived_there) doubtful_.insert(name);  // what was moved before stays there, whatever becomes of the new one
  }

  void migrate() {
    std::erase_if(callers_, [&](auto& caller) { return hear(*caller); });
    if (callers_.size() >= 3) return;
    auto caller = std::make_unique<Caller>(source_.server);
    std::string words = "MIGRATE target 7000 '' 0 1000 REPLACE KEYS";
    for (uint64_t i = 0; i <= rng_.below(4); i++) {
      caller->keys.insert(key());
      words += " " + *std::next(caller->keys.begin(), long(rng_.below(caller->keys.size())));
    }
    caller->reply = caller->client(words);
    if (!hear(*caller)) callers_.push_back(std::move(caller));
  }

  struct Caller {
    explicit Caller(TestServer& server) : client(server) {}
    TestClient client;
    std::set<std::string> keys;
    std::string reply;
  };

  // Whether it has been answered. A key whose migration failed may be in both places.
  bool hear(Caller& caller) {
    if (caller.reply.empty()) caller.reply = caller.client.pending();
    if (caller.reply.empty()) return false;
    moved_ += caller.reply == "OK";
    CAPTURE(caller.reply);
    CHECK((caller.reply == "OK" || caller.reply == "NOKEY" || caller.reply.starts_with("(error) IOERR")));
    if (caller.reply.starts_with("(error)")) doubtful_.insert(caller.keys.begin(), caller.keys.end());
    return true;
  }

  void carry(bool cut) {
    if (source_.wires.empty()) return;
    const size_t i = rng_.below(source_.wires.size());
    if (i >= ends_.size()) {
      ends_.push_back(std::make_unique<TestClient>(target_));
      answers_.emplace_back();
      return source_.connected(ends_.size() - 1, rng_.below(10) == 0 ? "refused" : "");
    }
    Wire& wire = source_.wire(i);
    if (cut) {
      if (wire.owner)
        for (int k = 0; k < kKeys; k++) doubtful_.insert("k" + std::to_string(k));
      wire.sent.clear();  // a target that hangs up reads no more
      answers_[i].clear();
      return source_.closed(i);
    }
    const size_t request = rng_.below(wire.sent.size() + 1);
    ends_[i]->session.input.append(wire.sent.data(), request);  // where a request that was cut waits
    answers_[i] += ends_[i]->send({});
    wire.sent.erase(0, request);
    const size_t answer = rng_.below(answers_[i].size() + 1);
    if (answer) source_.answer(answers_[i].substr(0, answer), i);
    answers_[i].erase(0, answer);
  }

  void check() {
    for (auto& caller : callers_) CHECK(hear(*caller));
    TestClient there(target_);
    for (int i = 0; i < kKeys; i++) {
      const std::string name = "k" + std::to_string(i);
      CAPTURE(name);
      const auto value = values_.find(name);
      if (source_.server.entry(name)) CHECK(user_("GET " + name) == value->second);
      else if (value != values_.end()) CHECK(there("GET " + name) == value->second);
      else if (!doubtful_.contains(name)) CHECK(!target_.entry(name));
    }
  }

  Rng rng_;
  Source source_;
  TestServer target_;
  TestClient user_;
  std::vector<std::unique_ptr<TestClient>> ends_;  // by wire
  std::vector<std::string> answers_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::map<std::string, std::string> values_;  // of each key, wherever it is
  std::set<std::string> doubtful_;
  size_t moved_ = 0;
};

TEST_CASE("no change is lost between two servers, whatever is cut and changed meanwhile") {
  const uint64_t seed = test_seed("migrations");
  size_t moved = 0;
  for (uint64_t run = 0; run < 60; run++) {
    CAPTURE(run);
    Crossing crossing(seed + run);
    crossing.run(600);
    moved += crossing.moved();
  }
  CHECK(moved > 100);
}

}  // namespace
}  // namespace vedette::testing
