// EVAL and its relatives: conversions, errors, what a script may call, what follows from its calls.
#include <doctest/doctest.h>

#include <string>

#include "server/execution/persistence.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

std::string digest_of(std::string_view script) { return to_hex(sha1(script)); }

// What the error of a script ends with.
std::string on_line(std::string_view script, int line) {
  return " script: " + digest_of(script) + ", on @user_script:" + std::to_string(line) + ".";
}

std::string eval_bytes(TestClient& client, std::string_view script) { return client.send(request_bytes({"EVAL", script, "0"})); }

TEST_CASE("what a script returns becomes a reply") {
  TestServer server;
  TestClient client(server);
  struct Row {
    std::string_view script, resp2, resp3;
  };
  constexpr Row kRows[] = {
      {"return 3.99", ":3\r\n", ":3\r\n"},
      {"return -0.5", ":0\r\n", ":0\r\n"},
      {"return 2^63", ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
      {"return 'a\\r\\nb'", "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
      {"return true", ":1\r\n", ":1\r\n"},
      {"return false", "$-1\r\n", "_\r\n"},
      {"return nil", "$-1\r\n", "_\r\n"},
      {"", "$-1\r\n", "_\r\n"},
      {"return function() end", "$-1\r\n", "_\r\n"},
      {"return {1,{2,'x'},nil,4}", "*2\r\n:1\r\n*2\r\n:2\r\n$1\r\nx\r\n", "*2\r\n:1\r\n*2\r\n:2\r\n$1\r\nx\r\n"},
      {"return {ok='fine\\r\\n'}", "+fine  \r\n", "+fine  \r\n"},
      {"return {err='My err'}", "-My err\r\n", "-My err\r\n"},
      {"return {double=3.5}", "$3\r\n3.5\r\n", ",3.5\r\n"},
      {"return {map={a=1}}", "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n$1\r\na\r\n:1\r\n"},
      {"return {set={a=true}}", "*1\r\n$1\r\na\r\n", "~1\r\n$1\r\na\r\n"},
      {"return {big_number='12'}", "$2\r\n12\r\n", "(12\r\n"},
      {"return {verbatim_string={format='txt',string='x'}}", "$1\r\nx\r\n", "=5\r\ntxt:x\r\n"},
      {"return {verbatim_string={format='t',string='x'}}", "$1\r\nx\r\n", "=5\r\nt  :x\r\n"},
      {"return {verbatim_string={string='x'}}", "*0\r\n", "*0\r\n"},
      {"return {ok=1}", "*0\r\n", "*0\r\n"},
      {"return {ok='a',err='b',double=1}", "-b\r\n", "-b\r\n"},
      {"return {ok='a\\0b'}", "+a\r\n", "+a\r\n"},
      {"return {err='\\r\\na\\nb\\r\\n'}", "-a b\r\n", "-a b\r\n"},
      {"return {err='a\\0b'}", "-a\r\n", "-a\r\n"},
      {"redis.setresp(3) return true", ":1\r\n", "#t\r\n"},
      {"redis.setresp(3) return {true,false}", "*2\r\n:1\r\n:0\r\n", "*2\r\n#t\r\n#f\r\n"},
      {"return redis.status_reply('x')", "+x\r\n", "+x\r\n"},
      {"return redis.error_reply('-MY text')", "-MY text\r\n", "-MY text\r\n"},
      {"return redis.error_reply('text')", "-ERR text\r\n", "-ERR text\r\n"},
      {"return redis.sha1hex('')", "$40\r\nda39a3ee5e6b4b0d3255bfef95601890afd80709\r\n",
       "$40\r\nda39a3ee5e6b4b0d3255bfef95601890afd80709\r\n"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.script);
    CHECK(eval_bytes(client, row.script) == row.resp2);
  }
  client("HELLO 3");
  for (const Row& row : kRows) {
    CAPTURE(row.script);
    CHECK(eval_bytes(client, row.script) == row.resp3);
  }
}

TEST_CASE("a table that holds itself is written as deep as the stack is") {
  TestServer server;
  TestClient client(server);
  const std::string reply = eval_bytes(client, "local t = {} t[1] = t return t");
  CHECK(reply.starts_with("*1\r\n*1\r\n"));
  CHECK(reply.ends_with("*1\r\n-ERR reached lua stack limit\r\n"));
  CHECK(client("PING") == "PONG");
}

TEST_CASE("replies become values, by the script's version of the protocol") {
  TestServer server;
  TestClient client(server);
  client("SET s x");
  client("ZADD z 1.5 m");
  client("HSET h f v");
  client("SADD st a");
  CHECK(client({"EVAL", "return {type(redis.call('GET','none')), tostring(redis.call('GET','none'))}", "0"}) == "[boolean, false]");
  CHECK(client({"EVAL", "redis.setresp(3) return type(redis.call('GET','none'))", "0"}) == "\"nil\"");
  CHECK(client({"EVAL", "return redis.call('SET','k','v').ok", "0"}) == "OK");
  CHECK(client({"EVAL", "return redis.pcall('LPUSH','s','v').err", "0"}) ==
        "\"WRONGTYPE Operation against a key holding the wrong kind of value\"");
  CHECK(client({"EVAL", "return redis.call('ZSCORE','z','m')", "0"}) == "1.5");
  CHECK(client({"EVAL", "redis.setresp(3) return tostring(redis.call('ZSCORE','z','m').double)", "0"}) == "1.5");
  CHECK(client({"EVAL", "return redis.call('HGETALL','h')[2]", "0"}) == "v");
  CHECK(client({"EVAL", "redis.setresp(3) return redis.call('HGETALL','h').map.f", "0"}) == "v");
  CHECK(client({"EVAL", "redis.setresp(3) return tostring(redis.call('SMEMBERS','st').set.a)", "0"}) == "true");
  CHECK(client({"EVAL", "redis.setresp(3) return redis.call('INFO','server').verbatim_string.format", "0"}) == "txt");
  CHECK(client({"EVAL", "return redis.call('MGET','s','none','s')", "0"}) == "[x, nil, x]");
  // The version is the script's own: it ends with it.
  CHECK(client({"EVAL", "return type(redis.call('HGETALL','h')[1])", "0"}) == "string");
}

TEST_CASE("arguments are strings and numbers") {
  TestServer server;
  TestClient client(server);
  const auto echo = [&](std::string_view value) { return client({"EVAL", "return redis.call('ECHO'," + std::string(value) + ")", "0"}); };
  CHECK(echo("10") == "10");
  CHECK(echo("1.5") == "1.5");
  CHECK(echo("0.1") == "0.10000000000000001");
  CHECK(echo("-0") == "-0");
  CHECK(echo("2^53") == "9007199254740992");
  CHECK(echo("1e20") == "1e+20");
  CHECK(echo("1/0") == "inf");
  for (const std::string_view bad : {"true", "nil", "{}", "tostring"})
    CHECK(echo(bad).starts_with("(error) ERR Lua redis lib command arguments must be strings or integers script: "));
  CHECK(client({"EVAL", "return {KEYS,ARGV}", "1", "a", "b", "c"}) == "[[a], [b, c]]");
  CHECK(client({"EVAL", "KEYS[1] = 'x' return KEYS", "1", "a"}) == "[x]");
}

TEST_CASE("an error names its script and its line") {
  TestServer server;
  TestClient client(server);
  struct Row {
    std::string_view script, error;
    int line;
  };
  constexpr Row kRows[] = {
      {"return redis.call('NOSUCH')", "ERR Unknown Redis command called from script", 1},
      {"\n\nreturn redis.call('GET')", "ERR Wrong number of args calling Redis command from script", 3},
      {"local call = redis.call\nreturn call('GET')", "ERR Wrong number of args calling Redis command from script", 2},
      {"redis.call()", "ERR Please specify at least one argument for this redis lib call", 1},
      {"redis.call('SET','k','v')\nreturn redis.call('LPUSH','k','v')", "WRONGTYPE Operation against a key holding the wrong kind of value",
       2},
      {"return foo", "ERR user_script:1: Script attempted to access nonexistent global variable 'foo'", 1},
      {"foo = 1", "ERR user_script:1: Attempt to modify a readonly table", 1},
      {"local t\nt.x = 1", "ERR user_script:2: attempt to index local 't' (a nil value)", 2},
      {"local function f()\n error('boo')\nend\nf()", "ERR user_script:2: boo", 2},
      {"error({err='MY own'})", "MY own", 1},
      {"error({err='a\\nb'})", "a b", 1},
      {"error()", "ERR nil", 1},
      {"error(true)", "ERR true", 1},
      {"error({})", "ERR the script raised an error without a text", 1},
      {"#!lua flags=no-writes\n\nreturn redis.call('SET','k','v')", "ERR Write commands are not allowed from read-only scripts.", 3},
      {"local function f() return f() + 1 end return f()", "ERR user_script:1: stack overflow", 1},
      {"return cjson.decode('x')", "ERR user_script:1: Expected value but found invalid token at character 1", 1},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.script);
    CHECK(client({"EVAL", row.script, "0"}) == "(error) " + std::string(row.error) + on_line(row.script, row.line));
  }
  CHECK(client({"EVAL", "x x", "0"}) == "(error) ERR Error compiling script (new function): user_script:1: '=' expected near 'x'");
  CHECK(client({"EVAL", "return 1LL", "0"}) ==
        "(error) ERR Error compiling script (new function): user_script:1: malformed number near '1LL'");
  CHECK(
      client({"SCRIPT", "LOAD", "\n("}).starts_with("(error) ERR Error compiling script (new function): user_script:2: unexpected symbol"));
  CHECK(client({"EVAL", "return 1", "2", "a"}) == "(error) ERR Number of keys can't be greater than number of args");
  CHECK(client({"EVAL", "return 1", "-1"}) == "(error) ERR Number of keys can't be negative");
  CHECK(client({"EVAL", "return 1", "x"}) == "(error) ERR value is not an integer or out of range");
}

TEST_CASE("a chunk may have any name, and its text may be any") {
  TestServer server;
  TestClient client(server);
  const auto error = [&](std::string_view script) {
    const std::string reply = client({"EVAL", script, "0"});
    const size_t digest = reply.find(digest_of(script));
    REQUIRE(digest != std::string::npos);
    return std::string(reply).replace(digest, 40, "-");
  };
  CHECK(error("return loadstring(\"error('stack overflow',0)\",'')()") == "(error) ERR stack overflow script: -, on :1.");
  CHECK(error("return loadstring(\"error('stack overflow')\",'')()") == "(error) ERR [string \"\"]:1: stack overflow script: -, on :1.");
  CHECK(error("error('stack overflow',0)") == "(error) ERR stack overflow script: -, on @user_script:1.");
  CHECK(error("return loadstring(\"error('x')\",'=')()") == "(error) ERR :1: x script: -, on =:1.");
  CHECK(error("return loadstring(\"error('x')\")()") == "(error) ERR [string \"error('x')\"]:1: x script: -, on error('x'):1.");
  CHECK(error("local function f() return f() + 1 end return f()") ==
        "(error) ERR user_script:1: stack overflow script: -, on @user_script:1.");
  CHECK(error("loadstring('local function f() return f() + 1 end return f()', '')()") ==
        "(error) ERR user_script:1: stack overflow script: -, on @user_script:1.");
  CHECK(error("loadstring(\"error('x') --\" .. ('y'):rep(1e6))()").size() < 3000);
}

TEST_CASE("a reply that cannot be made a value is not the next call's") {
  TestServer server;
  TestClient client(server), other(server);
  const std::string secret(30 << 20, 's');
  REQUIRE(client({"SET", "secret", secret}) == "OK");
  server.state.settings.memory_max = 68 << 20;  // of which the bound of a script derives
  const std::string_view fails = "local k, j = ('x'):rep(22000000), ('y'):rep(22000000) redis.call('get', 'secret')";
  CHECK(client({"EVAL", fails, "0"}).starts_with("(error) ERR not enough memory"));
  CHECK(other({"EVAL", "return redis.call('ping')", "0"}) == "PONG");
  CHECK(client({"EVAL",
                "local k, j = ('x'):rep(22000000), ('y'):rep(22000000) local ok = pcall(redis.call, 'get', 'secret') k = nil "
                "return {tostring(ok), redis.call('ping')}",
                "0"}) == "[false, PONG]");
  server.state.settings.memory_max = 0;
}

TEST_CASE("what a large reply or a call of many words has needed is given back") {
  TestServer server;
  TestClient client(server);
  for (int i = 0; i < 100; i++) client({"RPUSH", "list", std::string(100000, 'x')});
  CHECK(client({"EVAL", "return #redis.call('LRANGE', 'list', 0, -1)", "0"}) == "100");
  CHECK(client({"EVAL", "local t = {} for i = 1, 7000 do t[i] = i end return redis.call('RPUSH', 'numbers', unpack(t))", "0"}) == "7000");
  client({"EVAL", "collectgarbage() collectgarbage() return 1", "0"});
  CHECK(server.state.scripts->figures().eval_vm_bytes < 4 << 20);
}

TEST_CASE("errors that are caught are texts, those of redis.pcall tables") {
  TestServer server;
  TestClient client(server);
  CHECK(client({"EVAL", "local ok, e = pcall(redis.call, 'NOSUCH') return {tostring(ok), e}", "0"}) ==
        "[false, \"ERR Unknown Redis command called from script\"]");
  CHECK(client({"EVAL", "return redis.pcall('NOSUCH')", "0"}) == "(error) ERR Unknown Redis command called from script");
  CHECK(client({"EVAL", "local ok, e = pcall(error, {x = 1}) return e.x", "0"}) == "1");
  CHECK(client({"EVAL", "local _, e = xpcall(function() error({err = 'E x'}) end, function(e) return e.err end) return e", "0"}) ==
        "\"E x\"");
}

TEST_CASE("an error is counted once, for the call or for the script") {
  TestServer server;
  TestClient client(server);
  const auto counts = [&] {
    std::string text;
    for (const auto& [code, count] : server.state.command_stats->errors()) text += code + "=" + std::to_string(count) + " ";
    server.state.command_stats->reset();
    return text;
  };
  client("SET s x");
  client({"EVAL", "return redis.call('LPUSH','s','v')", "0"});
  CHECK(counts() == "WRONGTYPE=1 ");
  client({"EVAL", "return redis.pcall('LPUSH','s','v')", "0"});
  CHECK(counts() == "WRONGTYPE=1 ");
  client({"EVAL", "return {1, {err='NEST ed'}, redis.error_reply('OWN x')}", "0"});
  CHECK(counts() == "NEST=1 OWN=1 ");
  client({"EVAL", "redis.pcall('NOSUCH') return 1", "0"});
  CHECK(counts() == "ERR=1 ");
  client({"EVAL", "return {{err='WORD'}, {err=('x'):rep(40) .. ' y'}}", "0"});
  CHECK(counts() == "ERR=2 ");
  client({"EVAL", "pcall(error, 'x') redis.pcall() return 1", "0"});
  CHECK(counts() == "");
  client({"EVAL", "return redis.call('NOSUCH')", "0"});
  CHECK(counts() == "ERR=1 ");
  const auto& table = server.state.commands;
  const auto& stats = *server.state.command_stats;
  client({"EVAL", "redis.call('SET','k','v') redis.pcall('LPUSH','k','v') redis.pcall('GET') return 1", "0"});
  CHECK(stats[table.find_name("set")->id].calls == 1);
  CHECK(stats[table.find_name("lpush")->id].failed == 1);
  CHECK(stats[table.find_name("get")->id].rejected == 1);
  CHECK(stats[table.find_name("eval")->id].failed == 0);
  client({"EVAL", "return {err='X y'}", "0"});
  CHECK(stats[table.find_name("eval")->id].failed == 1);
}

TEST_CASE("scripts find nothing that could do harm, and can change nothing") {
  TestServer server;
  TestClient client(server);
  CHECK(client({"EVAL", "local r = {} for k in pairs(_G) do r[#r + 1] = k end table.sort(r) return table.concat(r, ' ')", "0"}) ==
        "\"ARGV KEYS _G _VERSION assert bit cjson cmsgpack collectgarbage coroutine error gcinfo "
        "getmetatable ipairs load loadstring math next "
        "os pairs pcall rawequal rawget rawset redis select server setmetatable string struct table tonumber "
        "tostring type unpack xpcall\"");
  CHECK(client({"EVAL", "local r = {} for k in pairs(os) do r[#r + 1] = k end return r", "0"}) == "[clock]");
  CHECK(client({"EVAL", "return {tostring(loadstring(string.dump(function() end))), tostring(loadstring('\\27LJ\\2'))}", "0"}) ==
        "[\"nil\", \"nil\"]");
  for (const std::string_view name :
       {"debug", "ffi", "jit", "io", "package", "require", "dofile", "loadfile", "module", "print", "newproxy", "getfenv", "setfenv"}) {
    CAPTURE(name);
    CHECK(client({"EVAL", "return tostring(rawget(_G,'" + std::string(name) + "'))", "0"}) == "\"nil\"");
    CHECK(client({"EVAL", "return " + std::string(name), "0"}).find("nonexistent global variable") != std::string::npos);
  }
  // Compiled code, whole and torn, by every way in.
  for (const std::string_view script : {"local d = string.dump(function() end) local i = 0 "
                                        "return tostring(load(function() i = i + 1 return i <= #d and d:sub(i,i) or nil end))",
                                        "return tostring(loadstring('\\27Lua'))"})
    CHECK(client({"EVAL", script, "0"}) == "\"nil\"");
  CHECK(client({"EVAL", "\x1bLJ\x02", "0"}).starts_with("(error) ERR Error compiling script"));
  // Nothing runs when garbage is collected, and nobody can switch that off.
  client({"EVAL",
          "setmetatable({}, {__gc=function() redis.call('SET','gc','1') end}) collectgarbage() "
          "collectgarbage('stop') collectgarbage('setpause',1000)",
          "0"});
  CHECK(client("EXISTS gc") == "0");
  // What one script does to what it is given is not seen by the next.
  client({"EVAL",
          "KEYS.x = 1 ARGV.y = 1 setmetatable(KEYS, {__index=function() return 'z' end}) local m = "
          "getmetatable('') m.__index = nil",
          "0"});
  CHECK(client({"EVAL", "return {tostring(KEYS.x), tostring(ARGV.y), tostring(getmetatable(KEYS)), ('a'):upper()}", "0"}) ==
        "[\"nil\", \"nil\", \"nil\", A]");
  for (const std::string_view script : {"_G.x = 1",
                                        "redis.call = 1",
                                        "string.find = 1",
                                        "getmetatable('').__index = 1",
                                        "getmetatable(_G).__index = 1",
                                        "rawset(_G, 'x', 1)",
                                        "setmetatable(_G, {})",
                                        "setmetatable(string, {})",
                                        "table.insert(string, 1)",
                                        "table.remove(redis)",
                                        "rawset(redis, 'call', tostring)",
                                        "rawset(cjson, 'null', 1)",
                                        "redis.x = 1",
                                        "server.call = 1",
                                        "bit.band = 1",
                                        "struct.pack = nil",
                                        "cmsgpack.pack = nil",
                                        "coroutine.wrap = nil",
                                        "os.clock = nil",
                                        "_G._G = {}",
                                        "_G.redis = nil",
                                        "setmetatable(getmetatable(''), {})",
                                        "rawset(getmetatable(''), '__index', {})",
                                        "rawset(getmetatable(_G), '__index', {})",
                                        "table.sort(math)",
                                        "KEYS = {}",
                                        "cjson.encode = 1",
                                        "local f, t = pairs(string) t.find = 1",
                                        "for k, v in next, math do math[k] = nil end",
                                        "local _ = nil; string['rep'] = nil"}) {
    CAPTURE(script);
    const std::string reply = client({"EVAL", script, "0"});
    CHECK(reply.find("Attempt to modify a readonly table") != std::string::npos);
  }
  CHECK(client({"EVAL", "return {('x'):rep(2), string.find('ab', 'b'), tostring(rawget(_G, 'nope'))}", "0"}) == "[xx, 2, \"nil\"]");
  CHECK(client({"EVAL", "return tostring(getmetatable(redis))", "0"}) == "\"nil\"");
}

TEST_CASE("commands that scripts may not call") {
  TestServer server;
  TestClient client(server);
  for (const std::string_view words :
       {"'EVAL','return 1','0'", "'MULTI'", "'SUBSCRIBE','c'", "'CONFIG','GET','port'", "'CLIENT','ID'", "'SCRIPT','KILL'",
        "'FUNCTION','LIST'", "'FCALL','f','0'", "'DEBUG','SLEEP','0'", "'SHUTDOWN'", "'AUTH','x'"}) {
    CAPTURE(words);
    CHECK(client({"EVAL", "return redis.call(" + std::string(words) + ")", "0"})
              .starts_with("(error) ERR This Redis command is not allowed from script script: "));
  }
  CHECK(client({"EVAL", "return redis.call('OBJECT','nosuch')", "0"}).starts_with("(error) ERR Unknown Redis command called from script"));
  CHECK(client({"EVAL", "return redis.call('BLMOVE','a','b','LEFT','LEFT',0)", "0"}) == "nil");
}

TEST_CASE("EVAL_RO and scripts that declare no-writes only read") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  CHECK(client({"EVAL_RO", "return redis.call('GET','k')", "0"}) == "v");
  for (const std::string_view words : {"'SET','k','w'", "'PFCOUNT','hll'", "'PUBLISH','c','m'"})
    CHECK(client({"EVAL_RO", "return redis.call(" + std::string(words) + ")", "0"})
              .starts_with("(error) ERR Write commands are not allowed from read-only scripts."));
  CHECK(client({"EVAL_RO", "#!lua\nreturn 1", "0"}) == "(error) ERR Can not execute a script with write flag using *_ro command.");
  CHECK(client({"EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"}) == "1");
  CHECK(client("GET k") == "v");
}

TEST_CASE("what a script writes is one unit of effects") {
  TestServer server;
  TestClient client(server);
  RecordedEffects& effects = server.effects();
  client({"EVAL", "redis.call('SET','a','1') redis.call('INCR','a') redis.call('GET','a') return 1", "0"});
  CHECK(effects.take() == "{SET a 1; INCR a}");
  client({"EVAL", "return redis.call('SET','a','1')", "0"});
  CHECK(effects.take() == "SET a 1");
  client({"EVAL", "redis.call('SELECT',3) redis.call('SET','b','1') return redis.call('GET','b')", "0"});
  CHECK(effects.take() == "3:SET b 1");
  CHECK(client("EXISTS b") == "0");  // the database is the script's
  client({"EVAL", "redis.call('SET','a','1') error('x')", "0"});
  CHECK(effects.take() == "SET a 1");
  client("MULTI");
  client("SET m 1");
  client({"EVAL", "redis.call('INCR','m') redis.call('INCR','m')", "0"});
  CHECK(client("EXEC") == "[OK, nil]");
  CHECK(effects.take() == "{SET m 1; INCR m; INCR m}");
}

TEST_CASE("redis.set_repl decides who learns of an effect, but not of expiries") {
  TestServer server;
  TestClient client(server);
  struct Audience final : EffectSink {
    std::string text;
    void on_effects(const EffectBatch& batch) override {
      for (size_t i = 0; i < batch.size(); i++)
        text += std::string(batch[i].argv[0]) + std::string(batch[i].argv[1]) +
                (batch[i].replicas_only ? " replicas"
                 : batch[i].log_only    ? " log"
                                        : " all") +
                "; ";
    }
  } audience;
  client("SET gone x PX 10");
  server.state.effect_sinks.push_back(&audience);
  server.advance_ms(20);
  client({"EVAL",
          "redis.call('SET','a','1') redis.set_repl(redis.REPL_AOF) redis.call('SET','b','1') "
          "redis.set_repl(redis.REPL_REPLICA) "
          "redis.call('SET','c','1') redis.set_repl(redis.REPL_NONE) redis.call('SET','d','1') "
          "redis.call('GET','gone') "
          "redis.set_repl(redis.REPL_ALL) redis.call('SET','e','1')",
          "0"});
  CHECK(audience.text == "SETa all; SETb log; SETc replicas; DELgone all; SETe all; ");
  server.state.effect_sinks.clear();
}

TEST_CASE("the cache of scripts") {
  TestServer server;
  TestClient client(server);
  const std::string one = digest_of("return 1");
  CHECK(client({"EVALSHA", one, "0"}) == "(error) NOSCRIPT No matching script. Please use EVAL.");
  CHECK(client({"SCRIPT", "LOAD", "return 1"}) == one);
  CHECK(client({"EVALSHA", one, "0"}) == "1");
  CHECK(client({"EVALSHA", to_upper(one), "0"}) == "1");
  CHECK(client({"SCRIPT", "SHOW", one}) == "\"return 1\"");
  CHECK(client({"SCRIPT", "EXISTS", one, "x"}) == "[1, 0]");
  SUBCASE("what came by EVAL makes room for others, what was loaded stays") {
    client({"EVAL", "return 'first'", "0"});
    const std::string first = digest_of("return 'first'");
    for (int i = 0; i < 499; i++) client({"EVAL", "return " + std::to_string(i + 1000), "0"});
    CHECK(client({"EVALSHA", first, "0"}) == "first");  // now it is the last to go
    for (int i = 0; i < 10; i++) client({"EVAL", "return " + std::to_string(i), "0"});
    CHECK(client({"SCRIPT", "EXISTS", one, first, digest_of("return 1000")}) == "[1, 1, 0]");
    CHECK(server.state.scripts->figures().scripts == 501);
    CHECK(server.state.scripts->figures().evicted_scripts == 9);
  }
  SUBCASE("a flush leaves nothing") {
    for (const std::string_view flush : {"SCRIPT FLUSH", "SCRIPT FLUSH ASYNC", "SCRIPT FLUSH sync"}) {
      client({"SCRIPT", "LOAD", "return 1"});
      CHECK(client(flush) == "OK");
      CHECK(client({"SCRIPT", "EXISTS", one}) == "[0]");
    }
    CHECK(server.state.scripts->figures().eval_vm_bytes == 0);
    CHECK(client("SCRIPT FLUSH now") == "(error) ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  }
  CHECK(client("SCRIPT DEBUG NO") == "OK");
  CHECK(client("SCRIPT DEBUG YES") == "(error) ERR There is no debugger for scripts in this server");
}

TEST_CASE("over the memory limit a script may not write more, once it has not begun to") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  server.state.settings.memory_max = 1;
  const std::string_view write = "return redis.call('SET','k','w')";
  CHECK(client({"EVAL", write, "0"}) == "(error) OOM command not allowed when used memory > 'maxmemory'." + on_line(write, 1));
  CHECK(client({"EVAL", "return redis.call('GET','k')", "0"}) == "v");
  CHECK(client({"EVAL", "redis.call('DEL','none') return redis.call('SET','k','w')", "0"}) == "OK");
  CHECK(client({"EVAL", "#!lua\nreturn 1", "0"}) == "(error) OOM command not allowed when used memory > 'maxmemory'.");
  CHECK(client({"EVAL", "#!lua flags=no-writes\nreturn 1", "0"}) == "1");
  CHECK(client({"EVAL", "#!lua flags=allow-oom\nreturn redis.call('SET','k','x')", "0"}) == "OK");
  server.state.settings.memory_max = 0;
}

TEST_CASE("a replica's scripts only read") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  server.replication.follow("127.0.0.1", 1);
  const std::string_view write = "return redis.call('SET','k','w')";
  CHECK(client({"EVAL", write, "0"}) == "(error) READONLY You can't write against a read only replica." + on_line(write, 1));
  CHECK(client({"EVAL", "#!lua\nreturn 1", "0"}) == "(error) READONLY You can't write against a read only replica.");
  CHECK(client({"EVAL", "#!lua flags=no-writes\nreturn redis.call('GET','k')", "0"}) == "v");
  server.state.settings.replication.serve_stale_data = false;
  server.replication.apply_settings();
  CHECK(client({"EVAL", "return 1", "0"}).starts_with("(error) MASTERDOWN"));
  CHECK(client({"EVAL", "#!lua flags=no-writes\nreturn 1", "0"}).starts_with("(error) MASTERDOWN"));
  CHECK(client({"EVAL", "#!lua flags=no-writes,allow-stale\nreturn 1", "0"}) == "1");
  CHECK(
      client({"EVAL", "#!lua flags=no-writes,allow-stale\nreturn redis.call('GET','k')", "0"}).starts_with("(error) ERR Can not execute"));
  CHECK(client({"EVAL", "#!lua flags=no-writes,allow-stale\nreturn redis.call('INFO','replication')", "0"}).starts_with("\"# Replication"));
  server.replication.promote();
}

TEST_CASE("MONITOR shows a script's calls behind it, the slow log only the script") {
  TestServer server;
  TestClient client(server), monitor(server);
  server.state.settings.slow_log_threshold_us = 0;
  monitor("MONITOR");
  client({"EVAL", "return redis.call('SET',KEYS[1],'v')", "1", "k"});
  const std::string seen = monitor.pending();
  const size_t script = seen.find("\\\"EVAL\\\""), call = seen.find("lua] \\\"SET\\\" \\\"k\\\" \\\"v\\\"");
  CHECK(script != std::string::npos);
  CHECK(call != std::string::npos);
  CHECK(script < call);
  CHECK(seen.find("\\\"SET\\\"", call + 12) == std::string::npos);
  const std::string log = client("SLOWLOG GET 10");
  CHECK(log.find("EVAL") != std::string::npos);
  CHECK(log.find("[SET") == std::string::npos);
}

TEST_CASE("when a script reads, its client has read the keys that it has named") {
  TestServer server;
  TestClient client(server), other(server);
  client("HELLO 3");
  client("SET k v");
  client("CLIENT TRACKING ON");
  client({"EVAL", "return redis.call('GET','k')", "2", "declared", "too"});
  other("SET k w");
  CHECK(client.pending() == "");
  other("SET declared x");
  CHECK(client.pending() == "[invalidate, [declared]]");
  other("SET too x");
  CHECK(client.pending() == "[invalidate, [too]]");
  client({"EVAL", "return redis.call('SET','x','1')", "1", "k"});
  client({"EVAL_RO", "return 1", "1", "k"});
  other("SET k v");
  CHECK(client.pending() == "");
  client("MULTI");
  client({"EVAL_RO", "return redis.call('GET',KEYS[1])", "1", "k"});
  CHECK(client("EXEC") == "[v]");
  other("SET k w");
  CHECK(client.pending() == "[invalidate, [k]]");
  client("CLIENT TRACKING OFF");
  client("CLIENT TRACKING ON NOLOOP");
  client({"EVAL", "redis.call('GET','k') return redis.call('SET','k','mine')", "1", "k"});
  CHECK(client.pending() == "");
}

TEST_CASE("a script sees one moment") {
  TestServer server;
  TestClient client(server);
  server.clock.us_per_look = 1000;
  CHECK(client({"EVAL",
                "local a = redis.call('TIME') for i = 1, 1000 do redis.call('PING') end local b = "
                "redis.call('TIME') return a[1] == b[1] and a[2] == b[2]",
                "0"}) == "1");
}

TEST_CASE("numbers in JSON, short and long ones") {
  TestServer server;
  TestClient client(server);
  const auto eval = [&](std::string_view script) { return client({"EVAL", script, "0"}); };
  CHECK(eval("return cjson.encode({99999999999999, 1e14, -99999999999999, -1e14, -5, 0, 0.5, 1e13, 2^53})") ==
        "\"[99999999999999,1e+14,-99999999999999,-1e+14,-5,0,0.5,10000000000000,9.007199254741e+15]\"");
  CHECK(eval("cjson.encode_number_precision(3) local r = cjson.encode({999, 1000, 1234, -999, 12.345, -0}) "
             "cjson.encode_number_precision(14) return r") == "\"[999,1e+03,1.23e+03,-999,12.3,-0]\"");
  CHECK(eval("local t = cjson.decode('[-0,123456789012345,1234567890123456,12.5,1e3,007,0x10,-7,15E1,+1]') "
             "for i = 1, #t do t[i] = ('%.17g'):format(t[i]) end return table.concat(t, ' ')") ==
        "\"-0 123456789012345 1234567890123456 12.5 1000 7 16 -7 150 1\"");
  CHECK(eval("return select(2, pcall(cjson.decode, '[12a]'))") == "\"Expected comma or array end but found invalid token at character 4\"");
  CHECK(eval("cjson.decode_invalid_numbers(false) local _, a = pcall(cjson.decode, '+1') local _, b = "
             "pcall(cjson.decode, '[01]') "
             "cjson.decode_invalid_numbers(true) return {a, b}") ==
        "[\"Expected value but found invalid token at character 1\", \"Expected value but found invalid "
        "number at character 2\"]");
  CHECK(eval("return select(2, pcall(cjson.decode, (' ['):rep(1001)))") ==
        "\"Found too many nested data structures (1001) at character 2002\"");
}

TEST_CASE("calls one within the other without end are an error, by whatever way they go") {
  TestServer server;
  TestClient client(server);
  for (const std::string_view body :
       {"return f()+1", "return (('x'):gsub('x',f))", "coroutine.wrap(f)()",
        "local ok,e = coroutine.resume(coroutine.create(f)) if not ok then error(e,0) end",
        "local ok,e = pcall(f) if not ok then error(e,0) end", "table.sort({1,2,3},f)", "load(f)",
        "coroutine.wrap(function() return (('x'):gsub('x',f)) end)()", "string.format('%s',setmetatable({},{__tostring=f}))",
        "tostring(setmetatable({},{__tostring=f}))",
        "string.format('%s',setmetatable({},{__tostring=function() coroutine.wrap(f)() return 'x' end}))",
        "return setmetatable({},{__index=f}).x + 1", "return (('x'):gsub('x',setmetatable({},{__index=f})))",
        "return setmetatable({},{__eq=f}) + f()", "table.sort({setmetatable({},{__lt=f}),setmetatable({},{__lt=f})})",
        "return cjson.encode(setmetatable({},{__index=f})) .. f()"}) {
    CAPTURE(body);
    const std::string reply = client({"EVAL", "local function f() " + std::string(body) + " end return f()", "0"});
    CHECK(reply.starts_with("(error) "));
    CHECK(client("PING") == "PONG");
  }
  CHECK(client({"EVAL",
                "local function f(n) if n == 0 then return 'deep' end return coroutine.wrap(f)(n-1) end "
                "return f(100)",
                "0"}) == "deep");
}

TEST_CASE("coroutines") {
  TestServer server;
  TestClient client(server);
  const auto eval = [&](std::string_view script) { return client({"EVAL", script, "0"}); };
  CHECK(eval("local c = coroutine.wrap(function(a,b) local x,y = coroutine.yield(a+b) return x,y,7 end) "
             "return {c(1,2), c('y','z')}") == "[3, y, z, 7]");
  CHECK(eval("local c = coroutine.create(function(a) coroutine.yield(redis.call('ECHO',a)) error('end',0) end) "
             "local r = {coroutine.resume(c,'x')} r[3] = coroutine.status(c) r[4], r[5] = coroutine.resume(c) "
             "r[4] = tostring(r[4]) "
             "r[6] = coroutine.status(c) r[7] = select(2,coroutine.resume(c)) return r") ==
        "[1, x, suspended, false, end, dead, \"cannot resume dead coroutine\"]");
  CHECK(eval("local c c = coroutine.create(function() return select(2,coroutine.resume(c)) end) return "
             "select(2,coroutine.resume(c))") == "\"cannot resume running coroutine\"");
  CHECK(eval("local a a = coroutine.create(function() local b = coroutine.wrap(function() return "
             "select(2,coroutine.resume(a)) end) return b() end) "
             "return select(2,coroutine.resume(a))") == "\"cannot resume normal coroutine\"");
  const std::string_view failing = "coroutine.wrap(function() error('x') end)()";
  CHECK(eval(failing) == "(error) ERR user_script:1: user_script:1: x" + on_line(failing, 1));
  const std::string_view own = "coroutine.wrap(function() redis.call('NOSUCH') end)()";
  CHECK(eval(own) == "(error) ERR Unknown Redis command called from script" + on_line(own, 1));
  CHECK(eval("return coroutine.yield(1)").find("attempt to yield across C-call boundary") != std::string::npos);
  CHECK(eval("return coroutine.resume(1)").find("coroutine expected") != std::string::npos);
  CHECK(eval("return coroutine.wrap(1)").find("Lua function expected") != std::string::npos);
}

TEST_CASE("an error whose fields come from a metatable, or fail in turn") {
  TestServer server;
  TestClient client(server);
  const std::string_view given = "error(setmetatable({}, {__index={err='MY x'}}))",
                         failing = "error(setmetatable({}, {__index=function() error('y') end}))";
  CHECK(client({"EVAL", given, "0"}) == "(error) MY x" + on_line(given, 1));
  CHECK(client({"EVAL", failing, "0"}) == "(error) ERR the script raised an error without a text" + on_line(failing, 1));
}

TEST_CASE("a script cannot use up the memory") {
  TestServer server;
  TestClient client(server);
  client("SET k v");
  server.state.settings.memory_max = 256 << 20;  // of which the bound of a script derives
  for (const std::string_view script :
       {"local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end", "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1e9)", "return ('x'):rep(2^40)", "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local s = ('x'):rep(1e6) local t = {} for i = 1, 1e5 do t[i] = s end return cjson.encode(t)",
        "local s = ('x'):rep(1e6) local t = {} for i = 1, 1e5 do t[i] = s end return cmsgpack.pack(t)",
        "local s = ('x'):rep(1e6) local t = {} for i = 1, 1e5 do t[i] = s end return table.concat(t)",
        "return ('x'):rep(1e6):gsub('x', ('y'):rep(1e4))", "local s = ('x'):rep(1e6) local t = {} for i = 1, 1e5 do t[i] = s end return t",
        "local s = {ok=('x'):rep(1e6)} local t = {} for i = 1, 1e5 do t[i] = s end return t",
        "local s = {verbatim_string={format='txt',string=('x'):rep(1e6)}} local t = {} for i = 1, 1e5 do "
        "t[i] = s end return t",
        "error(('x'):rep(1e8))"}) {
    CAPTURE(script);
    CHECK(client({"EVAL", script, "0"}).starts_with("(error) "));
    CHECK(client("GET k") == "v");
    CHECK(server.state.scripts->figures().eval_vm_bytes < 32 << 20);
  }
  CHECK(client({"EVAL", "local ok = pcall(string.rep, 'x', 1e9) return {tostring(ok), #('x'):rep(1e6)}", "0"}) == "[false, 1000000]");
  server.state.settings.memory_max = 0;
}

TEST_CASE("what is too complex is an error") {
  TestServer server;
  TestClient client(server);
  CHECK(client({"EVAL", "return ('x'):find(('x-'):rep(2^21))", "0"}).find("pattern too complex") != std::string::npos);
  CHECK(client({"EVAL", std::string(2 << 20, ';'), "0"}).find("chunk is too large") != std::string::npos);
  CHECK(client({"EVAL", "return " + std::string(100000, '(') + "1" + std::string(100000, ')'), "0"})
            .starts_with("(error) ERR Error compiling script"));
  CHECK(client({"EVAL", "return select(2, pcall(unpack, {}, 1, 1e7))", "0"}) == "\"too many results to unpack\"");
  CHECK(client({"EVAL", "return #(('abc'):rep(1000)):gsub('b', ('y'):rep(10))", "0"}) == "12000");
  // The sorting of many without a function of the script's own, and what stands in its way.
  CHECK(client({"EVAL",
                "local t = {} for i = 1, 5000 do t[i] = (i * 7919) % 5003 end table.sort(t) for i = 2, #t do "
                "if t[i - 1] > t[i] then return i end end return 'sorted'",
                "0"}) == "sorted");
  CHECK(client({"EVAL", "local t = {} for i = 1, 5000 do t[i] = i end t[2500] = 'x' table.sort(t)", "0"}).find("attempt to compare") !=
        std::string::npos);
}

TEST_CASE("what its caller may do is asked before each call of a script") {
  TestServer server;
  TestClient admin(server), client(server);
  REQUIRE(admin("ACL SETUSER u on nopass ~k* &c* +eval +get +set +publish") == "OK");
  REQUIRE(client("AUTH u any") == "OK");
  const auto refused = [&](std::string_view script, const std::string& why) {
    CAPTURE(script);
    CHECK(client({"EVAL", script, "0"}) == "(error) ERR The user executing the script " + why + on_line(script, 1));
  };
  refused("return redis.call('LPUSH','k','v')", "can't run this command or subcommand");
  refused("return redis.call('GET','x')", "can't access at least one of the keys mentioned in the command arguments");
  refused("return redis.call('PUBLISH','x','y')", "can't publish to the channel mentioned in the command");
  CHECK(client({"EVAL", "return redis.call('SET','k','v')", "0"}) == "OK");
  CHECK(client({"EVAL", "return {redis.acl_check_cmd('GET','k'), redis.acl_check_cmd('GET','x')}", "0"}) == "[1, nil]");
  CHECK(client({"EVAL", "return redis.acl_check_cmd('NOSUCH')", "0"})
            .starts_with("(error) ERR Invalid command passed to redis.acl_check_cmd()"));
  for (const std::string_view container : {"CONFIG", "OBJECT", "XGROUP"})
    CHECK(admin({"EVAL", "return redis.acl_check_cmd(ARGV[1], 'nosuch')", "0", container})
              .starts_with("(error) ERR Invalid command passed to redis.acl_check_cmd()"));
  CHECK(admin({"EVAL", "return {redis.acl_check_cmd('CONFIG'), redis.acl_check_cmd('CONFIG', 'help')}", "0"}) == "[1, 1]");
  const std::string log = admin("ACL LOG");
  CHECK(log.find("command, context, lua, object, lpush, username, u") != std::string::npos);
  CHECK(log.find("channel, context, lua, object, x") != std::string::npos);
  CHECK(log.find("key, context, lua, object, x") != std::string::npos);
  CHECK(admin({"EVAL", "return redis.call('GET','x')", "0"}) == "nil");
}

TEST_CASE("redis.acl_check_cmd judges a request of any number of words") {
  TestServer server;
  TestClient admin(server), client(server);
  REQUIRE(admin("ACL SETUSER u reset on nopass +@all ~b* &b*") == "OK");
  REQUIRE(client("AUTH u any") == "OK");
  CHECK(client({"EVAL",
                "local names, judged = redis.call('COMMAND', 'LIST'), 0 for _, name in ipairs(names) do local words = {} for word in "
                "name:gmatch('[^|]+') do words[#words + 1] = word end for i = 1, 12 do "
                "local ok, r = pcall(redis.acl_check_cmd, unpack(words)) if ok and type(r) ~= 'boolean' or not ok and r ~= 'ERR "
                "Invalid command passed to redis.acl_check_cmd()' then return name end judged = judged + 1 "
                "words[#words + 1] = 'a' end end return judged == 12 * #names and #names > 200",
                "0"}) == "1");
  // What does not fit its command is refused by the command itself, so nobody asks for its keys.
  CHECK(client({"EVAL", "return {redis.acl_check_cmd('GET'), redis.acl_check_cmd('GET', 'a', 'a'), redis.acl_check_cmd('PUBLISH')}",
                "0"}) == "[1, 1, 1]");
  REQUIRE(admin("ACL SETUSER u -get") == "OK");
  CHECK(client({"EVAL", "return redis.acl_check_cmd('GET')", "0"}) == "nil");
}

TEST_CASE("quoted texts are those of Lua 5.1") {
  TestServer server;
  TestClient client(server);
  const auto eval = [&](std::string_view script) { return client({"EVAL", script, "0"}); };
  CHECK(eval("return '\\/\\-\\%'") == "/-%");
  CHECK(eval("return (('a.b'):gsub('\\.', 'x'))") == "xxx");
  CHECK(eval("return {'\\x41', '\\z  a', \"\\u{48}\", '\\65\\'', '\\\\x'}") == "[x41, \"z  a\", u{48}, \"A'\", \"\\\\x\"]");
  CHECK(eval("return #'a\\\nb' + #'a\\\r\nb'") == "6");
  CHECK(eval("return [[\\x]]") == "\"\\\\x\"");
  CHECK(eval("local s = '\\-' x x") == "(error) ERR Error compiling script (new function): user_script:1: '=' expected near 'x'");
}

TEST_CASE("a script cannot take away what it runs on") {
  TestServer server;
  TestClient client(server);
  server.state.scripts->allows_all = true;
  const std::string_view library = "#!lua name=l\nredis.register_function('f', function(keys, args) return redis.call(unpack(args)) end)";
  REQUIRE(client({"FUNCTION", "LOAD", library}) == "l");
  CHECK(client({"EVAL", "return redis.call('SCRIPT', 'FLUSH')", "0"}).starts_with("(error) ERR SCRIPT FLUSH cannot be called by a script"));
  for (const std::string_view words : {"FUNCTION FLUSH", "FUNCTION DELETE l", "FUNCTION RESTORE payload", "FUNCTION LOAD REPLACE code"})
    CHECK(client("FCALL f 0 " + std::string(words)).starts_with("(error) ERR Libraries cannot be changed by a script"));
  CHECK(client("FCALL f 0 PING") == "PONG");
  CHECK(client("SCRIPT FLUSH") == "OK");
  CHECK(client("FUNCTION FLUSH") == "OK");
}

TEST_CASE("functions of the libraries that are not quite the interpreter's own") {
  TestServer server;
  TestClient client(server);
  const auto eval = [&](std::string_view script) { return client({"EVAL", script, "0"}); };
  CHECK(eval("return {math.floor(-1.5), math.ceil(1.2), math.floor('3.7')}") == "[-2, 2, 3]");
  for (const std::string_view name : {"floor", "ceil", "sqrt", "abs", "exp", "log", "sin", "modf", "frexp"}) {
    CAPTURE(name);
    CHECK(eval("local x = math." + std::string(name) + "() return x")
              .starts_with("(error) ERR user_script:1: bad argument #1 to '" + std::string(name) + "' (number expected, got no value)"));
  }
  CHECK(eval("return cjson.encode_max_depth('x')").starts_with("(error) ERR user_script:1: bad argument #1 to 'encode_max_depth' ("));
  CHECK(eval("return {xpcall(function(...) return select('#', ...) end, function(e) return e end, 1, 2)}") == "[1, 0]");
  CHECK(eval("return {xpcall(function() error('x', 0) end, function(e) return e .. '!' end)}") == "[nil, x!]");
  CHECK(eval("local x = xpcall(1)").starts_with("(error) ERR user_script:1: bad argument #2 to 'xpcall' (value expected)"));
  CHECK(eval("local n = 0 table.foreach(_G, function(k, v) if k == 'redis' then n = n + 1 end end) return n") == "1");
  CHECK(eval("return table.foreach({a = 1}, function(k, v) return k .. v end)") == "a1");
  CHECK(
      eval(
          "return {table.concat({'a', 1.5, 2^60}), table.concat({1, 2, 3}, ', ', 2), table.concat({}, 'x'), table.concat({1, 2, 3}, '-', 2, 2)}") ==
      "[a1.51.1529215046068e+18, \"2, 3\", \"\", 2]");
  CHECK(eval("return table.concat({1, {}})")
            .starts_with("(error) ERR user_script:1: invalid value (table) at index 2 in table for 'concat'"));
  CHECK(eval("return table.concat({1}, {})")
            .starts_with("(error) ERR user_script:1: bad argument #2 to 'concat' (string expected, got table)"));
  CHECK(eval("return {table.maxn({[5.5] = 1}), table.maxn({1, 2, nil, 4}), table.maxn({a = 1})}") == "[5, 4, 0]");
  CHECK(eval("return {('aZ\\195'):upper():byte(1, -1)}") == "[65, 90, 195]");
  CHECK(eval("return {('aZ[@`{'):lower(), ('abc'):reverse(), (''):reverse()}") == "[\"az[@`{\", cba, \"\"]");
  CHECK(eval("return string.upper({})").starts_with("(error) ERR user_script:1: bad argument #1 to 'upper' (string expected, got table)"));
  CHECK(eval("local t = {3, 1, 2} table.sort(t, math.max) return #t") == "3");
  CHECK(eval("return {struct.unpack('i0', '')}") == "[0, 1]");
  CHECK(eval("return {struct.unpack('', 'abc', -1)}") == "[-1]");
  for (const std::string_view format : {"b", "x", ">", "s", "c0"})
    CHECK(eval("local x = struct.unpack('" + std::string(format) + "', 'abc', -5)")
              .starts_with("(error) ERR user_script:1: bad argument #2 to 'unpack' (data string too short)"));
  CHECK(eval("return tostring(cmsgpack.unpack('\\207' .. ('\\255'):rep(8)))") == "-1");
  CHECK(eval("return cjson.decode('\"' .. ('xy'):rep(100000) .. '\\\\n\"') == ('xy'):rep(100000) .. '\\n'") == "1");
  CHECK(eval("return cjson.encode(('xy'):rep(100000) .. '\\n') == '\"' .. ('xy'):rep(100000) .. '\\\\n\"'") == "1");
  CHECK(eval("return cjson.decode((' '):rep(200000) .. '[1]' .. (' '):rep(200000))") == "[1]");
}

}  // namespace
}  // namespace vedette::testing
