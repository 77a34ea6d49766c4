// COMMAND's replies from sample rows (sample_rows.h).
#include "common/command/introspection.h"

#include <doctest/doctest.h>

#include "common/command/categories.h"
#include "tests/unit/common/command/sample_rows.h"

using namespace vedette;

namespace {

// [array] <set> {key=value} :integer +status bulk nil; the notes of key specs, which are our own words, left
// out.
std::string shown(const ReplyValue& value) {
  using Kind = ReplyValue::Kind;
  if (value.kind == Kind::kNull) return "nil";
  if (value.kind == Kind::kBulk) return value.text;
  if (value.kind == Kind::kStatus) return "+" + value.text;
  if (value.kind == Kind::kInteger) return ":" + std::to_string(value.number);
  const bool map = value.kind == Kind::kMap;
  std::string text;
  for (size_t i = 0; i < value.items.size(); i++) {
    if (map && i % 2 == 0 && value.items[i].text == "notes") {
      i++;
      continue;
    }
    if (!text.empty()) text += map ? (i % 2 == 0 ? ", " : "=") : " ";
    text += shown(value.items[i]);
  }
  return map ? "{" + text + "}" : value.kind == Kind::kSet ? "<" + text + ">" : "[" + text + "]";
}

std::string shown(const Result<ReplyValue>& result) { return result ? shown(*result) : "-" + result.error().text(); }

std::string field(const ReplyValue& docs, std::string_view name) {
  for (size_t i = 0; i + 1 < docs.items.size(); i += 2)
    if (docs.items[i].text == name) return shown(docs.items[i + 1]);
  return "absent";
}

std::string arguments(std::string_view command) {
  const auto table = sample::table();
  return field(command_docs(table, {{command}}).items.at(1), "arguments");
}

struct RecordingWriter {
  std::string calls;
  void null() { calls += "_ "; }
  void bulk(std::string_view text) { calls += "$" + std::string(text) + " "; }
  void status(std::string_view text) { calls += "+" + std::string(text) + " "; }
  void integer(int64_t number) { calls += ":" + std::to_string(number) + " "; }
  void array(size_t count) { calls += "*" + std::to_string(count) + " "; }
  void set(size_t count) { calls += "~" + std::to_string(count) + " "; }
  void map(size_t count) { calls += "%" + std::to_string(count) + " "; }
};

}  // namespace

TEST_CASE("COMMAND INFO tells of each row what clients have always been told") {
  constexpr std::string_view kExpected[] = {
      "[get :2 <+readonly +fast> :1 :1 :1 <+@read +@string +@fast> <> <{flags=<+RO +access>, "
      "begin_search={type=index, spec={index=:1}}, find_keys={type=range, spec={lastkey=:0, "
      "keystep=:1, limit=:0}}}> <>]",
      "[set :-3 <+write +denyoom> :1 :1 :1 <+@write +@string +@slow> <> <{flags=<+RW +access +update "
      "+variable_flags>, begin_search={type=index, spec={index=:1}}, find_keys={type=range, "
      "spec={lastkey=:0, keystep=:1, limit=:0}}}> <>]",
      "[getset :3 <+write +denyoom +fast> :1 :1 :1 <+@write +@string +@fast> <> <{flags=<+RW +access "
      "+update>, begin_search={type=index, spec={index=:1}}, find_keys={type=range, spec={lastkey=:0, "
      "keystep=:1, limit=:0}}}> <>]",
      "[mset :-3 <+write +denyoom> :1 :-1 :2 <+@write +@string +@slow> <request_policy:multi_shard "
      "response_policy:all_succeeded> <{flags=<+OW +update>, begin_search={type=index, "
      "spec={index=:1}}, find_keys={type=range, spec={lastkey=:-1, keystep=:2, limit=:0}}}> <>]",
      "[del :-2 <+write> :1 :-1 :1 <+@keyspace +@write +@slow> <request_policy:multi_shard "
      "response_policy:agg_sum> <{flags=<+RM +delete>, begin_search={type=index, spec={index=:1}}, "
      "find_keys={type=range, spec={lastkey=:-1, keystep=:1, limit=:0}}}> <>]",
      "[sort :-2 <+write +denyoom +movablekeys> :1 :1 :1 <+@write +@set +@sortedset +@list +@slow "
      "+@dangerous> <> <{flags=<+RO +access>, begin_search={type=index, spec={index=:1}}, "
      "find_keys={type=range, spec={lastkey=:0, keystep=:1, limit=:0}}} {flags=<+RO +access>, "
      "begin_search={type=unknown, spec={}}, find_keys={type=unknown, spec={}}} {flags=<+OW +update>, "
      "begin_search={type=unknown, spec={}}, find_keys={type=unknown, spec={}}}> <>]",
      "[eval :-3 <+noscript +stale +skip_monitor +no_mandatory_keys +movablekeys> :0 :0 :0 <+@slow "
      "+@scripting> <> <{flags=<+RW +access +update>, begin_search={type=index, spec={index=:2}}, "
      "find_keys={type=keynum, spec={keynumidx=:0, firstkey=:1, keystep=:1}}}> <>]",
      "[zunionstore :-4 <+write +denyoom +movablekeys> :1 :1 :1 <+@write +@sortedset +@slow> <> "
      "<{flags=<+OW +update>, begin_search={type=index, spec={index=:1}}, find_keys={type=range, "
      "spec={lastkey=:0, keystep=:1, limit=:0}}} {flags=<+RO +access>, begin_search={type=index, "
      "spec={index=:2}}, find_keys={type=keynum, spec={keynumidx=:0, firstkey=:1, keystep=:1}}}> <>]",
      "[config|get :-3 <+admin +noscript +loading +stale> :0 :0 :0 <+@admin +@slow +@dangerous> <> <> "
      "<>]",
      "[config|help :2 <+loading +stale> :0 :0 :0 <+@slow> <> <> <>]",
      "[client|kill :-3 <+admin +noscript +loading +stale> :0 :0 :0 <+@admin +@slow +@dangerous "
      "+@connection> <> <> <>]",
      "[object|encoding :3 <+readonly> :2 :2 :1 <+@keyspace +@read +@slow> <nondeterministic_output> "
      "<{flags=<+RO>, begin_search={type=index, spec={index=:2}}, find_keys={type=range, "
      "spec={lastkey=:0, keystep=:1, limit=:0}}}> <>]",
      "[xread :-4 <+readonly +blocking +movablekeys> :0 :0 :0 <+@read +@stream +@slow +@blocking> <> "
      "<{flags=<+RO +access>, begin_search={type=keyword, spec={keyword=STREAMS, startfrom=:1}}, "
      "find_keys={type=range, spec={lastkey=:-1, keystep=:1, limit=:2}}}> <>]",
      "[migrate :-6 <+write +movablekeys> :3 :3 :1 <+@keyspace +@write +@slow +@dangerous> "
      "<nondeterministic_output> <{flags=<+RW +access +delete>, begin_search={type=index, "
      "spec={index=:3}}, find_keys={type=range, spec={lastkey=:0, keystep=:1, limit=:0}}} {flags=<+RW "
      "+access +delete +incomplete>, begin_search={type=keyword, spec={keyword=KEYS, startfrom=:-2}}, "
      "find_keys={type=range, spec={lastkey=:-1, keystep=:1, limit=:0}}}> <>]",
      "[wait :3 <+noscript> :0 :0 :0 <+@slow +@connection> <request_policy:all_shards "
      "response_policy:agg_min> <> <>]",
      "[ssubscribe :-2 <+pubsub +noscript +loading +stale> :1 :-1 :1 <+@pubsub +@slow> <> "
      "<{flags=<+not_key>, begin_search={type=index, spec={index=:1}}, find_keys={type=range, "
      "spec={lastkey=:-1, keystep=:1, limit=:0}}}> <>]",
  };
  const auto table = sample::table();
  size_t i = 0;
  for (std::string_view name : {"get", "SET", "getset", "mset", "del", "sort", "eval", "zunionstore", "config|get", "config|help",
                                "Client|Kill", "object|encoding", "xread", "migrate", "wait", "ssubscribe"}) {
    REQUIRE(i < std::size(kExpected));
    CHECK(shown(command_infos(table, {{name}}).items.at(0)) == kExpected[i++]);
  }
}

TEST_CASE("a container made from its subcommands has their infos and no category but @slow") {
  const auto table = sample::table();
  const std::string config = shown(command_infos(table, {{"config"}}));
  CHECK(config.starts_with("[[config :-2 <> :0 :0 :0 <+@slow> <> <> [[config|get :-3 <+admin"));
  CHECK(shown(command_infos(table, {{"nosuch"}})) == "[nil]");
  CHECK(shown(command_infos(table, {{"get|x"}})) == "[nil]");
  CHECK(command_infos(table, {}).items.size() == table.commands().size());
  CHECK(command_count(table).number == int64_t(table.commands().size()));
}

TEST_CASE("COMMAND LIST filters by category and by pattern") {
  const auto table = sample::table();
  const auto list = [&](std::string_view options) { return shown(command_list(table, sample::words(options))); };
  CHECK(list("FILTERBY PATTERN CONFIG*") == "[config config|get config|help]");
  CHECK(list("filterby pattern config|g*") == "[config|get]");
  CHECK(list("FILTERBY ACLCAT SCRIPTING") == "[eval]");
  CHECK(list("FILTERBY ACLCAT nosuch") == "[]");
  CHECK(list("FILTERBY MODULE nosuch") == "[]");
  CHECK(list("FILTERBY FOO x") == "-ERR syntax error");
  CHECK(list("FILTERBY PATTERN") == "-ERR syntax error");
  CHECK(list("X") == "-ERR syntax error");
  CHECK(list("FILTERBY PATTERN a b") == "-ERR syntax error");
  CHECK(list("").starts_with("[get set getset mset del sort eval zunionstore config config|get"));
}

TEST_CASE("COMMAND GETKEYS gives the keys of a request, or says why there are none") {
  const auto table = sample::table();
  const auto keys = [&](std::string_view request) { return shown(command_getkeys(table, sample::words(request))); };
  CHECK(keys("mset a 1 b 2") == "[a b]");
  CHECK(keys("mset a b c") == "[a c]");
  CHECK(keys("eval x 0") == "[]");
  CHECK(keys("eval x 10 a") == "[]");
  CHECK(keys("eval x foo a") == "[]");
  CHECK(keys("eval x 2 a b c") == "[a b]");
  CHECK(keys("xread count 1 streams a b 0 0") == "[a b]");
  CHECK(keys("xread streams a b c") == "[a]");
  CHECK(keys("xread count 5 streams") == "-ERR Invalid arguments specified for command");
  CHECK(keys("xread count 1") == "-ERR Invalid number of arguments specified for command");
  CHECK(keys("zunionstore d 2 a b") == "[d a b]");
  CHECK(keys("zunionstore d 3 a b") == "-ERR Invalid arguments specified for command");
  CHECK(keys("zunionstore d 0 a b") == "-ERR Invalid arguments specified for command");
  CHECK(keys("migrate h 1 '' 0 100 keys") == "[]");
  CHECK(keys("migrate h 1 '' 0 100 auth keys keys a b") == "[a b]");
  CHECK(keys("object encoding k") == "[k]");
  CHECK(keys("object nosuch k") == "-ERR Invalid command specified");
  CHECK(keys("nosuch a") == "-ERR Invalid command specified");
  CHECK(keys("config get") == "-ERR The command has no key arguments");
  CHECK(keys("ssubscribe a") == "-ERR The command has no key arguments");
  CHECK(keys("get a b") == "-ERR Invalid number of arguments specified for command");
}

TEST_CASE("COMMAND GETKEYSANDFLAGS tells what is done with each key, options considered") {
  const auto table = sample::table();
  const auto keys = [&](std::string_view request) { return shown(command_getkeysandflags(table, sample::words(request))); };
  CHECK(keys("set a b") == "[[a <+OW +update>]]");
  CHECK(keys("set a b ex get") == "[[a <+RW +access +update>]]");
  CHECK(keys("del a b") == "[[a <+RM +delete>] [b <+RM +delete>]]");
  CHECK(keys("sort a by b get c store d") == "[[a <+RO +access>] [d <+OW +update>]]");
  CHECK(keys("sort a limit store b store c") == "[[a <+RO +access>] [c <+OW +update>]]");
  CHECK(keys("sort a store") == "[[a <+RO +access>]]");
  CHECK(keys("zunionstore d 1 a") == "[[d <+OW +update>] [a <+RO +access>]]");
  CHECK(keys("migrate h 1 a 0 100") == "[[a <+RW +access +delete>]]");
  CHECK(keys("migrate h 1 a 0 100 KEYS b c") == "-ERR Invalid arguments specified for command");
}

TEST_CASE("COMMAND DOCS has a row's fields in their order") {
  const auto table = sample::table();
  CHECK(shown(command_docs(table, {{"getset"}})) ==
        "{getset={summary=Swap a string., since=1.0.0, group=string, complexity=O(1), doc_flags=<+deprecated>, "
        "deprecated_since=6.2.0, replaced_by=SET with GET, arguments=[{name=key, type=key, key_spec_index=:0} "
        "{name=value, type=string}]}}");
  CHECK(shown(command_docs(table, {{"nosuch"}})) == "{}");
  const ReplyValue set = command_docs(table, {{"set"}}).items.at(1);
  CHECK(field(set, "history") == "<[2.6.12 EX, PX, NX, XX.] [6.2.0 GET and EXAT.]>");
  const ReplyValue config = command_docs(table, {{"config"}}).items.at(1);
  CHECK(field(config, "arguments") == "absent");
  CHECK(field(config, "subcommands").starts_with("{config|get={summary=Tell"));
  CHECK(command_docs(table, {}).items.size() == 2 * table.commands().size());
}

TEST_CASE("the arguments of COMMAND DOCS follow from the usage line") {
  CHECK(arguments("mset") ==
        "[{name=key_value, type=block, flags=<+multiple>, arguments=[{name=key, type=key, key_spec_index=:0} "
        "{name=value, type=string}]}]");
  CHECK(arguments("eval") ==
        "[{name=script, type=string} {name=numkeys, type=integer} {name=key, type=key, key_spec_index=:0, "
        "flags=<+optional +multiple>} {name=arg, type=string, flags=<+optional +multiple>}]");
  CHECK(arguments("xread") ==
        "[{name=count, type=integer, token=COUNT, flags=<+optional>} {name=milliseconds, type=integer, "
        "token=BLOCK, "
        "flags=<+optional>} {name=key_id, type=block, token=STREAMS, arguments=[{name=key, type=key, "
        "key_spec_index=:0, flags=<+multiple>} {name=id, type=string, flags=<+multiple>}]}]");
  CHECK(arguments("sort") ==
        "[{name=key, type=key, key_spec_index=:0} {name=pattern, type=pattern, key_spec_index=:1, token=BY, "
        "flags=<+optional>} {name=offset_count, type=block, token=LIMIT, flags=<+optional>, "
        "arguments=[{name=offset, type=integer} {name=count, type=integer}]} {name=pattern, type=pattern, "
        "key_spec_index=:1, token=GET, flags=<+optional +multiple +multiple_token>} {name=asc_desc, "
        "type=oneof, "
        "flags=<+optional>, arguments=[{name=asc, type=pure-token, token=ASC} {name=desc, type=pure-token, "
        "token=DESC}]} {name=alpha, type=pure-token, token=ALPHA, flags=<+optional>} {name=destination, "
        "type=key, "
        "key_spec_index=:2, token=STORE, flags=<+optional>}]");
  CHECK(
      arguments("migrate").starts_with("[{name=host, type=string} {name=port, type=integer} "
                                       "{name=key_empty-string, type=oneof, arguments=[{name=key, "
                                       "type=key, key_spec_index=:0} {name=empty-string, type=pure-token, "
                                       "token=}]} {name=destination-db, type=integer}"));
  CHECK(arguments("migrate").ends_with("{name=key, type=key, key_spec_index=:1, token=KEYS, flags=<+optional +multiple>}]"));
  CHECK(arguments("ssubscribe") == "[{name=shardchannel, type=string, flags=<+multiple>}]");
}

TEST_CASE("HELP of a container lists usage and summary of its subcommands") {
  const auto table = sample::table();
  CHECK(shown(container_help(*table.find_name("config"))) ==
        "[+CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are: "
        "+GET <parameter> [<parameter> ...] "
        "+    Tell the values of the parameters whose names match; a long enough summary "
        "+    is broken into lines. "
        "+HELP +    Prints this help.]");
  const std::string kill = shown(container_help(*table.find_name("client")));
  CHECK(kill.find("+KILL (<ip:port>|(ID <client-id>|TYPE (NORMAL|PUBSUB)|SKIPME <yes/no>) [") != std::string::npos);
}

TEST_CASE("a reply value is written depth first with the counts of its aggregates") {
  const auto table = sample::table();
  RecordingWriter writer;
  write_reply(writer, command_infos(table, {{"get"}}));
  CHECK(writer.calls ==
        "*1 *10 $get :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 ~1 %3 $flags ~2 +RO +access "
        "$begin_search %2 $type $index $spec %1 $index :1 $find_keys %2 $type $range $spec %3 $lastkey :0 "
        "$keystep :1 "
        "$limit :0 ~0 ");
}

TEST_CASE("the acl field of a row names categories only") {
  for (const auto& row : sample::kRows) CHECK(acl_field_is_valid(row.spec));
  CommandSpec bad = sample::kRows[0].spec;
  bad.acl = "dangerous nosuch";
  CHECK_FALSE(acl_field_is_valid(bad));
  CHECK(acl_category("SortedSet").has_value());
  CHECK_FALSE(acl_category("@read").has_value());
  CHECK(acl_category_names().size() == 21);
}
