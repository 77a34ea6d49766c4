// The categories of access control (@read, @string, @dangerous ...) that a command belongs to. They follow
// from its row: the flags give read, write, admin with dangerous, pubsub, blocking, and fast or slow; the
// documentation's group gives that of the data type; the row's `acl` field adds what neither tells, or takes
// back with '-'.
//
// A pure container (CONFIG) belongs to no group's category: its subcommands do, each by its own row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/command/table.h"

namespace vedette {

/// A set of categories, one bit each, in the order of acl_category_names().
using AclCategories = uint32_t;

/// All names without '@', in the order in which COMMAND INFO and ACL CAT print them.
std::span<const std::string_view> acl_category_names();
/// The set of one category, its name in any case and without '@'.
std::optional<AclCategories> acl_category(std::string_view name);
/// The categories of a command. O(length of the row's `acl`); meant to be kept, not asked for each call.
AclCategories acl_categories(const CommandInfo& command);

/// False if the row's `acl` names something that is no category.
bool acl_field_is_valid(const CommandSpec& spec);

}  // namespace vedette
