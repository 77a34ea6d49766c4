// Access control: what users may do, what they are told, and what becomes of their sessions when they change.
#include <doctest/doctest.h>

#include <map>

#include "common/base/sha256.h"
#include "tests/session/test_server.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kNoKey = "(error) NOPERM this user has no permissions to access one of the keys used as arguments";
constexpr std::string_view kNoChannel = "(error) NOPERM this user has no permissions to access one of the channels used as arguments";
std::string no_command(std::string_view name) {
  return "(error) NOPERM this user has no permissions to run the '" + std::string(name) + "' command";
}

// A server with an administrator, and a user "u" of these rules.
struct World {
  explicit World(std::string_view rules) : admin(server), user(server) {
    REQUIRE(admin("ACL SETUSER u on nopass " + std::string(rules)) == "OK");
    REQUIRE(user("AUTH u x") == "OK");
  }
  void rules(std::string_view more) { REQUIRE(admin("ACL SETUSER u " + std::string(more)) == "OK"); }

  TestServer server;
  TestClient admin, user;
};

TEST_CASE("a user may do what its rules say, and is told why not") {
  World world("+@all -flushall -config|set %R~r* %W~w* ~a* &news");
  TestClient& user = world.user;
  CHECK(user("ACL WHOAMI") == "u");
  CHECK(user("SET a1 v") == "OK");
  CHECK(user("GET a1") == "v");
  CHECK(user("GET b") == kNoKey);
  CHECK(user("SET r1 v") == kNoKey);
  CHECK(user("SET w1 v") == "OK");
  CHECK(user("SET w1 v GET") == kNoKey);
  CHECK(user("GET w1") == kNoKey);
  CHECK(user("MGET a1 r1 x") == kNoKey);
  CHECK(user("MGET a1 r1") == "[v, nil]");
  CHECK(user("FLUSHALL") == no_command("flushall"));
  CHECK(user("CONFIG SET maxmemory 1") == no_command("config|set"));
  CHECK(user("CONFIG HELP").starts_with("[\"CONFIG <subcommand>"));
  CHECK(user("PUBLISH news m") == "0");
  CHECK(user("PUBLISH other m") == kNoChannel);
  CHECK(user("SUBSCRIBE news other") == kNoChannel);
  CHECK(user("NOSUCH") == "(error) ERR unknown command 'NOSUCH', with args beginning with: ");
  CHECK(user("CONFIG NOSUCH") == "(error) ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.");
  CHECK(user("GET") == "(error) ERR wrong number of arguments for 'get' command");
  world.rules("-@all +client|id");
  CHECK(user("CLIENT ID") == "2");
  CHECK(user("CLIENT HELP") == no_command("client|help"));
  CHECK(user("GET a1") == no_command("get"));
  CHECK(user("AUTH u x") == "OK");
  CHECK(user("RESET") == "RESET");
  CHECK(user("ACL WHOAMI") == "default");
  CHECK(user("GET b") == "nil");
}

TEST_CASE("the default user may be restricted, and connections are strangers while it needs a password") {
  TestServer server;
  TestClient first(server);
  CHECK(first("ACL SETUSER default -get") == "OK");
  CHECK(first("GET k") == no_command("get"));
  CHECK(first("SET k v") == "OK");
  CHECK(first("ACL SETUSER default +get >p") == "OK");
  CHECK(first("GET k") == "v");  // it came before
  TestClient second(server);
  CHECK(second("GET k") == "(error) NOAUTH Authentication required.");
  CHECK(first("ACL SETUSER default nopass") == "OK");
  CHECK(second("GET k") == "v");
  CHECK(first("ACL SETUSER default off") == "OK");
  CHECK(second("GET k").starts_with("(error) NOAUTH"));
  CHECK(second("AUTH default x").starts_with("(error) WRONGPASS"));
  CHECK(first("GET k") == "v");
  CHECK(first("ACL SETUSER default reset") == "OK");
  CHECK(first("GET k") == no_command("get"));
  CHECK(first("ACL LIST") == no_command("acl|list"));
}

TEST_CASE("requirepass is the default user's password") {
  TestServer server;
  TestClient admin(server);
  server.state.access->set_default_password("secret");
  CHECK(admin("ACL LIST") == "[\"user default on sanitize-payload #" + sha256_hex("secret") + " ~* &* +@all\"]");
  TestClient client(server);
  CHECK(client("PING").starts_with("(error) NOAUTH"));
  CHECK(client("AUTH secret") == "OK");
  server.state.access->set_default_password("");
  CHECK(admin("ACL LIST") == "[\"user default on nopass sanitize-payload ~* &* +@all\"]");
  CHECK(client("AUTH secret").starts_with("(error) ERR AUTH <password> called without any password configured"));
}

TEST_CASE("a transaction is asked for permission when it is queued and when it runs") {
  World world("+@all ~a* &*");
  TestClient& user = world.user;
  CHECK(user("MULTI") == "OK");
  CHECK(user("GET b") == kNoKey);
  CHECK(user("EXEC") == "(error) EXECABORT Transaction discarded because of previous errors.");
  CHECK(user("MULTI") == "OK");
  CHECK(user("SET a1 v") == "QUEUED");
  CHECK(user("SET a2 v") == "QUEUED");
  CHECK(user("PUBLISH c m") == "QUEUED");
  CHECK(user("PING") == "QUEUED");
  world.rules("resetkeys ~a2 resetchannels -ping");
  const std::string changed =
      "(error) NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
      "call. This command is no longer "
      "allowed for the following reason: no permission to ";
  CHECK(user("EXEC") == "[" + changed + "touch the specified keys, OK, " + changed + "access one of the channels used as arguments, " +
                            changed + "execute the command or subcommand]");
  CHECK(world.server.entry("a1") == nullptr);
  CHECK(world.server.entry("a2") != nullptr);
  CHECK(user("MULTI") == "OK");
  CHECK(user("SHUTDOWN") == "(error) ERR Command not allowed inside a transaction");
  CHECK(user("DISCARD") == "OK");
  // The user of the rest of a transaction is who has logged in within it.
  CHECK(world.admin("ACL SETUSER v on >p +set ~b") == "OK");
  world.rules("+auth ~b");
  CHECK(user("MULTI") == "OK");
  CHECK(user("GET b") == "QUEUED");
  CHECK(user("AUTH v p") == "QUEUED");
  CHECK(user("GET b") == "QUEUED");
  CHECK(user("SET b 1") == "QUEUED");
  CHECK(user("EXEC").starts_with("[nil, OK, " + changed + "execute the command or subcommand, OK]"));
}

TEST_CASE("a command that waits is asked for permission again when it is served") {
  World world("+@all ~list");
  CHECK(world.user("BLPOP list 0") == "");
  world.rules("resetkeys");
  CHECK(world.admin("LPUSH list x") == "1");
  CHECK(world.user.pending() == kNoKey);
  CHECK(world.admin("LLEN list") == "1");
  CHECK(world.user("PING") == "PONG");
}

TEST_CASE("who loses a channel that it listens to is closed") {
  struct Case {
    const char *before, *listens, *after;
    bool closed;
  };
  for (const Case& c : {Case{"&foo:1", "SUBSCRIBE foo:1", "resetchannels", true},
                        {"&foo:1", "SSUBSCRIBE foo:1", "resetchannels", true},
                        {"&bar:*", "PSUBSCRIBE bar:*", "resetchannels", true},
                        {"&*", "PSUBSCRIBE foo", "resetchannels", true},
                        {"&foo:1 &bar:*", "SUBSCRIBE foo:1 bar:2", "resetchannels &foo:1 &bar:* &zoo", false},
                        {"&bar:*", "PSUBSCRIBE bar:*", "resetchannels &bar:* ", false},
                        {"&bar:*", "PSUBSCRIBE bar:*", "resetchannels (&bar:*)", false},
                        {"&foo:1", "SUBSCRIBE foo:1", "resetchannels &foo:*", false},
                        {"&bar:*", "PSUBSCRIBE bar:*", "resetchannels &*", false},
                        {"&foo:1", "SUBSCRIBE foo:1", "-@all", false}}) {
    CAPTURE(c.before);
    CAPTURE(c.listens);
    CAPTURE(c.after);
    World world("+@all " + std::string(c.before));
    CHECK(world.user(c.listens).find("(error)") == std::string::npos);
    world.rules(c.after);
    CHECK(world.user.session.has(kCloseNow) == c.closed);
    CHECK(world.server.state.channels.empty() == c.closed);
  }
  SUBCASE("the caller itself still gets its answer") {
    World world("+@all &a");
    world.user("HELLO 3");
    world.user("SUBSCRIBE a");
    CHECK(world.user("ACL SETUSER u resetchannels") == "OK");
    CHECK(world.user.session.has(kCloseAfterReply));
  }
}

TEST_CASE("a user that is deleted takes its connections along") {
  World world("+@all ~* &*");
  TestClient other(world.server);
  CHECK(other("AUTH u y") == "OK");
  CHECK(world.admin("ACL SETUSER idle") == "OK");
  CHECK(world.admin("ACL DELUSER idle nobody") == "1");
  CHECK(world.admin("ACL DELUSER u default") == "(error) ERR The 'default' user cannot be removed");
  CHECK(world.user.send("ACL DELUSER u\r\nSET k v\r\n") == ":1\r\n");
  CHECK(world.user.session.has(kCloseAfterReply));
  CHECK(other.session.has(kCloseNow));
  CHECK(world.server.entry("k") == nullptr);
  CHECK(!world.admin.session.closing());
  CHECK(world.admin("ACL USERS") == "[default]");
}

TEST_CASE("rules of one call hold together or not at all") {
  World world("+get ~a");
  CHECK(world.admin("ACL SETUSER u +set ~b nosuch") == "(error) ERR Error in ACL SETUSER modifier 'nosuch': Syntax error");
  CHECK(world.admin("ACL SETUSER v on nosuch").starts_with("(error)"));
  CHECK(world.admin("ACL GETUSER u") ==
        "[flags, [on, nopass, sanitize-payload], passwords, [], commands, \"-@all +get\", keys, ~a, channels, "
        "\"\", selectors, []]");
  CHECK(world.admin("ACL GETUSER v") == "nil");
  CHECK(world.admin("ACL SETUSER u >secret (%R~x &y +set)") == "OK");
  CHECK(world.admin("ACL GETUSER u") == "[flags, [on, sanitize-payload], passwords, [" + sha256_hex("secret") +
                                            "], commands, \"-@all +get\", keys, ~a, channels, \"\", "
                                            "selectors, [[commands, \"-@all +set\", keys, %R~x, "
                                            "channels, &y]]]");
  world.admin("HELLO 3");
  CHECK(world.admin.send(request_bytes({"ACL", "GETUSER", "u"})).starts_with("%6\r\n$5\r\nflags\r\n"));
}

TEST_CASE("DRYRUN tells what would happen") {
  World world("+@all %R~read* %W~write* -ping +select|1 &c");
  TestClient& admin = world.admin;
  CHECK(admin("ACL DRYRUN u GET read1") == "OK");
  CHECK(admin("ACL DRYRUN u get other") == "\"This user has no permissions to access the 'other' key\"");
  CHECK(admin("ACL DRYRUN u PING") == "\"This user has no permissions to run the 'ping' command\"");
  CHECK(admin("ACL DRYRUN u PUBLISH d m") == "\"This user has no permissions to access the 'd' channel\"");
  CHECK(admin("ACL DRYRUN nobody GET a") == "(error) ERR User 'nobody' not found");
  CHECK(admin("ACL DRYRUN u nosuch a") == "(error) ERR Command 'nosuch' not found");
  CHECK(admin("ACL DRYRUN u config nosuch") == "(error) ERR Command 'config' not found");
  CHECK(admin("ACL DRYRUN u config get") == "(error) ERR wrong number of arguments for 'config|get' command");
  CHECK(admin("ACL DRYRUN u SET") == "(error) ERR wrong number of arguments for 'set' command");
  CHECK(admin("ACL DRYRUN u CLIENT HELP") == "OK");
  CHECK(admin("ACL LOG") == "[]");
  CHECK(admin("INFO stats").find("acl_access_denied_cmd:0") != std::string::npos);
}

// One field of an entry of ACL LOG.
std::string field(TestClient& admin, size_t index, std::string_view name) {
  const std::string text = admin.send(request_bytes({"ACL", "LOG"}));
  std::string_view rest = text;
  const auto reply = take_reply(rest);
  REQUIRE(reply);
  if (index >= reply->elements.size()) return "no entry";
  const auto& map = reply->elements[index].elements;
  for (size_t i = 0; i + 1 < map.size(); i += 2)
    if (map[i].text == name) return map[i + 1].text;
  return "no field";
}

TEST_CASE("refusals are counted and logged") {
  World world("+@all -ping ~a");
  TestClient &user = world.user, &admin = world.admin;
  user("PING");
  user("PING");
  CHECK(field(admin, 0, "count") == "2");
  CHECK(field(admin, 0, "reason") == "command");
  CHECK(field(admin, 0, "context") == "toplevel");
  CHECK(field(admin, 0, "object") == "ping");
  CHECK(field(admin, 0, "username") == "u");
  CHECK(field(admin, 0, "entry-id") == "0");
  CHECK(field(admin, 0, "client-info").find(" cmd=ping user=u ") != std::string::npos);
  world.server.advance_ms(1500);
  CHECK(field(admin, 0, "age-seconds") == "1.5");
  CHECK(field(admin, 0, "timestamp-created") == std::to_string(world.server.now_ms() - 1500));
  user("GET other");
  CHECK(field(admin, 0, "reason") == "key");
  CHECK(field(admin, 0, "object") == "other");
  CHECK(field(admin, 0, "entry-id") == "1");
  user("SUBSCRIBE c");
  CHECK(field(admin, 0, "reason") == "channel");
  user("MULTI");
  user("PING");
  user("DISCARD");
  CHECK(field(admin, 0, "context") == "multi");
  TestClient stranger(world.server);
  stranger("AUTH u2 pw");
  CHECK(field(admin, 0, "reason") == "auth");
  CHECK(field(admin, 0, "object") == "AUTH");
  CHECK(field(admin, 0, "username") == "u2");
  stranger("hello 3 AUTH default pw AUTH nobody pw");
  CHECK(field(admin, 0, "object") == "hello");
  CHECK(admin("ACL LOG 1").find("[[count, 1, reason, auth") == 0);
  CHECK(admin("ACL LOG -3") == "[]");
  CHECK(admin("ACL LOG x") == "(error) ERR value is not an integer or out of range");
  const std::string info = admin("INFO stats");
  for (const char* counted :
       {"acl_access_denied_auth:2", "acl_access_denied_cmd:3", "acl_access_denied_key:1", "acl_access_denied_channel:1"})
    CHECK_MESSAGE(info.find(counted) != std::string::npos, counted);
  CHECK(admin("INFO commandstats").find("cmdstat_get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0") !=
        std::string::npos);
  CHECK(admin("INFO errorstats").find("errorstat_NOPERM:count=5") != std::string::npos);
  CHECK(admin("CONFIG RESETSTAT") == "OK");
  CHECK(admin("INFO stats").find("acl_access_denied_cmd:0") != std::string::npos);
  world.server.state.access->log_length_max = 3;
  for (int i = 0; i < 5; i++) user("GET k" + std::to_string(i));
  CHECK(field(admin, 2, "object") == "k2");
  CHECK(field(admin, 3, "object") == "no entry");
  CHECK(admin("ACL LOG RESET") == "OK");
  CHECK(admin("ACL LOG") == "[]");
}

TEST_CASE("secrets of users are shown nowhere") {
  World world("+@all ~* &*");
  TestClient monitor(world.server);
  monitor("MONITOR");
  world.server.state.settings.slow_log_threshold_us = 0;
  world.admin("ACL SETUSER ann on >geheim");
  world.admin("ACL SETUSER ann <falsch");
  world.admin("ACL GETUSER ann");
  world.admin("ACL DELUSER ann");
  world.admin("AUTH ann geheim");
  world.admin("ACL DRYRUN u AUTH ann geheim");
  world.admin("HELLO 3 AUTH ann geheim");
  const std::string seen = monitor.pending_bytes() + world.admin("SLOWLOG GET");
  for (const char* secret : {"geheim", "falsch"}) CHECK(seen.find(secret) == std::string::npos);
  CHECK(seen.find("ACL, SETUSER, (redacted), (redacted), (redacted)") != std::string::npos);
  CHECK(world.admin("CLIENT LIST").find("user=u ") != std::string::npos);
}

TEST_CASE("CLIENT speaks of users") {
  World world("+@all ~* &*");
  TestClient& admin = world.admin;
  CHECK(admin("CLIENT INFO").find(" user=default ") != std::string::npos);
  CHECK(admin("CLIENT LIST USER u").find(" user=u ") != std::string::npos);
  CHECK(admin("CLIENT LIST USER u").find(" user=default ") == std::string::npos);
  CHECK(admin("CLIENT KILL USER nosuch") == "(error) ERR No such user 'nosuch'");
  CHECK(admin("CLIENT KILL USER u") == "1");
  CHECK(world.user.session.has(kCloseNow));
  CHECK(admin("CLIENT KILL USER default") == "0");  // itself, which is skipped
}

TEST_CASE("SORT looks at other keys only for who may read all") {
  World world("(+sort +sort_ro ~mylist)");
  world.admin("RPUSH mylist 1");
  world.admin("SET v1 x");
  TestClient& user = world.user;
  const std::string by = "(error) ERR BY option of SORT denied due to insufficient ACL permissions.";
  const std::string get = "(error) ERR GET option of SORT denied due to insufficient ACL permissions.";
  CHECK(user("SORT mylist") == "[1]");
  CHECK(user("SORT mylist BY nosort") == "[1]");
  CHECK(user("SORT mylist BY v*") == by);
  CHECK(user("SORT mylist GET v*") == get);
  CHECK(user("SORT_RO mylist GET #") == get);
  world.rules("(+sort ~mylist ~v*)");
  CHECK(user("SORT mylist BY v*") == by);
  world.rules("(+sort ~mylist %W~*)");
  CHECK(user("SORT mylist GET v*") == get);
  world.rules("(+sort ~mylist %R~*)");
  CHECK(user("SORT mylist ALPHA BY v* GET v*") == "[x]");
}

TEST_CASE("SORT in a script looks at other keys only for a caller who may read all") {
  World world("(+@all ~mylist)");
  world.admin("RPUSH mylist t");
  world.admin("SET secret TOP");
  TestClient& user = world.user;
  const std::string denied = "(error) ERR GET option of SORT denied due to insufficient ACL permissions.";
  const std::string sort = "return redis.call('sort', 'mylist', 'by', 'nosort', 'get', 'secre*')";
  CHECK(world.admin("EVAL \"" + sort + "\" 0") == "[TOP]");
  CHECK(user("EVAL \"" + sort + "\" 0").starts_with(denied.substr(0, denied.size() - 1)));
  CHECK(user("EVAL_RO \"return redis.call('sort_ro', 'mylist', 'get', 'secre*')\" 1 mylist")
            .starts_with(denied.substr(0, denied.size() - 1)));
  CHECK(world.admin("FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f', function() " + sort + " end)\"") == "l");
  CHECK(user("FCALL f 0").starts_with(denied.substr(0, denied.size() - 1)));
  CHECK(world.admin("FCALL f 0") == "[TOP]");
}

TEST_CASE("files of users are read and written as a whole") {
  TestServer server;
  TestClient admin(server), user(server);
  std::map<std::string, std::string> disk;
  bool fails = false;
  AccessControl& access = *server.state.access;
  access.read_file = [&](const std::string& path) -> Result<std::string> {
    const auto found = disk.find(path);
    if (found == disk.end()) return Error("No such file or directory");
    return found->second;
  };
  access.write_file = [&](const std::string& path, std::string_view text) -> Status {
    if (fails) return Error("disk full");
    disk[path] = text;
    return Status::ok();
  };
  CHECK(admin("ACL LOAD")
            .starts_with("(error) ERR This Redis instance is not configured to use an ACL file. You may want "
                         "to specify users via"));
  CHECK(admin("ACL SAVE").starts_with("(error) ERR This Redis instance is not configured"));
  access.file = "u.acl";
  CHECK(admin("ACL LOAD") == "(error) ERR Error loading ACLs, opening file 'u.acl': No such file or directory");
  admin("ACL SETUSER ann on >p ~a* +@all &*");
  admin("ACL SETUSER bob on nopass +ping");
  CHECK(admin("ACL SAVE") == "OK");
  CHECK(disk["u.acl"] == "user ann on sanitize-payload #" + sha256_hex("p") +
                             " ~a* &* +@all\nuser bob on nopass sanitize-payload resetchannels -@all +ping\n"
                             "user default on nopass sanitize-payload ~* &* +@all\n");
  fails = true;
  CHECK(admin("ACL SAVE") ==
        "(error) ERR There was an error trying to save the ACLs. Please check the server logs for more "
        "information");
  fails = false;

  const std::string before = admin("ACL LIST");
  disk["u.acl"] = "user ann on\nuser ann off\nuser bob +nosuch\n";
  CHECK(admin("ACL LOAD") ==
        "(error) ERR WARNING: Duplicate user 'ann' found on line 2. u.acl:3: Error in applying operation "
        "'+nosuch': Unknown "
        "command or category name in ACL. WARNING: ACL errors detected, no change to the previously active "
        "ACL rules was "
        "performed");
  CHECK(admin("ACL LIST") == before);

  // Whoever is not the default user is closed by a load, even if its user is in the file.
  CHECK(user("AUTH ann p") == "OK");
  CHECK(admin("SUBSCRIBE c") == "[subscribe, c, 1]");
  CHECK(admin("UNSUBSCRIBE") == "[unsubscribe, c, 0]");
  disk["u.acl"] = "user ann on nopass ~b* +get\nuser default on nopass ~* -@all +acl +get\n";
  CHECK(admin("ACL LOAD") == "OK");
  CHECK(user.session.has(kCloseNow));
  CHECK(!admin.session.closing());
  CHECK(admin("ACL USERS") == "[ann, default]");
  CHECK(admin("SET k v") == no_command("set"));
  TestClient ann(server);
  CHECK(ann("AUTH ann x") == "OK");
  CHECK(ann("GET b1") == "nil");
  CHECK(ann("ACL LOAD") == no_command("acl|load"));
  admin("ACL SETUSER ann +acl");
  CHECK(ann("ACL LOAD") == "OK");
  CHECK(ann.session.has(kCloseAfterReply));

  // A file without a word about the default user leaves it as requirepass makes it.
  disk["u.acl"] = "user ann on nopass +@all\n";
  access.set_default_password("secret");
  CHECK(admin("ACL LOAD") == "OK");
  CHECK(admin("ACL LIST") == "[\"user ann on nopass sanitize-payload resetchannels +@all\", \"user default on sanitize-payload #" +
                                 sha256_hex("secret") + " ~* &* +@all\"]");
}

TEST_CASE("users as lines of a configuration") {
  TestServer server;
  AccessControl& access = *server.state.access;
  CHECK(access.users_are_plain());
  CHECK(access.configuration_lines() == std::vector<std::string>{"default on nopass sanitize-payload ~* &* +@all"});
  access.set_default_password("x");
  CHECK(access.users_are_plain());
  CHECK(access.define({{"ann", "on", ">p", "~\"q", "(+get", "~a)"}, {"default", "on", "nopass", "+@all"}}));
  CHECK(!access.users_are_plain());
  const auto lines = access.configuration_lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "ann on sanitize-payload #" + sha256_hex("p") + " \"~\\\"q\" resetchannels -@all (~a resetchannels -@all +get)");
  CHECK(lines[1] == "default on nopass sanitize-payload resetchannels +@all");
  const Status refused = access.define({{"bob", "~*", "~a"}});
  CHECK(refused.error().text().starts_with("Error loading ACL rules for the user named 'bob': Error in ACL SETUSER modifier '~a'"));
}

TEST_CASE("acl-pubsub-default says what new users and selectors begin with") {
  TestServer server;
  TestClient admin(server);
  server.state.access->set_defaults({.opens_channels = true});
  admin("ACL SETUSER ann (+get)");
  CHECK(admin("ACL LIST").find("user ann off sanitize-payload &* -@all (&* -@all +get)") != std::string::npos);
  CHECK(admin("ACL SETUSER bob &a").find("start with an empty list of channels") != std::string::npos);
  server.state.access->set_defaults({});
  CHECK(admin("ACL SETUSER ann reset") == "OK");
  CHECK(admin("ACL LIST").find("user ann off sanitize-payload resetchannels -@all") != std::string::npos);
}

TEST_CASE("GENPASS") {
  TestServer server;
  TestClient client(server);
  const std::string one = client("ACL GENPASS"), other = client("ACL GENPASS");
  CHECK(one.size() == 64);
  CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(one != other);
  CHECK(client("ACL GENPASS 5").size() == 2);
  CHECK(client("ACL GENPASS 4096").size() == 1024);
  for (const char* bits : {"0", "-236", "4097"})
    CHECK(client("ACL GENPASS " + std::string(bits)) ==
          "(error) ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
          "number up to 4096");
  CHECK(client("ACL GENPASS x") == "(error) ERR value is not an integer or out of range");
  CHECK(client("ACL GENPASS 1 2") == "(error) ERR unknown subcommand or wrong number of arguments for 'GENPASS'. Try ACL HELP.");
  CHECK(client("ACL CAT x y") == "(error) ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.");
  CHECK(client("ACL help xxx") == "(error) ERR wrong number of arguments for 'acl|help' command");
  CHECK(client("ACL CAT keyspace").find("object|help") != std::string::npos);
}

TEST_CASE("a command that is renamed keeps its name for rules") {
  TestServer server;
  TestClient admin(server), user(server);
  REQUIRE(server.state.commands.rename("GET", "FETCH"));
  REQUIRE(server.state.commands.rename("SET", ""));
  CHECK(admin("ACL SETUSER u on nopass ~* +get +set -flushall") == "OK");
  CHECK(admin("ACL SETUSER u +fetch").find("Unknown command") != std::string::npos);
  CHECK(user("AUTH u x") == "OK");
  CHECK(user("FETCH k") == "nil");
  CHECK(user("GET k").starts_with("(error) ERR unknown command"));
}

TEST_CASE("rules are asked in every state in which a command can be run") {
  World world("+@all -set ~a* &*");
  TestClient monitor(world.server);
  CHECK(world.user("SET a v") == no_command("set"));
  monitor("MONITOR");
  CHECK(world.user("SET a v") == no_command("set"));
  CHECK(world.user("GET b") == kNoKey);
  CHECK(world.user("GET a") == "nil");
  world.server.state.settings.memory_max = 1;
  world.server.state.set_condition(kMemoryLimited, true);
  CHECK(world.user("SET a v") == no_command("set"));
  world.server.state.settings.memory_max = 0;
  CHECK(world.user("CLIENT REPLY OFF") == "");
  CHECK(world.user("SET a v") == "");
  CHECK(world.user("CLIENT REPLY ON") == "OK");
  CHECK(world.server.entry("a") == nullptr);
}

}  // namespace
}  // namespace vedette::testing
