// The forms of lists: the rows of the table in value_forms.cc that lists have.
#pragma once

#include "server/snapshot/value_forms.h"

namespace vedette {

RdbType list_rdb_type(const Entry& entry);
bool write_list_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget);
bool print_list_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget);
ReadOutcome read_list_elements(RdbInput& input, std::string_view key, ValueReading& reading);  // a list of strings
ReadOutcome read_list_ziplist(RdbInput& input, std::string_view key, ValueReading& reading);   // one ziplist
ReadOutcome read_list_ziplists(RdbInput& input, std::string_view key, ValueReading& reading);  // nodes that are ziplists
ReadOutcome read_list_nodes(RdbInput& input, std::string_view key, ValueReading& reading);     // listpacks and plain nodes

}  // namespace vedette
