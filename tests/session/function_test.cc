// Libraries and functions: loading, calling, what of them is replicated, kept and restored.
#include <doctest/doctest.h>

#include <string>

#include "common/base/block_log.h"
#include "server/execution/dataset_loader.h"
#include "server/snapshot/rdb_writer.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

std::string library(std::string_view name, std::string_view body) { return "#!lua name=" + std::string(name) + "\n" + std::string(body); }

std::string load(TestClient& client, std::string_view name, std::string_view body) {
  return client({"FUNCTION", "LOAD", library(name, body)});
}

TEST_CASE("a library registers its functions") {
  TestServer server;
  TestClient client(server);
  CHECK(
      load(
          client, "lib",
          "redis.register_function('f', function(keys, args) return {keys, args} end)\n"
          "redis.register_function{function_name='g', callback=function() return 'g' end, flags={'no-writes','allow-stale'}, description='of g'}") ==
      "lib");
  CHECK(client("FCALL f 1 a b c") == "[[a], [b, c]]");
  CHECK(client("FCALL F 0") == "[[], []]");
  CHECK(client("FCALL_RO g 0") == "g");
  CHECK(
      client("FUNCTION LIST") ==
      "[[library_name, lib, engine, LUA, functions, [[name, f, description, nil, flags, []], [name, g, description, \"of g\", flags, [no-writes, "
      "allow-stale]]]]]");
  CHECK(client("FUNCTION LIST LIBRARYNAME L*").starts_with("[[library_name, lib"));
  CHECK(client("FUNCTION LIST LIBRARYNAME x") == "[]");
  CHECK(client("FUNCTION LIST LIBRARYNAME") == "(error) ERR library name argument was not given");
  CHECK(client("FUNCTION LIST x") == "(error) ERR Unknown argument x");
  CHECK(client("FUNCTION LIST WITHCODE").find("library_code, \"#!lua name=lib\\nredis.register_function('f'") != std::string::npos);
  CHECK(client("FUNCTION STATS") == "[running_script, nil, engines, [LUA, [libraries_count, 1, functions_count, 2]]]");
  CHECK(client("FUNCTION DELETE lib") == "OK");
  CHECK(client("FCALL f 0") == "(error) ERR Function not found");
}

TEST_CASE("what is wrong with a library is told, and then nothing has changed") {
  TestServer server;
  TestClient client(server);
  load(client, "lib", "redis.register_function('f', function() return 1 end)");
  struct Row {
    std::string_view body, error;
  };
  constexpr Row kRows[] = {
      {"return 1", "ERR No functions registered"},
      {"x x", "ERR Error compiling function: user_function:2: '=' expected near 'x'"},
      {"redis.register_function('f', function() end)", "ERR Function f already exists"},
      {"redis.register_function('g', 'x')",
       "ERR Error registering functions: ERR second argument to redis.register_function must be a function"},
      {"redis.register_function('g')", "ERR Error registering functions: ERR calling redis.register_function with a single argument"},
      {"redis.register_function()", "ERR Error registering functions: ERR wrong number of arguments to redis.register_function"},
      {"redis.register_function{}", "ERR Error registering functions: ERR redis.register_function must get a function name argument"},
      {"redis.register_function{function_name='g'}",
       "ERR Error registering functions: ERR redis.register_function must get a callback argument"},
      {"redis.register_function{function_name='g', callback=function() end, flags={'x'}}",
       "ERR Error registering functions: ERR unknown flag given"},
      {"redis.register_function{function_name='g', callback=function() end, x=1}",
       "ERR Error registering functions: ERR unknown argument given to redis.register_function"},
      {"redis.register_function('a b', function() end)", "ERR Error registering functions: ERR Library names can only contain letters"},
      {"redis.register_function('g', function() end) redis.register_function('g', function() end)",
       "ERR Error registering functions: ERR Function already exists in the library"},
      {"redis.call('SET', 'k', 'v')",
       "ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global variable 'call'"},
      {"local t = string",
       "ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global variable 'string'"},
      {"x = 1", "ERR Error registering functions: ERR user_function:2: Attempt to modify a readonly table"},
      {"redis.register_function('g', function() end)\nredis.x = 1",
       "ERR Error registering functions: ERR user_function:3: Attempt to modify a readonly table"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.body);
    CHECK(load(client, "other", row.body).starts_with("(error) " + std::string(row.error)));
    CHECK(client("FUNCTION LIST") == "[[library_name, lib, engine, LUA, functions, [[name, f, description, nil, flags, []]]]]");
    CHECK(client("FCALL f 0") == "1");
  }
  CHECK(client({"FUNCTION", "LOAD", "REPLACE", library("lib", "x x")}).starts_with("(error) ERR Error compiling function"));
  CHECK(client("FCALL f 0") == "1");
  CHECK(client({"FUNCTION", "LOAD", "x", "y"}) == "(error) ERR Unknown option given: x");
  CHECK(client({"FUNCTION", "LOAD", "return 1"}) == "(error) ERR Missing library metadata");
  CHECK(client({"FUNCTION", "LOAD", "#!js name=x\n"}) == "(error) ERR Engine 'js' not found");
  CHECK(load(client, "lib", "redis.register_function('g', function() end)") == "(error) ERR Library 'lib' already exists");
}

TEST_CASE("a library that does not come to an end is not loaded") {
  TestServer server;
  TestClient client(server);
  server.clock.us_per_look = 1000;
  CHECK(load(client, "lib", "redis.register_function('f', function() end) while true do end") ==
        "(error) ERR Error registering functions: ERR FUNCTION LOAD timeout");
  CHECK(client("FUNCTION LIST") == "[]");
}

TEST_CASE("a library that was accepted once is loaded again however long it takes") {
  TestServer server;
  TestClient client(server), stream(server);
  stream.session.set(kReplaying);
  server.clock.us_per_look = 100000;
  const std::string_view code = "#!lua name=l\nfor i = 1, 1e5 do end redis.register_function('f', function() return 1 end)";
  REQUIRE(client({"FUNCTION", "LOAD", code}).find("FUNCTION LOAD timeout") != std::string::npos);
  stream.send(request_bytes({"FUNCTION", "LOAD", code}));
  CHECK(client("FCALL f 0") == "1");
  CHECK(client("FUNCTION FLUSH") == "OK");
  CHECK(server.state.scripts->load_library(code, false));
  CHECK(client("FCALL f 0") == "1");
  auto libraries = server.state.scripts->empty_libraries();
  CHECK(libraries->load(code));
}

TEST_CASE("REPLACE takes a library's place, with what its functions had kept") {
  TestServer server;
  TestClient client(server);
  load(client, "lib", "local n = 0 redis.register_function('count', function() n = n + 1 return n end)");
  client("FCALL count 0");
  CHECK(client("FCALL count 0") == "2");
  CHECK(client({"FUNCTION", "LOAD", "REPLACE",
                library("lib", "local n = 10 redis.register_function('count', function() n = n + 1 return n end)")}) == "lib");
  CHECK(client("FCALL count 0") == "11");
}

TEST_CASE("functions find the API but not what is of scripts, and no one's globals") {
  TestServer server;
  TestClient client(server);
  load(
      client, "lib",
      "redis.register_function('globals', function() local r = {} for k in pairs(_G) do r[#r + 1] = k end table.sort(r) return table.concat(r, ' ') end)\n"
      "redis.register_function('set', function() x = 1 end)\n"
      "redis.register_function('get', function() return KEYS end)\n"
      "redis.register_function('more', function() redis.register_function('n', function() end) end)\n"
      "redis.register_function('error_in', function() local t\nreturn t.x end)\n"
      "redis.register_function('call', function(keys, args) return redis.call('SET', keys[1], args[1]) end)");
  CHECK(client("FCALL globals 0").find("KEYS") == std::string::npos);
  CHECK(client("FCALL set 0") == "(error) ERR user_function:3: Attempt to modify a readonly table script: set, on @user_function:3.");
  CHECK(client("FCALL get 0").starts_with("(error) ERR user_function:4: Script attempted to access nonexistent global variable 'KEYS'"));
  CHECK(client("FCALL more 0").starts_with("(error) ERR user_function:5: attempt to call field 'register_function' (a nil value)"));
  CHECK(client("FCALL error_in 0").ends_with("attempt to index local 't' (a nil value) script: error_in, on @user_function:7."));
  CHECK(client("FCALL call 1 k v") == "OK");
  CHECK(client("GET k") == "v");
}

TEST_CASE("functions are judged by their flags") {
  TestServer server;
  TestClient client(server);
  load(client, "lib",
       "redis.register_function('w', function() return redis.call('SET', 'k', 'v') end)\n"
       "redis.register_function{function_name='r', callback=function() return redis.call('SET', 'k', 'v') end, flags={'no-writes'}}\n"
       "redis.register_function{function_name='o', callback=function() return redis.call('SET', 'k', 'v') end, flags={'allow-oom'}}");
  CHECK(client("FCALL_RO w 0") == "(error) ERR Can not execute a script with write flag using *_ro command.");
  CHECK(client("FCALL r 0").starts_with("(error) ERR Write commands are not allowed from read-only scripts."));
  server.state.settings.memory_max = 1;
  CHECK(client("FCALL w 0") == "(error) OOM command not allowed when used memory > 'maxmemory'.");
  CHECK(client("FCALL o 0") == "OK");
  server.state.settings.memory_max = 0;
  CHECK(client("FCALL w x") == "(error) ERR Bad number of keys provided");
  CHECK(client("FCALL w 2 a") == "(error) ERR Number of keys can't be greater than number of args");
  CHECK(client("FCALL w -1") == "(error) ERR Number of keys can't be negative");
}

TEST_CASE("libraries are replicated as they were given, calls by what they did") {
  TestServer server;
  TestClient client(server);
  RecordedEffects& effects = server.effects();
  const std::string code = library("lib", "redis.register_function('f',function(keys) return redis.call('INCR',keys[1]) end)");
  client({"FUNCTION", "LOAD", code});
  CHECK(effects.take() == "FUNCTION LOAD " + quoted(code));
  client("FCALL f 1 k");
  CHECK(effects.take() == "INCR k");
  client("FUNCTION DELETE lib");
  CHECK(effects.take() == "FUNCTION DELETE lib");
  client("FUNCTION DELETE lib");
  CHECK(effects.take() == "");
  client("FUNCTION FLUSH");
  CHECK(effects.take() == "FUNCTION FLUSH");
}

std::string dump(TestClient& client) {
  const std::string bytes = client.send(request_bytes({"FUNCTION", "DUMP"}));
  return bytes.substr(bytes.find("\r\n") + 2, bytes.size() - bytes.find("\r\n") - 4);
}

TEST_CASE("DUMP and RESTORE, by all policies") {
  TestServer server;
  TestClient client(server);
  CHECK(dump(client).size() == 10);
  load(client, "a", "redis.register_function('fa', function() return 'a' end)");
  load(client, "b", "redis.register_function('fb', function() return 'b' end)");
  const std::string payload = dump(client);
  CHECK(client({"FUNCTION", "RESTORE", payload}) == "(error) ERR Library a already exists");
  CHECK(client({"FUNCTION", "RESTORE", payload, "REPLACE"}) == "OK");
  CHECK(client({"FUNCTION", "RESTORE", payload, "sideways"}) ==
        "(error) ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  CHECK(client({"FUNCTION", "RESTORE", payload.substr(1)}) == "(error) ERR DUMP payload version or checksum are wrong");
  client("FUNCTION DELETE a");
  client("FUNCTION DELETE b");
  load(client, "c", "redis.register_function('fc', function() return 'c' end)");
  CHECK(client({"FUNCTION", "RESTORE", payload, "APPEND"}) == "OK");
  CHECK(client("FCALL fa 0") == "a");
  CHECK(client("FCALL fc 0") == "c");
  CHECK(client({"FUNCTION", "RESTORE", payload, "FLUSH"}) == "OK");
  CHECK(client("FCALL fb 0") == "b");
  CHECK(client("FCALL fc 0") == "(error) ERR Function not found");
  // A function's name that another library has.
  client("FUNCTION DELETE a");
  load(client, "x", "redis.register_function('fa', function() return 'x' end)");
  CHECK(client({"FUNCTION", "RESTORE", payload, "REPLACE"}) == "(error) ERR Function fa already exists");
  CHECK(client("FCALL fa 0") == "x");
  CHECK(client("FCALL fb 0") == "b");
  CHECK(client("FUNCTION FLUSH ASYNC") == "OK");
  CHECK(client("FUNCTION FLUSH now") == "(error) ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  CHECK(server.state.scripts->figures().function_vm_bytes == 0);
}

std::string snapshot_of(TestServer& server) {
  BlockLog log;
  RdbWriter writer(log, {});
  writer.header(server.snapshots.facts(server.executor.now()));
  writer.end();
  writer.settle();
  std::string bytes;
  log.for_each_piece(0, [&](const char* data, size_t size) { return bytes.append(data, size), true; });
  return bytes;
}

TEST_CASE("snapshots hold the libraries, and loading one brings them") {
  TestServer server;
  TestClient client(server);
  load(client, "a", "redis.register_function('fa', function() return 'a' end)");
  const std::string snapshot = snapshot_of(server);
  TestServer fresh;
  TestClient reader(fresh);
  LoadOptions options;
  SUBCASE("at once") {
    DatasetLoader loader(fresh.state, options);
    CHECK(loader.feed(snapshot).is_ok());
    CHECK(loader.finish().is_ok());
    CHECK(reader("FCALL fa 0") == "a");
    DatasetLoader again(fresh.state, options);
    CHECK(again.feed(snapshot).error().text() == "a library of functions cannot be loaded: ERR Library 'a' already exists");
  }
  SUBCASE("beside what is there, whose place they take") {
    load(reader, "old", "redis.register_function('old', function() return 'old' end)");
    options.target = LoadOptions::Target::kBeside;
    DatasetLoader loader(fresh.state, options);
    CHECK(loader.feed(snapshot).is_ok());
    CHECK(loader.finish().is_ok());
    CHECK(reader("FCALL old 0") == "old");
    loader.commit();
    CHECK(reader("FCALL fa 0") == "a");
    CHECK(reader("FCALL old 0") == "(error) ERR Function not found");
  }
}

}  // namespace
}  // namespace vedette::testing
