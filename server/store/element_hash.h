// The hash of elements within a value (a set's members, a hash's fields): keyed, because clients choose them. One key for the
// process, so that a value can be made before it is known where it will live.
#pragma once

#include "common/base/siphash.h"

namespace vedette {

namespace detail {
inline HashKey element_hash_key{};
}

/// Sets the key: once, before the first value is made. Without it the hashes are the same in every run, as tests want it.
inline void set_element_hash_key(const HashKey& key) { detail::element_hash_key = key; }

inline uint64_t element_hash(std::string_view bytes) { return siphash(bytes, detail::element_hash_key); }

}  // namespace vedette
