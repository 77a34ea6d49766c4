// The forms of hashes: the rows of the table in value_forms.cc that hashes have.
#pragma once

#include "server/snapshot/value_forms.h"

namespace vedette {

RdbType hash_rdb_type(const Entry& entry);
bool write_hash_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget);
bool print_hash_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget);
/// Of every code that hashes have.
ReadOutcome read_hash_value(RdbInput& input, std::string_view key, ValueReading& reading);

}  // namespace vedette
