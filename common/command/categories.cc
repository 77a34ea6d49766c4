// The names of the categories, and how group and flags give them.
#include "common/command/categories.h"

#include "common/base/text.h"

namespace vedette {
namespace {

enum Category : AclCategories {
  kCatKeyspace = 1u << 0,
  kCatRead = 1u << 1,
  kCatWrite = 1u << 2,
  kCatAdmin = 1u << 13,
  kCatPubSub = 1u << 12,
  kCatFast = 1u << 14,
  kCatSlow = 1u << 15,
  kCatBlocking = 1u << 16,
  kCatDangerous = 1u << 17,
  kCatConnection = 1u << 18,
  kCatTransaction = 1u << 19,
  kCatScripting = 1u << 20,
};
constexpr std::string_view kNames[] = {"keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
                                       "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
                                       "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};
constexpr size_t bit_of(Category category) { return size_t(__builtin_ctz(category)); }
static_assert(kNames[bit_of(kCatAdmin)] == "admin" && kNames[bit_of(kCatPubSub)] == "pubsub");
static_assert(kNames[bit_of(kCatDangerous)] == "dangerous" && kNames[bit_of(kCatScripting)] == "scripting");

// Most groups bear their category's name; "server" and "cluster" have none, "pubsub" follows the flag.
AclCategories category_of_group(std::string_view group) {
  if (group == "generic") return kCatKeyspace;
  if (group == "sorted-set") return *acl_category("sortedset");
  if (group == "transactions") return kCatTransaction;
  if (group == "pubsub") return 0;
  return acl_category(group).value_or(0);
}

template <class Visit>
bool each_word(std::string_view words, Visit visit) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (end > 0 && !visit(words.substr(0, end))) return false;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return true;
}

// Adds and takes back what `field` says; false at a word that names no category.
bool apply_field(std::string_view field, AclCategories& categories) {
  return each_word(field, [&](std::string_view word) {
    const bool take_back = word.starts_with('-');
    const std::optional<AclCategories> category = acl_category(take_back ? word.substr(1) : word);
    if (!category) return false;
    categories = take_back ? categories & ~*category : categories | *category;
    return true;
  });
}

}  // namespace

std::span<const std::string_view> acl_category_names() { return kNames; }

std::optional<AclCategories> acl_category(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); i++)
    if (equals_ignoring_case(kNames[i], name)) return AclCategories(1) << i;
  return std::nullopt;
}

AclCategories acl_categories(const CommandInfo& command) {
  AclCategories categories = command.subcommands.empty() ? category_of_group(command.spec->category) : 0;
  const bool scripting = (categories & kCatScripting) != 0;  // what a script reads, it is judged for itself
  if (command.flags & kWrite) categories |= kCatWrite;
  if ((command.flags & kReadOnly) && !scripting) categories |= kCatRead;
  if (command.flags & kAdmin) categories |= kCatAdmin | kCatDangerous;
  if (command.flags & kPubSub) categories |= kCatPubSub;
  if (command.flags & kBlocking) categories |= kCatBlocking;
  categories |= command.flags & kFast ? kCatFast : kCatSlow;
  const bool valid = apply_field(command.spec->acl, categories);
  VED_ASSERT(valid);
  return categories;
}

bool acl_field_is_valid(const CommandSpec& spec) {
  AclCategories unused = 0;
  return apply_field(spec.acl, unused);
}

}  // namespace vedette
