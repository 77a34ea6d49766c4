// The forms of sorted sets: the rows of the table in value_forms.cc that they have. A packed one is written as the listpack that it
// is, a large one as its members and scores in binary, the highest first, as Redis does: there each then comes to stand before
// all that were read.
#pragma once

#include "server/snapshot/value_forms.h"

namespace vedette {

RdbType sorted_set_rdb_type(const Entry& entry);
bool write_sorted_set_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget);
bool print_sorted_set_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget);

/// Scores as text, with a length of one byte that also stands for what is no number.
ReadOutcome read_sorted_set_of_texts(RdbInput& input, std::string_view key, ValueReading& reading);
/// Scores in eight bytes.
ReadOutcome read_sorted_set_of_doubles(RdbInput& input, std::string_view key, ValueReading& reading);
ReadOutcome read_sorted_set_of_ziplist(RdbInput& input, std::string_view key, ValueReading& reading);
ReadOutcome read_sorted_set_of_listpack(RdbInput& input, std::string_view key, ValueReading& reading);

}  // namespace vedette
