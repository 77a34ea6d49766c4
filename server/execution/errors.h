// The error replies that several command families share, in the words that clients match on, beside those of every program.
#pragma once

#include "common/command/errors.h"

namespace vedette::errors {

inline Error wrong_type() { return Error("WRONGTYPE Operation against a key holding the wrong kind of value"); }
inline Error not_a_float() { return failure("value is not a valid float"); }
inline Error no_such_key() { return failure("no such key"); }
inline Error index_out_of_range() { return failure("index out of range"); }
inline Error string_too_long() { return failure("string exceeds maximum allowed size (proto-max-bulk-len)"); }
inline Error same_object() { return failure("source and destination objects are the same"); }
inline Error db_index_out_of_range() { return failure("DB index is out of range"); }
inline Error out_of_memory() { return Error("OOM command not allowed when used memory > 'maxmemory'."); }
inline Error invalid_expire_time(std::string_view command) {
  return failure("invalid expire time in '" + std::string(command) + "' command");
}

}  // namespace vedette::errors
