// What a type of value brings to be kept outside of memory, each in one place, its row of the table in
// value_forms.cc: how it is written to an RDB and read from one, and how it is told as commands. The frame
// around values is the writer's and the reader's; to add a type is to add its row.
//
// All of it goes in slices. The state of a value under way is in a struct that its owner keeps, so a list of
// a million elements is written, read or printed between other work. A value being written must not change
// meanwhile: who lets it change finishes the writing first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/block_log.h"
#include "server/snapshot/rdb_format.h"
#include "server/snapshot/rdb_strings.h"
#include "server/store/entry.h"
#include "server/store/packing.h"

namespace vedette {

/// How values are written to an RDB.
struct ValueWriteOptions {
  bool compress = true;        ///< LZF for strings that it makes shorter
  bool field_expiries = true;  ///< those of hashes' fields: only Redis from 7.4 on reads them
};

/// A value being written or printed. Empty before the first slice and after the last.
struct ValueProgress {
  uint64_t done = 0;           ///< of the value, in its own units (bytes of a string, elements)
  uint64_t cursor = 0;         ///< where in a table the next slice begins
  const void* part = nullptr;  ///< the part of the value under way; it stays while the value does not change
  int step = 0;                ///< of its form; 0: not begun
  std::string packed;          ///< what had to be prepared in whole

  void reset() { *this = ValueProgress(); }
};

/// The type code under which the value of `entry` is written.
RdbType rdb_type_of(const Entry& entry, const ValueWriteOptions& options = {});
/// Writes (the next slice of) the value alone: about `budget_bytes` of it at most. True when it is whole.
bool write_value_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget_bytes);
/// Prints (the next slice of) the entry as the commands that make it, its expiry included: what an
/// append-only file holds. True when it is whole. A slice may end within a command.
bool print_entry_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget_bytes);

inline constexpr PackingLimits kDefaultPacking{};

/// A value being read.
struct ValueReading {
  // What it is to become; `key` needs to be good during a call only.
  RdbVersion version;
  uint8_t code = 0;
  int64_t expiry_ms = kNoExpiry;
  // What has become of it: the entry once there is one (it belongs to who keeps this), and what is to come.
  Entry* entry = nullptr;
  uint64_t left = 0;
  uint64_t step = 0;
  std::string scratch;  ///< a part that is in the making
  const PackingLimits* limits = &kDefaultPacking;
  std::string error;  ///< of kFailed: what is wrong with the bytes, without the place

  ValueReading() = default;
  ValueReading(const ValueReading&) = delete;
  ValueReading& operator=(const ValueReading&) = delete;
  ~ValueReading() { reset(); }
  void reset();
};

/// Whether values of this type code can be read.
bool can_read_value(RdbFamily family, uint8_t code);
/// Reads (the next step of) the value of type `reading.code`, which must be readable, into an entry with
/// `key`. When it is done and there is no entry, the value has no elements. Memory is taken for what has
/// arrived, never on the word of a length. `key` is asked for until reading.entry is set; while it is not,
/// kMore wants all again from the beginning of the value, with `left`, `step` and `scratch` emptied.
ReadOutcome read_value(RdbInput& input, std::string_view key, ValueReading& reading);

}  // namespace vedette
