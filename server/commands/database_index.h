// The index of a database among the arguments of COPY, MOVE and SELECT.
#pragma once

#include <limits>

#include "common/base/numbers.h"
#include "server/execution/context.h"

namespace vedette {

inline Result<int> database_index(const CommandContext& ctx, std::string_view text) {
  const auto index = parse_integer(text);
  if (!index) return errors::not_an_integer();
  if (*index < std::numeric_limits<int>::min() || *index > std::numeric_limits<int>::max())
    return failure("value is out of range, value must between -2147483648 and 2147483647");
  if (*index < 0 || *index >= ctx.server.keyspace.count()) return errors::db_index_out_of_range();
  return int(*index);
}

}  // namespace vedette
