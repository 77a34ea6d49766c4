// From a usage line to the argument tree; the lists of names that have a type stand at the end.
#include "common/command/usage.h"

#include <algorithm>
#include <span>

#include "common/base/text.h"
#include "common/command/usage_syntax.h"

namespace vedette {
namespace {

using Kind = UsageScanner::Kind;

// The line as it is bracketed, before tokens are joined with their values.
struct Node {
  Kind kind = Kind::kWord;  // kWord, kOpen (optional group) or kChoose
  std::string_view word = {};
  bool repeats = false;  // a group that ends in "..."
  std::vector<std::vector<Node>> alternatives = {};

  bool operator==(const Node&) const = default;
  bool is_literal() const { return kind == Kind::kWord && is_usage_literal(word); }
};
using Sequence = std::vector<Node>;

// The line has passed usage_fault(), so the brackets balance and the depth is bounded.
std::vector<Sequence> scan_alternatives(UsageScanner& scanner, bool& repeats) {
  std::vector<Sequence> alternatives(1);
  for (auto token = scanner.next(); token.kind != Kind::kEnd; token = scanner.next()) {
    switch (token.kind) {
      case Kind::kWord: alternatives.back().push_back(Node{Kind::kWord, token.text}); break;
      case Kind::kOpen:
      case Kind::kChoose: {
        Node group{token.kind};
        group.alternatives = scan_alternatives(scanner, group.repeats);
        alternatives.back().push_back(std::move(group));
        break;
      }
      case Kind::kBar: alternatives.emplace_back(); break;
      case Kind::kDots: repeats = true; break;
      default: return alternatives;
    }
  }
  return alternatives;
}

std::string literal_name(std::string_view token) {
  if (token == "=") return "equal";
  if (token == "~") return "approximately";
  if (token == "*") return "auto";
  if (token == "$") return "last";
  if (token == "+") return "plus";
  if (token == "\"\"") return "empty-string";
  return to_lower(token);
}

CommandArgument grouped(ArgumentType type, std::vector<CommandArgument> arguments) {
  CommandArgument group;
  group.type = type;
  for (const CommandArgument& argument : arguments) {
    if (!group.name.empty()) group.name += '_';
    group.name += argument.name;
  }
  group.arguments = std::move(arguments);
  return group;
}

CommandArgument single(std::vector<CommandArgument> arguments) {
  return arguments.size() == 1 ? std::move(arguments[0]) : grouped(ArgumentType::kBlock, std::move(arguments));
}

class TreeBuilder {
 public:
  static std::vector<CommandArgument> build(std::span<const Node> nodes) {
    TreeBuilder builder(nodes);
    while (builder.at_ < nodes.size()) builder.add_next();
    return std::move(builder.built_);
  }

 private:
  explicit TreeBuilder(std::span<const Node> nodes) : nodes_(nodes) {}

  void add_next() {
    const Node& node = nodes_[at_];
    if (node.is_literal()) return add_literal();
    if (node.repeats) return add_repetition();
    at_++;
    if (node.kind == Kind::kWord) {
      CommandArgument value;
      value.name = node.word;
      value.type = type_of_argument(node.word);
      built_.push_back(std::move(value));
      return;
    }
    built_.push_back(choice(node));
    if (node.kind == Kind::kOpen) built_.back().optional = true;
  }

  void add_literal() {
    const std::string_view word = nodes_[at_].word;
    const size_t begin = ++at_;
    while (at_ < nodes_.size() && is_value_of_token(begin)) at_++;
    std::vector<CommandArgument> values = build(nodes_.subspan(begin, at_ - begin));
    CommandArgument argument;
    if (values.empty()) {
      argument.type = ArgumentType::kPureToken;
      argument.name = literal_name(word);
    } else {
      argument = single(std::move(values));
    }
    argument.has_token = true;
    argument.token = word == "\"\"" ? std::string_view() : word;
    built_.push_back(std::move(argument));
  }
  // Values, choices and the repetition of a value, not the next token, an option, or the repetition of the
  // token.
  bool is_value_of_token(size_t begin) const {
    const Node& node = nodes_[at_];
    if (node.is_literal()) return false;
    return node.kind != Kind::kOpen || (node.repeats && repeats_before(begin));
  }

  void add_repetition() {
    const Node& node = nodes_[at_];
    const bool again = repeats_before(0);
    at_++;
    std::vector<CommandArgument> turn = build(node.alternatives[0]);
    const size_t turn_size = turn.size();
    CommandArgument argument = single(std::move(turn));
    if (again) {
      // What stands before is the first turn of the same: the repetition takes its place.
      VED_ASSERT(built_.size() >= turn_size);
      for (size_t i = 0; i < turn_size; i++) built_.pop_back();
    } else {
      argument.optional = true;
    }
    argument.multiple = true;
    argument.multiple_token = argument.has_token && argument.type != ArgumentType::kPureToken;
    built_.push_back(std::move(argument));
  }
  bool repeats_before(size_t begin) const {
    const Sequence& group = nodes_[at_].alternatives[0];
    if (at_ - begin < group.size()) return false;
    return std::equal(group.begin(), group.end(), nodes_.begin() + ptrdiff_t(at_ - group.size()));
  }

  static CommandArgument choice(const Node& node) {
    if (node.alternatives.size() == 1) return single(build(node.alternatives[0]));
    std::vector<CommandArgument> branches;
    for (const Sequence& alternative : node.alternatives) branches.push_back(single(build(alternative)));
    return grouped(ArgumentType::kOneOf, std::move(branches));
  }

  std::span<const Node> nodes_;
  size_t at_ = 0;
  std::vector<CommandArgument> built_;
};

// Gives each key of a tree its spec: by its token where the row looks for that keyword (or names it in the
// notes of a spec that only the handler can follow), else the specs of fixed place in turn, the last for all
// further keys.
class KeyLinker {
 public:
  explicit KeyLinker(const CommandSpec& spec) : spec_(spec) {}

  void link(std::vector<CommandArgument>& arguments, std::string_view outer_token = {}) {
    for (CommandArgument& argument : arguments) {
      const std::string_view token = argument.has_token ? std::string_view(argument.token) : outer_token;
      if (argument.type == ArgumentType::kKey) {
        argument.key_spec_index = spec_of_keyword(token);
        if (argument.key_spec_index < 0) argument.key_spec_index = next_placed();
        if (argument.key_spec_index < 0) argument.type = ArgumentType::kString;
      } else if (argument.type == ArgumentType::kPattern) {
        argument.key_spec_index = spec_of_keyword(token);
      }
      link(argument.arguments, token);
    }
  }

 private:
  int spec_of_keyword(std::string_view token) const {
    if (token.empty()) return -1;
    for (int i = 0; i < kKeySpecsMax; i++) {
      const KeySpec& key = spec_.keys[i];
      if (key.begin == KeySpec::Begin::kKeyword && key.keyword == token) return i;
      if (key.begin == KeySpec::Begin::kUnknown && key.notes.find(token) != std::string_view::npos) return i;
    }
    return -1;
  }
  int next_placed() {
    for (int i = last_ + 1; i < kKeySpecsMax; i++)
      if (spec_.keys[i].begin == KeySpec::Begin::kIndex && !(spec_.keys[i].flags & kKeyNotKey)) return last_ = i;
    return last_;
  }

  const CommandSpec& spec_;
  int last_ = -1;
};

constexpr std::string_view kKeyNames[] = {"key", "key1", "key2", "newkey", "source", "destination", "destkey", "sourcekey", "src", "dst"};
constexpr std::string_view kIntegerNames[] = {
    "bit",          "bits",      "client-id",   "count",     "cursor",  "db",       "decrement",   "destination-db", "end",
    "epoch",        "frequency", "increment",   "index",     "index1",  "index2",   "len",         "length",         "limit",
    "milliseconds", "ms",        "num-matches", "numfields", "numkeys", "numlocal", "numreplicas", "offset",         "port",
    "protover",     "quorum",    "rank",        "seconds",   "start",   "stop",     "ttl",         "version",        "weight"};
constexpr std::string_view kDoubleNames[] = {"height", "latitude", "longitude", "radius", "score", "timeout", "width"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view to_text(ArgumentType type) {
  switch (type) {
    case ArgumentType::kString: return "string";
    case ArgumentType::kInteger: return "integer";
    case ArgumentType::kDouble: return "double";
    case ArgumentType::kKey: return "key";
    case ArgumentType::kPattern: return "pattern";
    case ArgumentType::kUnixTime: return "unix-time";
    case ArgumentType::kPureToken: return "pure-token";
    case ArgumentType::kOneOf: return "oneof";
    case ArgumentType::kBlock: return "block";
  }
  VED_ASSERT(false);
  return {};
}

ArgumentType type_of_argument(std::string_view name) {
  if (is_one_of(kKeyNames, name)) return ArgumentType::kKey;
  if (is_one_of(kIntegerNames, name)) return ArgumentType::kInteger;
  if (is_one_of(kDoubleNames, name) || name.ends_with("-float")) return ArgumentType::kDouble;
  if (name == "pattern") return ArgumentType::kPattern;
  if (name == "timestamp" || name.starts_with("unix-time")) return ArgumentType::kUnixTime;
  return ArgumentType::kString;
}

Result<std::vector<CommandArgument>> parse_usage(std::string_view usage) {
  if (const std::string_view fault = usage_fault(usage); !fault.empty())
    return Error(std::string(fault) + " in the usage line '" + std::string(usage) + "'");
  UsageScanner scanner(usage);
  bool repeats = false;
  return TreeBuilder::build(scan_alternatives(scanner, repeats)[0]);
}

Result<std::vector<CommandArgument>> arguments_of(const CommandSpec& spec) {
  Result<std::vector<CommandArgument>> tree = parse_usage(spec.usage);
  if (tree) KeyLinker(spec).link(*tree);
  return tree;
}

}  // namespace vedette
