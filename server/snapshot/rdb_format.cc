// Names of types, and lengths and integers in their shortest forms.
#include "server/snapshot/rdb_format.h"

#include <cstring>

namespace vedette {

std::string_view rdb_type_name(RdbFamily family, uint8_t code) {
  constexpr std::string_view kNames[] = {"string",
                                         "list",
                                         "set",
                                         "zset",
                                         "hash",
                                         "zset-2",
                                         "module-pre-ga",
                                         "module-2",
                                         {},
                                         "hash-zipmap",
                                         "list-ziplist",
                                         "set-intset",
                                         "zset-ziplist",
                                         "hash-ziplist",
                                         "list-quicklist",
                                         "stream-listpacks",
                                         "hash-listpack",
                                         "zset-listpack",
                                         "list-quicklist-2",
                                         "stream-listpacks-2",
                                         "set-listpack",
                                         "stream-listpacks-3",
                                         "hash-metadata-pre-ga",
                                         "hash-listpack-ex-pre-ga",
                                         "hash-metadata",
                                         "hash-listpack-ex"};
  if (family == RdbFamily::kValkey && code >= uint8_t(RdbType::kHashMetadataPreGa))
    return code == uint8_t(RdbType::kHashMetadataPreGa) ? "hash-2" : std::string_view();
  return code < std::size(kNames) ? kNames[code] : std::string_view();
}

size_t rdb::put_length(char* to, uint64_t length) {
  if (length < 64) {
    to[0] = char(length);
    return 1;
  }
  if (length < 16384) {
    to[0] = char(kLength14 | length >> 8);
    to[1] = char(length);
    return 2;
  }
  if (length <= UINT32_MAX) {
    const uint32_t swapped = __builtin_bswap32(uint32_t(length));
    to[0] = char(kLength32);
    std::memcpy(to + 1, &swapped, sizeof swapped);
    return 5;
  }
  const uint64_t swapped = __builtin_bswap64(length);
  to[0] = char(kLength64);
  std::memcpy(to + 1, &swapped, sizeof swapped);
  return 9;
}

size_t rdb::put_integer(char* to, int64_t value) {
  if (value >= INT8_MIN && value <= INT8_MAX) {
    to[0] = char(kInt8);
    to[1] = char(value);
    return 2;
  }
  if (value >= INT16_MIN && value <= INT16_MAX) {
    const auto narrow = int16_t(value);
    to[0] = char(kInt16);
    std::memcpy(to + 1, &narrow, sizeof narrow);
    return 3;
  }
  if (value >= INT32_MIN && value <= INT32_MAX) {
    const auto narrow = int32_t(value);
    to[0] = char(kInt32);
    std::memcpy(to + 1, &narrow, sizeof narrow);
    return 5;
  }
  return 0;
}

}  // namespace vedette
