// Streams outside of memory.
#pragma once

#include "server/snapshot/value_forms.h"

namespace vedette {

RdbType stream_rdb_type(const Entry& entry);
bool write_stream_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget);
bool print_stream_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget);
/// Of all three codes.
ReadOutcome read_stream_value(RdbInput& input, std::string_view key, ValueReading& reading);

}  // namespace vedette
