// Commands that wait: who is served, in which order, with what, and what ends a wait. The commands are a family of the
// test's own, on strings, so that only the waiting itself is tested:
//
//   TAKE key [key ...] timeout     removes the first key that is there and answers [key, value]
//   PASS from to timeout           moves the value of `from` to `to`
//   GUARD key timeout              answers only when the key is gone, or no string any more
#include <doctest/doctest.h>

#include "common/base/numbers.h"
#include "server/execution/client_limits.h"
#include "server/execution/pause.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

std::string text_of(const Entry& entry) {
  IntegerText digits;
  return std::string(string_bytes(entry, digits));
}

Status wait_for(CommandContext& ctx, size_t first, size_t last, bool wakes_on_removal = false) {
  if (!ctx.may_block()) return ctx.reply().null_array(), Status::ok();
  BlockOn wait;
  for (size_t i = first; i <= last; i++) wait.keys.push_back(ctx.arg(i));
  wait.type = ValueType::kString;
  wait.timeout_ms = *parse_integer(ctx.arg(ctx.argc() - 1));
  wait.wakes_on_removal = wakes_on_removal;
  return ctx.block(wait);
}

Status take(CommandContext& ctx) {
  for (size_t i = 1; i + 1 < ctx.argc(); i++) {
    const auto entry = ctx.write_as(ctx.key(i), ValueType::kString);
    if (!entry) return entry.error();
    if (!*entry) continue;
    WriteEntry place = *entry;
    ctx.reply().array(2);
    ctx.reply().bulk(ctx.arg(i));
    ctx.reply().bulk(text_of(*place));
    place.erase(false);
    ctx.changed(place.key(), kNotifyGeneric, "del");
    ctx.propagate_as({"DEL", ctx.arg(i)});
    return Status::ok();
  }
  return wait_for(ctx, 1, ctx.argc() - 2);
}

Status pass(CommandContext& ctx) {
  const auto from = ctx.write_as(ctx.key(1), ValueType::kString);
  if (!from) return from.error();
  if (!*from) return wait_for(ctx, 1, 1);
  WriteEntry source = *from;
  const std::string text = text_of(*source);
  source.erase(false);
  WriteEntry to = ctx.write(ctx.key(2));
  to.set_string(text, kNoExpiry);
  ctx.changed(ctx.key(1), kNotifyGeneric, "del");
  ctx.changed(ctx.key(2), kNotifyString, "set");
  ctx.propagate_as({"PASS", ctx.arg(1), ctx.arg(2), "0"});
  ctx.reply().bulk(text);
  return Status::ok();
}

Status guard(CommandContext& ctx) {
  if (const auto entry = ctx.read_as(ctx.key(1), ValueType::kString); !entry || !*entry) return Error("GONE the key");
  return wait_for(ctx, 1, 1, true);
}

// clang-format off
constexpr Command kTestCommands[] = {
    {{.name = "TAKE", .usage = "key [key ...] timeout", .arity = -3, .flags = kWrite | kBlocking, .keys = {keys_at(1, -2, 1, kKeyRW)},
      .category = "generic", .since = "0.0.0", .summary = "Test."}, take},
    {{.name = "PASS", .usage = "from to timeout", .arity = 4, .flags = kWrite | kBlocking, .keys = {keys_at(1, 2, 1, kKeyRW)},
      .category = "generic", .since = "0.0.0", .summary = "Test."}, pass},
    {{.name = "GUARD", .usage = "key timeout", .arity = 3, .flags = kReadOnly | kBlocking, .keys = {key_at(1, kKeyRO)}, .category = "generic",
      .since = "0.0.0", .summary = "Test."}, guard},
};
// clang-format on

struct BlockingServer : TestServer {
  BlockingServer() {
    state.commands.add(kTestCommands);
    executor.prepare();
  }
};

TEST_CASE("a command that finds nothing waits, and is served by the first change") {
  BlockingServer server;
  server.effects();
  TestClient waiter(server), other(server);
  CHECK(waiter("TAKE a k 0") == "");
  CHECK(waiter.session.has(kSuspended));
  CHECK(other("INFO clients").find("blocked_clients:1") != std::string::npos);
  CHECK(other("CLIENT LIST").find("flags=b") != std::string::npos);
  CHECK(other("SET k v") == "OK");
  CHECK(waiter.pending() == "[k, v]");
  CHECK_FALSE(waiter.session.has(kSuspended));
  CHECK(server.effects().take() == "SET k v; DEL k");
  CHECK(other("EXISTS k") == "0");
  CHECK(server.state.blocked.empty());
  CHECK(waiter("PING") == "PONG");
}

TEST_CASE("who waits longest is served first, one for each key that comes") {
  BlockingServer server;
  TestClient first(server), second(server), third(server), other(server);
  first("TAKE k 0");
  second("TAKE x k k 0");
  third("TAKE k 0");
  other("SET k 1");
  CHECK(first.pending() == "[k, 1]");
  CHECK(second.pending() == "");
  first("TAKE k 0");
  other.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n2\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n3\r\n");
  CHECK(second.pending() == "[k, 2]");
  CHECK(third.pending() == "[k, 3]");
  CHECK(first.pending() == "");
  other("SET k 4");
  CHECK(first.pending() == "[k, 4]");
}

TEST_CASE("what the session sends meanwhile waits, and goes on") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  CHECK(waiter.send("TAKE k 0\r\nECHO one\r\nTAKE k 0\r\nECHO two\r\n") == "");
  other("SET k 1");
  CHECK(waiter.pending() == "[k, 1] one");
  other("SET k 2");
  CHECK(waiter.pending() == "[k, 2] two");
}

TEST_CASE("the whole transaction runs before anybody is served") {
  BlockingServer server;
  server.effects();
  TestClient waiter(server), other(server);
  waiter("TAKE k 0");
  other("MULTI");
  other("SET k 1");
  other("DEL k");
  other("EXEC");
  CHECK(waiter.pending() == "");
  other("MULTI");
  other("SET k 1");
  other("SET k 2");
  CHECK(other("EXEC") == "[OK, OK]");
  CHECK(waiter.pending() == "[k, 2]");
  CHECK(server.effects().take() == "{SET k 1; DEL k}; {SET k 1; SET k 2}; DEL k");
}

TEST_CASE("inside of a transaction nobody waits") {
  BlockingServer server;
  TestClient client(server);
  client("MULTI");
  client("TAKE k 0");
  CHECK(client("EXEC") == "[nil]");
}

TEST_CASE("what is served may serve others") {
  BlockingServer server;
  server.effects();
  TestClient a(server), b(server), c(server), other(server);
  a("PASS one two 0");
  b("PASS two three 0");
  c("TAKE three 0");
  other("SET one v");
  CHECK(a.pending() == "v");
  CHECK(b.pending() == "v");
  CHECK(c.pending() == "[three, v]");
  CHECK(server.effects().take() == "SET one v; PASS one two 0; PASS two three 0; DEL three");
  CHECK(other("DBSIZE") == "0");
}

TEST_CASE("a key may come in many ways") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  other("SET from v");
  const std::string payload = [&] {
    std::string bytes = other.send(request_bytes({"DUMP", "from"}));
    return bytes.substr(bytes.find("\r\n") + 2, bytes.size() - bytes.find("\r\n") - 4);
  }();
  waiter("TAKE k 0");
  SUBCASE("RENAME") { other("RENAME from k"); }
  SUBCASE("COPY") { other("COPY from k"); }
  SUBCASE("RESTORE") { other({"RESTORE", "k", "0", payload}); }
  SUBCASE("MOVE") {
    other("SELECT 1");
    other("SET k v");
    other("MOVE k 0");
  }
  SUBCASE("SWAPDB") {
    other("SELECT 1");
    other("SET k v");
    other("SWAPDB 0 1");
  }
  CHECK(waiter.pending() == "[k, v]");
}

TEST_CASE("a key of another database or another type serves nobody") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  waiter("TAKE k 0");
  other("SELECT 1");
  other("SET k v");
  CHECK(waiter.pending() == "");
  CHECK(waiter.session.has(kSuspended));
}

TEST_CASE("the time of a wait runs out to the millisecond, in the order of the deadlines") {
  BlockingServer server;
  TestClient late(server), early(server), forever(server);
  late("TAKE k 200");
  early("TAKE k 100");
  forever("TAKE k 0");
  server.advance_ms(99);
  server.turn();
  CHECK(early.pending() == "");
  server.advance_ms(1);
  server.turn();
  CHECK(early.pending() == "nil");
  CHECK(late.pending() == "");
  TestClient other(server);
  CHECK(other("INFO clients").find("clients_in_timeout_table:1") != std::string::npos);
  server.advance_ms(1000);
  other("PING");
  CHECK(late.pending() == "nil");
  CHECK(forever.session.has(kSuspended));
  CHECK_FALSE(server.state.blocked.next_deadline());
}

TEST_CASE("a wait that goes on keeps its deadline and its place") {
  BlockingServer server;
  TestClient guard(server), other(server);
  other("SET k v");
  guard("GUARD k 100");
  server.advance_ms(60);
  other("SET k w");
  CHECK(guard.pending() == "");
  server.advance_ms(39);
  server.turn();
  CHECK(guard.pending() == "");
  server.advance_ms(1);
  server.turn();
  CHECK(guard.pending() == "nil");
}

TEST_CASE("who wants to know of a key's end is told, whatever ends it") {
  BlockingServer server;
  TestClient guard(server), other(server);
  other("SET k v PX 50");
  guard("GUARD k 0");
  SUBCASE("DEL") { other("DEL k"); }
  SUBCASE("FLUSHALL") { other("FLUSHALL"); }
  SUBCASE("FLUSHDB") { other("FLUSHDB"); }
  SUBCASE("SWAPDB") { other("SWAPDB 0 3"); }
  SUBCASE("RENAME") { other("RENAME k l"); }
  SUBCASE("expiry") {
    server.advance_ms(51);
    other("GET k");
  }
  CHECK(guard.pending() == "(error) GONE the key");
  CHECK(server.state.blocked.empty());
}

TEST_CASE("CLIENT UNBLOCK ends a wait") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  const std::string id = std::to_string(waiter.session.id());
  CHECK(other({"CLIENT", "UNBLOCK", id}) == "0");
  waiter.send("TAKE k 0\r\nECHO more\r\n");
  SUBCASE("as its timeout would") {
    CHECK(other({"CLIENT", "UNBLOCK", id}) == "1");
    CHECK(waiter.pending() == "nil more");
  }
  SUBCASE("with an error") {
    CHECK(other({"CLIENT", "UNBLOCK", id, "ERROR"}) == "1");
    CHECK(waiter.pending() == "(error) UNBLOCKED client unblocked via CLIENT UNBLOCK more");
  }
  CHECK(other({"CLIENT", "UNBLOCK", id}) == "0");
  other("SET k v");
  CHECK(waiter.pending() == "");
  CHECK(other({"CLIENT", "UNBLOCK", id, "NOW"}) == "(error) ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
}

TEST_CASE("CLIENT UNBLOCK ends WAIT too") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  waiter("WAIT 1 0");
  CHECK(other({"CLIENT", "UNBLOCK", std::to_string(waiter.session.id())}) == "1");
  CHECK(waiter.pending() == "0");
  waiter("WAIT 1 0");
  CHECK(other({"CLIENT", "UNBLOCK", std::to_string(waiter.session.id()), "ERROR"}) == "1");
  CHECK(waiter.pending() == "(error) UNBLOCKED client unblocked via CLIENT UNBLOCK");
}

TEST_CASE("who is gone or is being sent away takes nothing") {
  BlockingServer server;
  TestClient other(server), behind(server);
  {
    TestClient gone(server);
    gone("TAKE k 0");
  }
  TestClient killed(server);
  killed("TAKE k 0");
  behind("TAKE k 0");
  disconnect(server.state, killed.session);
  other("SET k v");
  CHECK(killed.pending() == "");
  CHECK(behind.pending() == "[k, v]");
}

TEST_CASE("a server that becomes a replica lets nobody wait") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  waiter("TAKE k 100");
  other("REPLICAOF 127.0.0.1 1");
  CHECK(waiter.pending().starts_with("(error) UNBLOCKED force unblock"));
  CHECK(waiter.session.has(kCloseAfterReply));
  CHECK(server.state.blocked.empty());
}

TEST_CASE("while clients are paused nobody is served") {
  BlockingServer server;
  TestClient waiter(server), reader(server), other(server);
  waiter("TAKE k 0");
  other("MULTI");
  other("CLIENT PAUSE 1000 WRITE");
  other("SET k v");
  other("EXEC");
  server.turn();
  CHECK(waiter.pending() == "");
  other("CLIENT UNPAUSE");
  CHECK(waiter.pending() == "[k, v]");
}

TEST_CASE("the answer has the form of the session's protocol") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  waiter("HELLO 3");
  waiter("TAKE k 10");
  server.advance_ms(10);
  server.turn();
  CHECK(waiter.pending_bytes() == "_\r\n");
}

TEST_CASE("a wait whose reply is not wanted is answered with nothing") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  waiter.send("CLIENT REPLY SKIP\r\nTAKE k 0\r\nECHO one\r\n");
  other("SET k v");
  CHECK(waiter.pending() == "one");
  CHECK(other("EXISTS k") == "0");
  waiter.send("CLIENT REPLY SKIP\r\nTAKE k 10\r\nECHO two\r\n");
  server.advance_ms(10);
  server.turn();
  CHECK(waiter.pending() == "two");
}

TEST_CASE("a command that waited counts once and is shown once") {
  BlockingServer server;
  TestClient waiter(server), other(server), monitor(server);
  monitor("MONITOR");
  other("SET g v");
  waiter("GUARD g 0");
  other("SET g w");
  other("DEL g");
  const std::string shown = monitor.pending();
  CHECK(shown.find("GUARD") != std::string::npos);
  CHECK(shown.find("GUARD") == shown.rfind("GUARD"));
  CHECK(other("INFO commandstats").find("cmdstat_guard:calls=1,") != std::string::npos);
  CHECK(other("INFO commandstats").find("rejected_calls=0,failed_calls=1") != std::string::npos);
}

TEST_CASE("the words of a wait are its client's memory") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  const size_t before = client_memory_bytes(waiter.session);
  waiter({"TAKE", std::string(100000, 'k'), "0"});
  CHECK(client_memory_bytes(waiter.session) >= before + 200000);
}

TEST_CASE("a message of its own command comes after the reply of a session that is served") {
  BlockingServer server;
  server.state.settings.notify_classes |= kNotifyKeyevent | kNotifyAll;
  TestClient waiter(server), other(server);
  waiter("HELLO 3");
  waiter("SUBSCRIBE __keyevent@0__:del");
  waiter("TAKE k 0");
  other("SET k v");
  CHECK(waiter.pending() == "[k, v] [message, __keyevent@0__:del, k]");
}

TEST_CASE("a served write waits for replicas as any other") {
  BlockingServer server;
  TestClient waiter(server), other(server);
  waiter("CLIENT ACK-REPLICAS 1");
  waiter.send("TAKE k 0\r\nECHO one\r\n");
  other("SET k v");
  CHECK(waiter.session.has(kHoldOutput));
  CHECK(server.state.blocked.empty());
  server.advance_ms(100000);
  server.turn();
  server.replication.tick(server.executor.now());
  server.turn();
  CHECK_FALSE(waiter.session.has(kHoldOutput));
  CHECK(waiter.pending().find("NOACK") != std::string::npos);
}

TEST_CASE("many that wait for one key cost one look for each that is served") {
  BlockingServer server;
  std::vector<std::unique_ptr<TestClient>> waiters;
  for (int i = 0; i < 2000; i++) {
    waiters.push_back(std::make_unique<TestClient>(server));
    (*waiters.back())("TAKE k 0");
  }
  TestClient other(server);
  for (int i = 0; i < 2000; i++) {
    other({"SET", "k", std::to_string(i)});
    REQUIRE(waiters[size_t(i)]->pending() == "[k, " + std::to_string(i) + "]");
  }
}

}  // namespace
}  // namespace vedette::testing
