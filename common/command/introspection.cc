// The replies of COMMAND as values, from the table's rows.
#include "common/command/introspection.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/command/categories.h"
#include "common/command/key_positions.h"
#include "common/command/usage.h"

namespace vedette {
namespace {

struct FlagName {
  uint32_t flag;
  std::string_view name;
};
// In the order in which clients have always seen them. Flags that are not here are ours alone.
constexpr FlagName kCommandFlagNames[] = {{kWrite, "write"},
                                          {kReadOnly, "readonly"},
                                          {kDenyOom, "denyoom"},
                                          {kAdmin, "admin"},
                                          {kPubSub, "pubsub"},
                                          {kNoScript, "noscript"},
                                          {kBlocking, "blocking"},
                                          {kLoading, "loading"},
                                          {kStale, "stale"},
                                          {kSkipMonitor, "skip_monitor"},
                                          {kSkipSlowLog, "skip_slowlog"},
                                          {kAsking, "asking"},
                                          {kFast, "fast"},
                                          {kNoAuth, "no_auth"},
                                          {kNoMandatoryKeys, "no_mandatory_keys"},
                                          {kNoAsyncLoading, "no_async_loading"},
                                          {kNoMulti, "no_multi"},
                                          {kMovableKeys, "movablekeys"},
                                          {kAllowBusy, "allow_busy"}};
constexpr FlagName kKeyFlagNames[] = {{kKeyRO, "RO"},
                                      {kKeyRW, "RW"},
                                      {kKeyOW, "OW"},
                                      {kKeyRM, "RM"},
                                      {kKeyAccess, "access"},
                                      {kKeyUpdate, "update"},
                                      {kKeyInsert, "insert"},
                                      {kKeyDelete, "delete"},
                                      {kKeyNotKey, "not_key"},
                                      {kKeyIncomplete, "incomplete"},
                                      {kKeyVariableFlags, "variable_flags"}};

ReplyValue flag_set(std::span<const FlagName> names, uint32_t flags) {
  ReplyValue set = ReplyValue::set();
  for (const FlagName& flag : names)
    if (flags & flag.flag) set.add(ReplyValue::status(flag.name));
  return set;
}

// "a,b" -> visit("a"), visit("b"); nothing for an empty text.
template <class Visit>
void split(std::string_view text, char separator, Visit visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    visit(trim(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// "since|text" -> the two halves.
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  const size_t bar = std::min(text.find('|'), text.size());
  return {text.substr(0, bar), text.substr(std::min(bar + 1, text.size()))};
}

ReplyValue category_set(const CommandInfo& command) {
  ReplyValue set = ReplyValue::set();
  const AclCategories categories = acl_categories(command);
  const auto names = acl_category_names();
  for (size_t i = 0; i < names.size(); i++)
    if (categories & (AclCategories(1) << i)) set.add(ReplyValue::status("@" + std::string(names[i])));
  return set;
}

ReplyValue tip_set(const CommandInfo& command) {
  ReplyValue set = ReplyValue::set();
  split(command.spec->tips, ',', [&](std::string_view tip) { set.add(ReplyValue::bulk(tip)); });
  return set;
}

ReplyValue typed(std::string_view type, ReplyValue spec) {
  ReplyValue map = ReplyValue::map();
  map.add("type", ReplyValue::bulk(type));
  map.add("spec", std::move(spec));
  return map;
}

ReplyValue begin_search_of(const KeySpec& key) {
  ReplyValue spec = ReplyValue::map();
  switch (key.begin) {
    case KeySpec::Begin::kIndex: spec.add("index", ReplyValue::integer(key.index)); return typed("index", spec);
    case KeySpec::Begin::kKeyword:
      spec.add("keyword", ReplyValue::bulk(key.keyword));
      spec.add("startfrom", ReplyValue::integer(key.index));
      return typed("keyword", spec);
    default: return typed("unknown", spec);
  }
}

ReplyValue find_keys_of(const KeySpec& key) {
  ReplyValue spec = ReplyValue::map();
  if (key.begin == KeySpec::Begin::kUnknown || key.find == KeySpec::Find::kUnknown) return typed("unknown", spec);
  if (key.find == KeySpec::Find::kRange) {
    spec.add("lastkey", ReplyValue::integer(key.last));
    spec.add("keystep", ReplyValue::integer(key.step));
    spec.add("limit", ReplyValue::integer(key.limit));
    return typed("range", spec);
  }
  spec.add("keynumidx", ReplyValue::integer(key.count_index));
  spec.add("firstkey", ReplyValue::integer(key.first));
  spec.add("keystep", ReplyValue::integer(key.step));
  return typed("keynum", spec);
}

ReplyValue key_spec_set(const CommandInfo& command) {
  ReplyValue set = ReplyValue::set();
  for (const KeySpec& key : command.spec->keys) {
    if (key.begin == KeySpec::Begin::kNone) continue;
    ReplyValue map = ReplyValue::map();
    if (!key.notes.empty()) map.add("notes", ReplyValue::bulk(key.notes));
    map.add("flags", flag_set(kKeyFlagNames, key.flags));
    map.add("begin_search", begin_search_of(key));
    map.add("find_keys", find_keys_of(key));
    set.add(std::move(map));
  }
  return set;
}

ReplyValue argument_list(const std::vector<CommandArgument>& arguments) {
  ReplyValue list = ReplyValue::array();
  for (const CommandArgument& argument : arguments) {
    ReplyValue map = ReplyValue::map();
    map.add("name", ReplyValue::bulk(argument.name));
    map.add("type", ReplyValue::bulk(to_text(argument.type)));
    if (argument.key_spec_index >= 0) map.add("key_spec_index", ReplyValue::integer(argument.key_spec_index));
    if (argument.has_token) map.add("token", ReplyValue::bulk(argument.token));
    ReplyValue flags = ReplyValue::set();
    if (argument.optional) flags.add(ReplyValue::status("optional"));
    if (argument.multiple) flags.add(ReplyValue::status("multiple"));
    if (argument.multiple_token) flags.add(ReplyValue::status("multiple_token"));
    if (!flags.items.empty()) map.add("flags", std::move(flags));
    if (!argument.arguments.empty()) map.add("arguments", argument_list(argument.arguments));
    list.add(std::move(map));
  }
  return list;
}

ReplyValue history_set(std::string_view history) {
  ReplyValue set = ReplyValue::set();
  split(history, '\n', [&](std::string_view line) {
    const auto [version, change] = halves(line);
    set.add(ReplyValue::array({ReplyValue::bulk(version), ReplyValue::bulk(change)}));
  });
  return set;
}

ReplyValue docs_of(const CommandInfo& command) {
  const CommandSpec& spec = *command.spec;
  ReplyValue map = ReplyValue::map();
  map.add("summary", ReplyValue::bulk(spec.summary));
  map.add("since", ReplyValue::bulk(spec.since));
  map.add("group", ReplyValue::bulk(spec.category));
  if (!spec.complexity.empty()) map.add("complexity", ReplyValue::bulk(spec.complexity));
  if (!spec.deprecated.empty()) {
    const auto [since, replacement] = halves(spec.deprecated);
    map.add("doc_flags", ReplyValue::set({ReplyValue::status("deprecated")}));
    map.add("deprecated_since", ReplyValue::bulk(since));
    if (!replacement.empty()) map.add("replaced_by", ReplyValue::bulk(replacement));
  }
  if (!spec.history.empty()) map.add("history", history_set(spec.history));
  const auto arguments = arguments_of(spec);
  VED_ASSERT(arguments.is_ok());  // is_consistent() has checked the notation
  if (!arguments->empty()) map.add("arguments", argument_list(*arguments));
  if (!command.subcommands.empty()) {
    ReplyValue subcommands = ReplyValue::map();
    for (const CommandInfo* sub : command.subcommands) subcommands.add(sub->name, docs_of(*sub));
    map.add("subcommands", std::move(subcommands));
  }
  return map;
}

template <class Accept>
ReplyValue names_where(const CommandIndex& table, Accept accept) {
  ReplyValue list = ReplyValue::array();
  for (const CommandInfo* command : table.commands()) {
    if (accept(*command)) list.add(ReplyValue::bulk(command->name));
    for (const CommandInfo* sub : command->subcommands)
      if (accept(*sub)) list.add(ReplyValue::bulk(sub->name));
  }
  return list;
}

// The keys of a request that is itself the argument of a command. `found` is filled on success.
Status keys_of_request(const CommandIndex& table, CommandNames request, std::vector<KeyPosition>& found) {
  const CommandInfo* command = request.empty() ? nullptr : table.find(request);
  const bool unknown_subcommand = command && !command->subcommands.empty() && request.size() > 1;
  if (!command || unknown_subcommand) return failure("Invalid command specified");
  if (!has_key_arguments(*command)) return failure("The command has no key arguments");
  if (!command->accepts_argument_count(request.size())) return failure("Invalid number of arguments specified for command");
  const bool fits = find_keys(*command, request, found);
  if (found.empty() && (command->flags & kNoMandatoryKeys)) return Status::ok();
  if (!fits || found.empty()) return failure("Invalid arguments specified for command");
  return Status::ok();
}

// A usage line in the manner of a help text: values in angle brackets, choices in parentheses.
std::string help_usage(std::string_view usage) {
  using Kind = UsageScanner::Kind;
  std::string text;
  bool glue = true;  // no blank before the next token
  UsageScanner scanner(usage);
  for (auto token = scanner.next(); token.kind != Kind::kEnd; token = scanner.next()) {
    const bool closes = token.kind == Kind::kClose || token.kind == Kind::kChosen || token.kind == Kind::kBar;
    if (!glue && !closes) text += ' ';
    glue = token.kind == Kind::kOpen || token.kind == Kind::kChoose || token.kind == Kind::kBar;
    switch (token.kind) {
      case Kind::kOpen: text += '['; break;
      case Kind::kClose: text += ']'; break;
      case Kind::kChoose: text += '('; break;
      case Kind::kChosen: text += ')'; break;
      case Kind::kBar: text += '|'; break;
      case Kind::kDots: text += "..."; break;
      default: text += is_usage_literal(token.text) ? std::string(token.text) : "<" + std::string(token.text) + ">";
    }
  }
  return text;
}

// Lines of at most 80 characters, indented by four.
void add_wrapped(ReplyValue& lines, std::string_view text) {
  constexpr std::string_view kIndent = "    ";
  constexpr size_t kWidth = 80;
  std::string line(kIndent);
  split(text, ' ', [&](std::string_view word) {
    if (line.size() > kIndent.size() && line.size() + 1 + word.size() > kWidth) {
      lines.add(ReplyValue::status(line));
      line = kIndent;
    }
    if (line.size() > kIndent.size()) line += ' ';
    line += word;
  });
  lines.add(ReplyValue::status(line));
}

}  // namespace

ReplyValue command_info(const CommandInfo& command) {
  ReplyValue fields = ReplyValue::array();
  fields.add(ReplyValue::bulk(command.name));
  fields.add(ReplyValue::integer(command.arity));
  // A container that runs nothing without a subcommand does not tell that its HELP may be asked for at any time.
  const bool runs = command.subcommands.empty() || command.accepts_argument_count(1);
  const uint32_t untold = runs ? 0 : kLoading | kStale;
  fields.add(flag_set(kCommandFlagNames, command.flags & ~untold));
  fields.add(ReplyValue::integer(command.first_key));
  fields.add(ReplyValue::integer(command.last_key));
  fields.add(ReplyValue::integer(command.key_step));
  fields.add(category_set(command));
  fields.add(tip_set(command));
  fields.add(key_spec_set(command));
  // An empty set where there are none, an array where there are some: so clients have always got it.
  ReplyValue subcommands = command.subcommands.empty() ? ReplyValue::set() : ReplyValue::array();
  for (const CommandInfo* sub : command.subcommands) subcommands.add(command_info(*sub));
  fields.add(std::move(subcommands));
  return fields;
}

ReplyValue command_infos(const CommandIndex& table, CommandNames names) {
  ReplyValue list = ReplyValue::array();
  if (names.empty())
    for (const CommandInfo* command : table.commands()) list.add(command_info(*command));
  for (std::string_view name : names) {
    const CommandInfo* command = table.find_full_name(name);
    list.add(command ? command_info(*command) : ReplyValue::null());
  }
  return list;
}

ReplyValue command_docs(const CommandIndex& table, CommandNames names) {
  ReplyValue map = ReplyValue::map();
  if (names.empty())
    for (const CommandInfo* command : table.commands()) map.add(command->name, docs_of(*command));
  for (std::string_view name : names)
    if (const CommandInfo* command = table.find_full_name(name)) map.add(command->name, docs_of(*command));
  return map;
}

ReplyValue command_count(const CommandIndex& table) { return ReplyValue::integer(int64_t(table.commands().size())); }

Result<ReplyValue> command_list(const CommandIndex& table, CommandNames options) {
  if (options.empty()) return names_where(table, [](const CommandInfo&) { return true; });
  if (options.size() != 3 || !equals_ignoring_case(options[0], "FILTERBY")) return failure("syntax error");
  const std::string_view filter = options[2];
  if (equals_ignoring_case(options[1], "MODULE"))  // no command stems from a module
    return names_where(table, [](const CommandInfo&) { return false; });
  if (equals_ignoring_case(options[1], "ACLCAT")) {
    const AclCategories wanted = acl_category(filter).value_or(0);
    return names_where(table, [&](const CommandInfo& command) { return (acl_categories(command) & wanted) != 0; });
  }
  if (equals_ignoring_case(options[1], "PATTERN"))
    return names_where(table, [&](const CommandInfo& command) { return glob_match(filter, command.name, true); });
  return failure("syntax error");
}

Result<ReplyValue> command_getkeys(const CommandIndex& table, CommandNames request) {
  std::vector<KeyPosition> found;
  if (Status status = keys_of_request(table, request, found); !status) return Error(status.error());
  ReplyValue list = ReplyValue::array();
  for (const KeyPosition& key : found) list.add(ReplyValue::bulk(request[size_t(key.index)]));
  return list;
}

Result<ReplyValue> command_getkeysandflags(const CommandIndex& table, CommandNames request) {
  std::vector<KeyPosition> found;
  if (Status status = keys_of_request(table, request, found); !status) return Error(status.error());
  ReplyValue list = ReplyValue::array();
  for (const KeyPosition& key : found)
    list.add(ReplyValue::array({ReplyValue::bulk(request[size_t(key.index)]), flag_set(kKeyFlagNames, key.flags)}));
  return list;
}

ReplyValue container_help(const CommandInfo& container) {
  ReplyValue lines = ReplyValue::array();
  lines.add(ReplyValue::status(std::string(container.spec->name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
  for (const CommandInfo* sub : container.subcommands) {
    const std::string_view full_name = sub->spec->name;
    const std::string_view name = full_name.substr(full_name.find('|') + 1);
    if (name == "HELP") continue;
    const std::string usage = help_usage(sub->spec->usage);
    lines.add(ReplyValue::status(usage.empty() ? std::string(name) : std::string(name) + " " + usage));
    add_wrapped(lines, sub->spec->summary);
  }
  lines.add(ReplyValue::status("HELP"));
  lines.add(ReplyValue::status("    Prints this help."));
  return lines;
}

}  // namespace vedette
