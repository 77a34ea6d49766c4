// Scripts that take long: what others are told meanwhile, what stands still with them, and how they end.
#include <doctest/doctest.h>

#include <string>

#include "server/execution/eviction.h"
#include "server/execution/expire_driver.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kBusy = "(error) BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr std::string_view kForever = "while true do end";

// A server on whose clock a millisecond passes with every look at it, and scripts take long after five.
struct BusyServer : TestServer {
  BusyServer() {
    clock.us_per_look = 1000;
    state.settings.busy_reply_threshold_ms = 5;
    state.settings.slow_log_threshold_us = -1;
  }
  void run_out(int turns_max = 100000) {
    while (executor.stands_still() && turns_max-- > 0) turn();
    CHECK_FALSE(executor.stands_still());
  }
};

std::string killed(std::string_view script, int line = 1) {
  return "(error) ERR Script killed by user with SCRIPT KILL... script: " + to_hex(sha1(script)) +
         ", on @user_script:" + std::to_string(line) + ".";
}

TEST_CASE("while a script takes long others are told so, and may end it") {
  BusyServer server;
  TestClient client(server), other(server);
  CHECK(client({"EVAL", kForever, "0"}) == "");
  CHECK(server.executor.stands_still());
  for (const std::string_view refused : {"GET k", "SET k v", "EVAL \"return 1\" 0", "FUNCTION KILL", "FUNCTION STATS", "SCRIPT EXISTS x",
                                         "INFO", "CLIENT LIST", "SUBSCRIBE c", "SHUTDOWN", "SHUTDOWN SAVE", "COMMAND COUNT"})
    CHECK(other(refused) == kBusy);
  CHECK(other("PING") == kBusy);
  CHECK(other("HELLO 2").starts_with("[server, "));
  CHECK(other("NOSUCH").starts_with("(error) ERR unknown command"));
  CHECK(other("GET") == "(error) ERR wrong number of arguments for 'get' command");
  CHECK(other("WATCH k") == "OK");
  CHECK(other("MULTI") == "OK");
  CHECK(other("SET k v") == kBusy);
  CHECK(other("EXEC").starts_with("(error) EXECABORT Transaction discarded because of: BUSY"));
  CHECK(client.pending() == "");
  CHECK(other("SCRIPT KILL") == "OK");
  server.run_out();
  CHECK(client.pending() == killed(kForever));
  CHECK(other("GET k") == "nil");
  CHECK(client("PING") == "PONG");
  CHECK(other("SCRIPT KILL") == "(error) NOTBUSY No scripts in execution right now.");
}

TEST_CASE("nothing a script does keeps it from being ended") {
  BusyServer server;
  TestClient client(server), other(server);
  for (const std::string_view script :
       {"while true do pcall(function() while true do end end) end",
        "repeat local ok = pcall(error, 'x') until false",
        "table.sort({3, 2, 1}, function(a, b) while true do end end)",
        "('x'):gsub('x', function() while true do end end)",
        "('x'):gsub('.', setmetatable({}, {__index = function() while true do end end}))",
        "return string.format('%s', setmetatable({}, {__tostring = function() while true do end end}))",
        "return tostring(setmetatable({}, {__tostring = function() while true do end end}))",
        "return setmetatable({}, {__index = function() while true do end end}).x",
        "local m = {__lt = function() while true do end end} return setmetatable({}, m) < setmetatable({}, m)",
        "local co = coroutine.wrap(function() while true do end end) co()",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        "coroutine.wrap(function() while true do redis.call('PING') end end)()",
        "coroutine.wrap(function() while true do pcall(redis.call, 'PING') end end)()",
        "while true do coroutine.resume(coroutine.create(function() while true do redis.pcall('GET', 'k') end "
        "end)) end",
        "error(setmetatable({}, {__index = function() while true do end end}))",
        "xpcall(function() error('x') end, function() while true do end end)",
        "load(function() while true do end end)",
        "load(function() return 'x = 1; ' end)",
        "local function f() return f() end f()",
        "return (('a'):rep(60)):find(('a*'):rep(20) .. 'b')",
        "for w in (('a'):rep(60)):gmatch(('a-'):rep(20) .. 'b') do end",
        "return (('a'):rep(60)):gsub(('a?'):rep(30) .. ('a*'):rep(20) .. 'b', '')",
        "while true do redis.call('PING') end",
        "while true do redis.pcall('NOSUCH') end",
        "while true do pcall(redis.call) end",
        "local t = {} t[1] = t t[2] = t return t",
        "local t = {} for i = 1, 100 do t[i] = t end return {map = t}",
        "local t = {} for i = 1, 20000 do t[i] = i end while true do table.sort(t, function(a, b) return a > "
        "b end) end",
        "local t = {} for i = 1, 200000 do t[i] = i % 7 end while true do table.sort(t) end",
        "local t = {} for i = 1, 200000 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t, "
        "1) end",
        "local s, p = ('a'):rep(1e6), ('a'):rep(1e5) .. 'b' while true do s:find(p, 1, true) end",
        "table.insert({}, -2^31, 1)",
        "local s = ('a'):rep(1e6) while true do redis.sha1hex(s) end",
        "local t = {} for i = 1, 200000 do t[2 * i + 1000000] = i end while true do pcall(cjson.encode, t) "
        "end",
        "local s = ('x'):rep(1e6) while true do local t = s .. 'y' end",
        "while true do cjson.encode({1, 2, 3}) end",
        "table.foreach({1}, function() while true do end end)",
        "while true do collectgarbage() end",
        "while true do collectgarbage('step', 1e6) end",
        "local t = {} for i = 1, 1e5 do t[i] = {} end while true do pcall(string.rep, 'x', 1e9) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end table.sort(t, rawequal) while true do table.sort(t, rawequal) end",
        "local s, t = ('x'):rep(4e6), {} for i = 1, 500 do t[i] = s end while true do table.sort(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = '' end while true do table.concat(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.maxn(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end for i = 1, 1e5 do t[i] = nil end while true do next(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end for i = 1, 1e5 do t[i] = nil end while true do for k in "
        "pairs(t) do end end",
        "local t = {} for i = 1, 1e5 do t[i] = i end for i = 1, 1e5 do t[i] = nil end local f = pairs(t) while "
        "true do f(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.foreach(t, rawequal) end",
        "local s = 'x x ' .. ('a '):rep(1e5) while true do loadstring(s) end",
        "load(os.clock)",
        "while true do ('x'):rep(1e5):gsub('x', os.clock) end",
        "local s = ('X'):rep(1e6) while true do s:lower() s:upper() s:reverse() end",
        "local t, u = {}, {} for i = 1, 1000 do t[i] = {} end for i = 1, 1e5 do u[i] = t end cmsgpack.pack(u)",
        "local s = cmsgpack.pack(('x'):rep(1e6)) while true do cmsgpack.unpack(s) end",
        "local t, u = {}, {} for i = 1, 1000 do t[i] = {} end for i = 1, 1e5 do u[i] = t end cjson.encode(u)",
        "cjson.encode_sparse_array(false, 0) cjson.encode({[2147483647] = 1})",
        "local s = ('x'):rep(1e6) while true do cjson.encode(s) end",
        "local s = (' '):rep(1e6) .. 'x' while true do pcall(cjson.decode, s) end",
        "local s = '\"' .. ('x'):rep(1e6) while true do pcall(cjson.decode, s) end",
        "local s = '[' .. ('1,'):rep(1e5) while true do pcall(cjson.decode, s) end",
        "local s = ('x'):rep(1e6) while true do struct.size(s) end",
        "local s = ('x'):rep(1e6) while true do struct.unpack('s', s .. '\\0') end",
        "local s = ('x'):rep(1e6) while true do redis.status_reply(s) redis.error_reply(s) end",
        "local a = ('x'):rep(1e6) local b = a .. 'y' while true do local c = a < b end",
        "local s = ('1'):rep(1e6) while true do tonumber(s) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end for i = 1, 1e5 do t[i] = nil end local u = {} for i = 1, "
        "1e5 do u[i] = {map = t} end return u"}) {
    CAPTURE(script);
    CHECK(client({"EVAL", script, "0"}) == "");
    REQUIRE(server.executor.stands_still());
    for (int i = 0; i < 3; i++) server.turn();
    REQUIRE(other("SCRIPT KILL") == "OK");
    server.run_out();
    CHECK(client.pending().find("Script killed by user with SCRIPT KILL...") != std::string::npos);
    CHECK(other("GET k") == "nil");
  }
}

TEST_CASE("no script takes long where nobody is to be told so") {
  TestServer server;
  TestClient client(server);
  for (const int64_t threshold_ms : {int64_t(0), INT64_MAX, INT64_MAX / 1000000 + 1}) {
    server.clock.us_per_look = 1000000;
    server.state.settings.busy_reply_threshold_ms = threshold_ms;
    CHECK(client({"EVAL", "for i = 1, 1e5 do end return 1", "0"}) == "1");
    CHECK_FALSE(server.executor.stands_still());
  }
}

TEST_CASE("a script that has written ends by itself, and then all of it is seen at once") {
  BusyServer server;
  TestClient client(server), other(server);
  RecordedEffects& effects = server.effects();
  CHECK(client({"EVAL",
                "redis.call('SET','a','1') for i = 1, 1e5 do end redis.call('INCR','a') for i = 1, 1e5 do "
                "end return redis.call('INCR','a')",
                "0"}) == "");
  CHECK(other("SCRIPT KILL").starts_with("(error) UNKILLABLE Sorry the script already executed write commands"));
  CHECK(other("GET a") == kBusy);
  CHECK(effects.take() == "");
  server.run_out();
  CHECK(client.pending() == "3");
  CHECK(effects.take() == "{SET a 1; INCR a; INCR a}");
  CHECK(other("GET a") == "3");
}

TEST_CASE("EXEC stands still as a whole and goes on where it was") {
  BusyServer server;
  TestClient client(server), other(server);
  RecordedEffects& effects = server.effects();
  client("MULTI");
  client("SET a 1");
  client({"EVAL", "for i = 1, 1e5 do end return redis.call('INCR','a')", "0"});
  client({"EVAL", kForever, "0"});
  client("INCR a");
  CHECK(client("EXEC") == "");
  for (int i = 0; i < 200; i++) server.turn();
  CHECK(other("GET a") == kBusy);
  CHECK(effects.take() == "");
  // The script that is under way has written nothing, but those before it have.
  CHECK(other("SCRIPT KILL") == "OK");
  server.run_out();
  CHECK(client.pending() == "[OK, 2, " + killed(kForever) + ", 3]");
  CHECK(effects.take() == "{SET a 1; INCR a; INCR a}");
}

TEST_CASE("what a client sends behind its script waits, and so does what it is sent before") {
  BusyServer server;
  TestClient client(server), other(server);
  const std::string script = "for i = 1, 1e5 do end return 'done'";
  CHECK(client.send(request_bytes({"SET", "a", "1"}) + request_bytes({"EVAL", script, "0"}) + request_bytes({"GET", "a"})) == "");
  CHECK(server.executor.stands_still());
  CHECK(client.session.has(kHoldOutput));
  server.run_out();
  server.turn();
  CHECK(client.pending() == "OK done 1");
}

TEST_CASE("the arguments of a script that takes long are its own") {
  BusyServer server;
  TestClient client(server);
  server.state.settings.slow_log_threshold_us = 0;
  {
    std::string bytes = request_bytes({"EVAL", "for i = 1, 1e5 do end return ARGV[1]", "1", "key", "argument"});
    client.send(bytes);
    bytes.assign(bytes.size(), 'x');  // the buffer is used again
  }
  CHECK(server.executor.stands_still());
  server.run_out();
  CHECK(client.pending() == "argument");
  const std::string log = client("SLOWLOG GET 1");
  CHECK(log.find("key, argument") != std::string::npos);
}

TEST_CASE("CLIENT REPLY silences a script that takes long too") {
  BusyServer server;
  TestClient client(server);
  const std::string script = "for i = 1, 1e5 do end return 1";
  CHECK(client.send(request_bytes({"CLIENT", "REPLY", "SKIP"}) + request_bytes({"EVAL", script, "0"})) == "");
  CHECK(server.executor.stands_still());
  server.run_out();
  CHECK(client.pending() == "");
  CHECK(client("PING") == "PONG");
}

TEST_CASE("messages to its own client come behind the script's reply, those who wait are served behind it") {
  BusyServer server;
  TestClient client(server), waiter(server);
  client("HELLO 3");
  client("SUBSCRIBE news");
  waiter("BLPOP list 0");
  CHECK(client({"EVAL",
                "redis.call('PUBLISH','news','x') redis.call('RPUSH','list','a','b') for i = 1, 1e5 do end "
                "return redis.call('LLEN','list')",
                "0"}) == "");
  CHECK(waiter.pending() == "");
  server.run_out();
  CHECK(client.pending() == "2 [message, news, x]");
  CHECK(waiter.pending() == "[list, a]");
}

TEST_CASE("nothing happens to the dataset in the middle of a script") {
  BusyServer server;
  TestClient client(server);
  client("SET soon x PX 300");
  client("SET later y PX 100000");
  CHECK(client({"EVAL",
                "redis.call('SET','a','1') for i = 1, 1e6 do end return {redis.call('GET','soon'), "
                "redis.call('PTTL','later')}",
                "0"}) == "");
  REQUIRE(server.executor.stands_still());
  server.advance_ms(1000);
  CHECK_FALSE(run_expire_cycle(server.state, server.executor.refresh_now(), ExpireSlice::kTick));
  CHECK(server.entry("soon") != nullptr);
  struct Reader final : SnapshotReader {
    bool begun = false;
    void on_snapshot_start(const BlockLog&) override { begun = true; }
    void on_snapshot_bytes() override {}
    void on_snapshot_end(const Status&) override {}
    uint64_t snapshot_position() const override { return UINT64_MAX; }
  } reader;
  server.snapshots.request(reader, SnapshotForm::kRdb);
  CHECK_FALSE(server.snapshots.ready());
  server.snapshots.run_slice(server.executor.now(), 1000);
  CHECK_FALSE(reader.begun);
  server.state.settings.memory_max = 1;
  server.state.settings.eviction_policy = EvictionPolicy::kAllKeysLru;
  CHECK(make_room(server.state, server.executor.now()));
  CHECK(server.entry("later") != nullptr);
  server.state.settings.memory_max = 0;
  server.run_out();
  const std::string reply = client.pending();
  CAPTURE(reply);
  CHECK(reply.starts_with("[x, "));  // its time stands still
  CHECK(server.snapshots.ready());
  server.snapshots.withdraw(reader);
}

TEST_CASE("what comes from elsewhere is run to its end") {
  BusyServer server;
  TestClient stream(server);
  stream.session.set(kReplaying);
  stream.send(request_bytes({"EVAL", "for i = 1, 1e5 do end redis.call('SET','k','v')", "0"}));
  CHECK_FALSE(server.executor.stands_still());
  CHECK(server.entry("k") != nullptr);
}

TEST_CASE("the stream waits for a script") {
  BusyServer server;
  TestClient client(server), stream(server);
  stream.session.set(kReplaying);
  client({"EVAL", "for i = 1, 1e5 do end return redis.call('GET','k')", "0"});
  REQUIRE(server.executor.stands_still());
  stream.send(request_bytes({"SET", "k", "from the primary"}));
  CHECK(server.entry("k") == nullptr);
  server.run_out();
  CHECK(client.pending() == "nil");
  server.turn();
  CHECK(server.entry("k") != nullptr);
}

TEST_CASE("a client that goes leaves nothing of its script behind that anybody is told of") {
  BusyServer server;
  TestClient other(server);
  RecordedEffects& effects = server.effects();
  {
    TestClient client(server);
    client({"EVAL", "redis.call('SET','k','v') while true do end", "0"});
    CHECK(client.session.pinned);
  }
  CHECK_FALSE(server.executor.stands_still());
  CHECK(effects.take() == "");
}

TEST_CASE("functions that take long have their own words") {
  BusyServer server;
  TestClient client(server), other(server);
  client({"FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() while true do end end)"});
  CHECK(client("FCALL f 1 k arg") == "");
  CHECK(other("GET k") == "(error) BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");
  CHECK(other("SCRIPT KILL") == "(error) BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");
  const std::string stats = other("FUNCTION STATS");
  CHECK(stats.starts_with("[running_script, [name, f, command, [FCALL, f, 1, k, arg], duration_ms, "));
  CHECK(other("FUNCTION KILL") == "OK");
  server.run_out();
  CHECK(client.pending() == "(error) ERR Script killed by user with SCRIPT KILL... script: f, on @user_function:2.");
  client({"FUNCTION", "LOAD",
          "#!lua name=w\nredis.register_function('w', function() redis.call('SET','k','v') while true do end "
          "end)"});
  CHECK(client("FCALL w 0") == "");
  CHECK(other("FUNCTION KILL").starts_with("(error) UNKILLABLE"));
  CHECK(other("SCRIPT KILL").starts_with("(error) UNKILLABLE"));
}

TEST_CASE("SHUTDOWN NOSAVE is asked for at once") {
  BusyServer server;
  TestClient client(server), other(server);
  client({"EVAL", kForever, "0"});
  CHECK(other("SHUTDOWN NOSAVE") == "");
  CHECK(server.actions.shutdowns.size() == 1);
  CHECK(other("SHUTDOWN ABORT") == "");
}

}  // namespace
}  // namespace vedette::testing
