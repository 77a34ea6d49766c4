// Storing users, logging in, and files of users.
#include "common/acl/users.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "common/base/sha256.h"
#include "common/base/text.h"

namespace vedette {
namespace {

constexpr std::string_view kDefaultName = "default";
static_assert(std::is_nothrow_move_constructible_v<AclUser>);  // a growing list of them would copy all else

std::string_view strip(std::string_view text, std::string_view blanks) {
  const size_t first = text.find_first_not_of(blanks);
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Between single blanks: two in a row enclose an empty word, which as a rule says nothing.
std::vector<std::string_view> split_at_blanks(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at <= line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

Status check_user_name(std::string_view name) {
  return has_blank_or_nul(name) ? Status(failure("Usernames can't contain spaces or null characters")) : Status::ok();
}

AclUsers::AclUsers(const AclCatalog& catalog) : catalog_(catalog) {
  auto user = std::make_unique<AclUser>(AclUser::make_default(catalog));
  default_ = user.get();
  users_.emplace(kDefaultName, std::move(user));
}

const AclUser* AclUsers::find(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : found->second.get();
}

Result<AclUser> AclUsers::changed(std::string_view name, std::span<const std::string_view> rules) const {
  if (Status status = check_user_name(name); !status) return status.error();
  const MergedRules merged = merge_selectors(rules);
  if (merged.unmatched >= 0)
    return failure(fmt::format("Unmatched parenthesis in acl selector starting at '{}'.", shown_word(rules[size_t(merged.unmatched)])));
  const AclUser* present = find(name);
  AclUser user = present ? *present : AclUser(catalog_, std::string(name), defaults);
  for (const std::string& rule : merged.rules)
    if (const AclFault fault = user.apply(rule, defaults); fault != AclFault::kNone)
      return failure(fmt::format("Error in ACL SETUSER modifier '{}': {}", shown_word(rule), to_text(fault)));
  return user;
}

const AclUser& AclUsers::store(AclUser user) {
  auto& place = users_[user.name()];
  if (!place) return *(place = std::make_unique<AclUser>(std::move(user)));
  const bool is_in_use = place->is_compiled();
  *place = std::move(user);
  if (is_in_use) place->compile();
  return *place;
}

std::unique_ptr<AclUser> AclUsers::take(std::string_view name) {
  VED_ASSERT(name != kDefaultName);
  const auto found = users_.find(name);
  if (found == users_.end()) return nullptr;
  std::unique_ptr<AclUser> user = std::move(found->second);
  users_.erase(found);
  return user;
}

const AclUser* AclUsers::log_in(std::string_view name, std::string_view password) {
  const auto found = users_.find(name);
  AclUser* user = found == users_.end() || !found->second->is_on() ? nullptr : found->second.get();
  if (!user || !user->needs_no_password()) {
    const std::string digest = sha256_hex(password);
    bool is_known = false;
    if (user)
      for (const std::string& known : user->password_digests()) is_known |= equals_in_constant_time(known, digest);
    if (!is_known) return nullptr;
  }
  if (!user->is_compiled()) user->compile();
  return user;
}

AclUser AclUsers::default_with_digest(std::string_view digest) const {
  AclUser user = *default_;
  const std::string rule = digest.empty() ? "nopass" : "#" + std::string(digest);
  for (const std::string_view one : {std::string_view("resetpass"), std::string_view(rule)}) {
    const AclFault fault = user.apply(one, defaults);
    VED_ASSERT(fault == AclFault::kNone);
  }
  return user;
}

std::string AclUsers::file_text() const {
  std::string text;
  each([&](const AclUser& user) { text += fmt::format("user {} {}\n", user.name(), user.description()); });
  return text;
}

Result<std::vector<AclUser>> AclUsers::read(std::string_view text, std::string_view file) const {
  Reading reading;
  std::string errors;
  for (int number = 1; !text.empty(); number++) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = strip(text.substr(0, end), " \t\r\n");
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty()) errors += read_line(line, fmt::format("{}:{}", file, number), number, reading);
  }
  if (!errors.empty()) return Error(errors + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed");
  return std::move(reading.users);
}

// What is wrong with the line: nothing, or sentences with a blank behind each.
std::string AclUsers::read_line(std::string_view line, std::string_view place, int number, Reading& reading) const {
  const std::vector<std::string_view> words = split_at_blanks(line);
  if (words[0] != "user" || words.size() < 2) return fmt::format("{} should start with user keyword followed by the username. ", place);
  const std::string_view name = words[1];
  if (has_blank_or_nul(name)) return fmt::format("'{}: username '{}' contains invalid characters. ", place, shown_word(name));
  if (!reading.names.emplace(name).second) return fmt::format("WARNING: Duplicate user '{}' found on line {}. ", name, number);
  AclUser& user = reading.users.emplace_back(catalog_, std::string(name), defaults);
  const MergedRules merged = merge_selectors(std::span(words).subspan(2));
  if (merged.unmatched >= 0) return fmt::format("{}: Unmatched parenthesis in selector definition.", place);
  std::string errors;
  bool is_told = false;  // what is wrong behind the first fault may be its consequence, but for names that do not exist
  for (const std::string& rule : merged.rules) {
    const std::string_view stripped = strip(rule, "\t\r\n");
    const AclFault fault = user.apply(stripped, defaults);
    if (fault == AclFault::kUnknownName)
      errors += fmt::format("{}: Error in applying operation '{}': {}. ", place, shown_word(stripped), to_text(fault));
    else if (fault != AclFault::kNone && !std::exchange(is_told, true)) errors += fmt::format("{}: {}. ", place, to_text(fault));
  }
  return errors;
}

}  // namespace vedette
