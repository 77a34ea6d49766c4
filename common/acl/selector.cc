// Rules: what they change, and how they are told again.
#include "common/acl/selector.h"

#include <algorithm>

#include "common/base/text.h"

namespace vedette {
namespace {

// As isspace() of the C locale.
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_either(std::string_view rule, std::string_view one, std::string_view other) {
  return equals_ignoring_case(rule, one) || equals_ignoring_case(rule, other);
}

void append_word(std::string& to, std::string_view word) {
  if (!to.empty()) to += ' ';
  to += word;
}

}  // namespace

std::string_view to_text(AclFault fault) {
  switch (fault) {
    case AclFault::kNone: break;
    case AclFault::kSyntax: return "Syntax error";
    case AclFault::kUnknownName: return "Unknown command or category name in ACL";
    case AclFault::kKeysAreOpen:
      return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
             "any effect. Try 'resetkeys' "
             "to start with an empty list of patterns";
    case AclFault::kChannelsAreOpen:
      return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
             "have any effect. Try "
             "'resetchannels' to start with an empty list of channels";
    case AclFault::kNoSuchPassword: return "The password you are trying to remove from the user does not exist";
    case AclFault::kBadHash:
      return "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
             "characters";
    case AclFault::kArgumentOfSubcommand: return "Allowing first-arg of a subcommand is not supported";
  }
  return "";
}

bool has_blank_or_nul(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '\0' || is_blank(c); });
}

AclFault AclSelector::apply(std::string_view rule) {
  if (is_either(rule, "allkeys", "~*") || equals_ignoring_case(rule, "resetkeys")) {
    all_keys_ = !equals_ignoring_case(rule, "resetkeys");
    keys_.clear();
    return AclFault::kNone;
  }
  if (is_either(rule, "allchannels", "&*") || equals_ignoring_case(rule, "resetchannels")) {
    all_channels_ = !equals_ignoring_case(rule, "resetchannels");
    channels_.clear();
    return AclFault::kNone;
  }
  const bool all = is_either(rule, "allcommands", "+@all");
  if (all || is_either(rule, "nocommands", "-@all")) {
    set_all_commands(all);
    return AclFault::kNone;
  }
  switch (rule.empty() ? '\0' : rule[0]) {
    case '~':
    case '%': return apply_key_rule(rule);
    case '&': return apply_channel_rule(rule.substr(1));
    case '+':
    case '-': return apply_command_rule(rule);
    default: return AclFault::kSyntax;
  }
}

AclFault AclSelector::apply_key_rule(std::string_view rule) {
  if (all_keys_) return AclFault::kKeysAreOpen;
  uint8_t permissions = rule[0] == '~' ? kAclReadWrite : 0;
  size_t at = 1;
  if (rule[0] == '%') {
    for (; at < rule.size() && rule[at] != '~'; at++) {
      const char letter = to_upper(rule[at]);
      const uint8_t permission = letter == 'R' ? kAclRead : letter == 'W' ? kAclWrite : 0;
      if (!permission || (permissions & permission)) return AclFault::kSyntax;
      permissions |= permission;
    }
    at = std::min(at + 1, rule.size());
  }
  const std::string_view pattern = rule.substr(at);
  if (!permissions || has_blank_or_nul(pattern)) return AclFault::kSyntax;
  keys_.add(pattern, permissions);
  if (pattern == "*" && permits_for_all_keys(kAclReadWrite)) return apply("allkeys");  // as which it is told
  return AclFault::kNone;
}

AclFault AclSelector::apply_channel_rule(std::string_view pattern) {
  if (all_channels_) return AclFault::kChannelsAreOpen;
  if (has_blank_or_nul(pattern)) return AclFault::kSyntax;
  channels_.add(pattern, 0);
  return AclFault::kNone;
}

AclFault AclSelector::apply_command_rule(std::string_view rule) {
  const bool permitted = rule[0] == '+';
  const std::string_view name = rule.substr(1);
  if (name.starts_with('@')) {
    const auto category = acl_category(name.substr(1));
    if (!category) return AclFault::kUnknownName;
    set_category(*category, permitted);
    note_rule(name, permitted);
    return AclFault::kNone;
  }
  const int id = catalog_->find(name);
  if (id < 0) return permitted ? permit_first_argument(name) : AclFault::kUnknownName;
  set_command(id, permitted);
  note_rule(name, permitted);
  return AclFault::kNone;
}

// "select|0": a command without subcommands, with this argument alone.
AclFault AclSelector::permit_first_argument(std::string_view name) {
  const size_t bar = name.rfind('|');
  if (bar == name.npos) return AclFault::kUnknownName;
  const int id = catalog_->find(name.substr(0, bar));
  const std::string_view argument = name.substr(bar + 1);
  if (id < 0) return AclFault::kUnknownName;
  if ((*catalog_)[id].parent >= 0) return AclFault::kArgumentOfSubcommand;
  if (argument.empty()) return AclFault::kSyntax;
  if (!(*catalog_)[id].subcommands.empty()) return AclFault::kUnknownName;
  if (has_blank_or_nul(argument) || argument.find('(') != argument.npos || argument.find(')') != argument.npos ||
      argument.find_first_of("\"'\\") != argument.npos)
    return AclFault::kSyntax;  // it could not be written down as a rule again
  first_arguments_.emplace(id, to_lower(argument));
  note_rule(name, true);
  return AclFault::kNone;
}

void AclSelector::set_all_commands(bool permitted) {
  commands_.assign((size_t(catalog_->size()) + 63) / 64, permitted ? ~uint64_t(0) : 0);
  future_commands_ = permitted;
  rules_.clear();
  first_arguments_.clear();
}

void AclSelector::set(int id, bool permitted) {
  const uint64_t bit = uint64_t(1) << (id % 64);
  uint64_t& word = commands_[size_t(id) / 64];
  word = permitted ? word | bit : word & ~bit;
}

void AclSelector::set_command(int id, bool permitted) {
  set(id, permitted);
  first_arguments_.erase(first_arguments_.lower_bound({id, ""}), first_arguments_.lower_bound({id + 1, ""}));
  for (const int sub : (*catalog_)[id].subcommands) set(sub, permitted);
}

void AclSelector::set_category(AclCategories category, bool permitted) {
  for (int id = 0; id < catalog_->size(); id++)
    if ((*catalog_)[id].categories & category) set_command(id, permitted);
}

// A rule supersedes earlier ones of the same name, and those of its parts ("config" those of "config|get").
void AclSelector::note_rule(std::string_view name, bool permitted) {
  const std::string lower = to_lower(name);
  rules_.erase(rules_.lower_bound(lower + '|'), rules_.lower_bound(lower + char('|' + 1)));
  rules_.insert_or_assign(lower, Rule{turns_++, permitted});
}

std::string AclSelector::commands() const {
  std::vector<std::pair<uint32_t, std::string>> in_order;
  for (const auto& [name, rule] : rules_) in_order.emplace_back(rule.turn, (rule.permits ? '+' : '-') + name);
  std::sort(in_order.begin(), in_order.end());
  std::string text = future_commands_ ? "+@all" : "-@all";
  for (const auto& [turn, rule] : in_order) append_word(text, rule);
  return text;
}

std::string AclSelector::keys() const {
  if (all_keys_) return "~*";
  std::string text;
  for (size_t i = 0; i < keys_.size(); i++) {
    const uint8_t permissions = keys_.permissions(i);
    append_word(text, permissions == kAclReadWrite ? "~" : permissions == kAclRead ? "%R~" : "%W~");
    text += keys_.text(i);
  }
  return text;
}

std::string AclSelector::channels() const {
  if (all_channels_) return "&*";
  std::string text;
  for (size_t i = 0; i < channels_.size(); i++) {
    append_word(text, "&");
    text += channels_.text(i);
  }
  return text;
}

std::string AclSelector::description() const {
  std::string text = keys();
  if (!all_channels_) append_word(text, "resetchannels");
  if (const std::string listed = channels(); !listed.empty()) append_word(text, listed);
  append_word(text, commands());
  return text;
}

// A word that ends with a parenthesis would end the selector.
std::string AclSelector::enclosed_description() const {
  const std::string plain = description();
  std::string text;
  for (size_t at = 0; at < plain.size();) {
    const size_t end = std::min(plain.find(' ', at), plain.size());
    const std::string_view word = std::string_view(plain).substr(at, end - at);
    append_word(text, word.ends_with(')') ? quoted(word) : quoted_if_needed(word));
    at = end + 1;
  }
  return "(" + text + ")";
}

bool AclSelector::permits_everything() const {
  if (!all_keys_ || !all_channels_) return false;
  for (int id = 0; id < catalog_->size(); id++)
    if (!permits_command(id)) return false;
  return true;
}

bool AclSelector::permits_for_all_keys(uint8_t need) const {
  if (all_keys_) return true;
  for (size_t i = 0; i < keys_.size(); i++)
    if (keys_.text(i) == "*" && (keys_.permissions(i) & need) == need) return true;
  return false;
}

bool AclSelector::has_first_arguments(int id) const {
  const auto first = first_arguments_.lower_bound({id, ""});
  return first != first_arguments_.end() && first->first == id;
}

bool AclSelector::permits_first_argument(const AclRequest& request) const {
  if (request.args.size() < 2) return false;
  for (auto one = first_arguments_.lower_bound({request.id, ""}); one != first_arguments_.end() && one->first == request.id; ++one)
    if (equals_ignoring_case(one->second, request.args[1])) return true;
  return false;
}

AclDecision AclSelector::decide(AclRequest& request) const {
  if (!permits_command(request.id) && !permits_first_argument(request)) return {AclDenial::kCommand};
  if (!all_keys_ && request.command.has_keys)
    for (const KeyPosition& key : request.keys())
      if (!keys_.match(request.args[size_t(key.index)], acl_permissions_for(key.flags))) return {AclDenial::kKey, key.index};
  const AclCommand::Channels channels = request.command.channels;
  if (all_channels_ || channels == AclCommand::Channels::kNone) return {};
  const size_t end = channels == AclCommand::Channels::kOne ? 2 : request.args.size();
  for (size_t i = 1; i < end; i++)
    if (!permits_channel(request.args[i], channels == AclCommand::Channels::kAllPatterns)) return {AclDenial::kChannel, int(i)};
  return {};
}

}  // namespace vedette
