// The index of a database among the arguments of COPY, MOVE and SELECT.
#pragma once

#include <limits>

#include "common/command/arg_reader.h"
#include "server/execution/context.h"

namespace vedette {

/// Reads an index; 0 on error.
inline int read_database_index(const CommandContext& ctx, ArgReader& args) {
  const int64_t index = args.integer_between(std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
  if (args.is_ok() && (index < 0 || index >= ctx.server.keyspace.count())) args.fail(errors::db_index_out_of_range().text());
  return args.is_ok() ? int(index) : 0;
}

}  // namespace vedette
