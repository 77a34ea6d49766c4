// Up to which size values are kept in their packed forms: the options of that name, as numbers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vedette {

struct PackingLimits {
  size_t hash_entries = 512, hash_value_bytes = 64;              ///< hash-max-listpack-entries, -value
  size_t set_entries = 128, set_value_bytes = 64;                ///< set-max-listpack-entries, -value
  size_t set_integers = 512;                                     ///< set-max-intset-entries
  size_t sorted_set_entries = 128, sorted_set_value_bytes = 64;  ///< zset-max-listpack-entries, -value
  int list_node_size = -2;                                       ///< list-max-listpack-size: elements, or -1 to -5 for 4 to 64 KiB
  size_t list_plain_bytes = SIZE_MAX;                            ///< elements of this size lie alone: DEBUG QUICKLIST-PACKED-THRESHOLD
  int list_compress_depth = 0;                                   ///< list-compress-depth
  size_t hyperloglog_sparse_bytes = 3000;                        ///< hll-sparse-max-bytes
  size_t stream_node_bytes = 4096;                               ///< stream-node-max-bytes; 0: no limit
  size_t stream_node_entries = 100;                              ///< stream-node-max-entries; 0: no limit
};

}  // namespace vedette
