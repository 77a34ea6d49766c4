// The forms of strings: the rows of the table in value_forms.cc that strings have.
#pragma once

#include "server/snapshot/value_forms.h"

namespace vedette {

RdbType string_rdb_type(const Entry& entry);
bool write_string_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget);
bool print_string_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget);
ReadOutcome read_string_value(RdbInput& input, std::string_view key, ValueReading& reading);

}  // namespace vedette
