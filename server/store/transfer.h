// Entries that go elsewhere: under another key (RENAME), or as a copy (COPY). An entry holds its key, so a new key means
// a new entry; the value outside of it is not copied but changes hands.
#pragma once

#include "server/store/entry.h"

namespace vedette {

/// The same value, expiry and access history under `key`. Takes `entry`, which is in no database, and frees it. `key` must
/// not be the entry's own bytes. O(size of entry), whatever the size of an external value.
Entry* rekeyed(Entry* entry, std::string_view key);

/// A copy of the value and expiry under `key`; the access history is unset. O(size of value).
Entry* duplicated(const Entry& entry, std::string_view key);

}  // namespace vedette
