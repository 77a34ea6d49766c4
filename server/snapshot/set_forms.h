// Sets outside of memory: an intset as it is, any other as a count and its members.
#pragma once

#include "server/snapshot/value_forms.h"

namespace vedette {

RdbType set_rdb_type(const Entry& entry);
bool write_set_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget);
bool print_set_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget);

/// A count and the members. A large set is made as its members come.
ReadOutcome read_set_value(RdbInput& input, std::string_view key, ValueReading& reading);
ReadOutcome read_intset_value(RdbInput& input, std::string_view key, ValueReading& reading);
ReadOutcome read_set_listpack_value(RdbInput& input, std::string_view key, ValueReading& reading);

}  // namespace vedette
