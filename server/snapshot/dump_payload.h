// The payload of DUMP and RESTORE: a value's type code and the value as in an RDB, then the RDB's version in
// two bytes and the checksum in eight, both little-endian.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "server/snapshot/value_forms.h"
#include "server/store/entry.h"

namespace vedette {

std::string make_dump_payload(const Entry& entry);

/// The codes of libraries of functions, as FUNCTION DUMP gives them.
std::string make_function_payload(std::span<const std::string_view> codes, bool compress);

struct DumpReadOptions {
  bool verify_checksum = true;
};
/// Version and checksum are as they should be.
bool is_dump_payload(std::string_view payload, const DumpReadOptions& options = {});
/// The codes of the libraries that it holds. Requires is_dump_payload().
Result<std::vector<std::string>> parse_function_payload(std::string_view payload);
/// The value as an entry with `key` and `expiry_ms`, which becomes the caller's. Requires is_dump_payload().
/// The error says what is wrong with the bytes.
Result<Entry*> parse_dump_payload(std::string_view payload, std::string_view key, int64_t expiry_ms,
                                  const PackingLimits& limits = kDefaultPacking);

}  // namespace vedette
