// Reads an RDB from bytes as they come: from a file, from a primary, from the head of an append-only file.
//
// A push reader: it takes every byte it is given and tells a handler what it finds, in order. A record that
// is torn is kept and read again when what it waits for has come, so bytes that trickle in cost no more than
// bytes in bulk; a large string grows in its final place. Nothing is allocated on the word of a length. The
// first error is the last: it names the byte where the bad record begins, and nothing is told after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "server/snapshot/rdb_format.h"
#include "server/snapshot/value_forms.h"
#include "server/store/entry.h"

namespace vedette {

/// What an RDB says of a key's use; -1: nothing.
struct RdbEntryUse {
  int64_t idle_seconds = -1;
  int frequency = -1;  ///< 0 to 255
};

/// Who is told. A refusal ends the reading; its text becomes the reader's error.
class RdbHandler {
 public:
  virtual ~RdbHandler() = default;
  virtual Status on_version(const RdbVersion&) { return Status::ok(); }
  /// Views are good during the call. An integer's text is given in full.
  virtual Status on_aux(std::string_view /*name*/, std::string_view /*value*/) { return Status::ok(); }
  /// A module's own data outside of keys was passed over: it was for module `name`.
  virtual Status on_module_aux(std::string_view /*name*/) { return Status::ok(); }
  /// The code of a library of functions.
  virtual Status on_function(std::string_view code) = 0;
  /// What follows belongs to database `db` (0 to INT_MAX); whether there is one is the handler's to judge.
  virtual Status on_select(int /*db*/) { return Status::ok(); }
  /// How many keys and expiries are to come: a hint, true of files from a good writer.
  virtual Status on_resize(uint64_t /*keys*/, uint64_t /*expires*/) { return Status::ok(); }
  /// A key with its value and expiry, which may have passed. The entry becomes the handler's, whatever it
  /// answers.
  virtual Status on_entry(int db, Entry* entry, const RdbEntryUse& use) = 0;
  /// A key whose value has no elements, as some servers once wrote them. There can be no such key.
  virtual Status on_empty(int /*db*/, std::string_view /*key*/) { return Status::ok(); }
};

struct RdbReadOptions {
  bool verify_checksum = true;                     ///< rdbchecksum
  const PackingLimits* limits = &kDefaultPacking;  ///< up to which size values are packed
};

class RdbReader {
 public:
  explicit RdbReader(RdbHandler& handler, const RdbReadOptions& options = {});
  RdbReader(const RdbReader&) = delete;
  RdbReader& operator=(const RdbReader&) = delete;

  /// Takes all of `bytes`. After an error the same error comes again.
  Status feed(std::string_view bytes);
  /// What to call when no more bytes will come: an error unless finished().
  Status end_of_input();

  /// The end of the RDB was read, checksum included.
  bool finished() const { return stage_ == Stage::kFinished; }
  /// Of the bytes of the last feed() so many lie after the end of the RDB. They were not read.
  size_t unread_tail() const { return unread_tail_; }

  /// Bytes of the RDB taken so far.
  uint64_t offset() const { return offset_; }
  /// For reports: the version (once it was told), the database that is selected, keys told so far.
  const RdbVersion& version() const { return version_; }
  int db() const { return db_; }
  uint64_t keys() const { return keys_; }
  size_t memory_bytes() const { return held_.capacity(); }

 private:
  enum class Stage : uint8_t { kMagic, kRecords, kValue, kModuleAux, kChecksum, kFinished, kFailed };

  void understand(RdbInput& input);
  ReadOutcome step(RdbInput& input);
  ReadOutcome read_magic(RdbInput& input);
  ReadOutcome read_record(RdbInput& input);
  ReadOutcome read_opcode(RdbInput& input, RdbOpcode code);
  ReadOutcome read_entry(RdbInput& input, uint8_t code);
  ReadOutcome read_key_facts(RdbInput& input, RdbOpcode code);
  ReadOutcome begin_module_aux(RdbInput& input);
  ReadOutcome read_module_item(RdbInput& input);
  ReadOutcome read_checksum(RdbInput& input);
  ReadOutcome go_on_with_value(RdbInput& input);
  void forget_progress();
  ReadOutcome deliver();
  ReadOutcome told(const Status& status);
  ReadOutcome fail(std::string reason);
  std::string described(const std::string& reason, uint64_t offset) const;

  RdbHandler& handler_;
  RdbReadOptions options_;
  Stage stage_ = Stage::kMagic;
  RdbVersion version_;
  int db_ = 0;
  RdbEntryUse use_;
  int64_t expiry_ms_ = kNoExpiry;
  ValueReading reading_;
  std::string name_, text_;  // scratch
  uint64_t keys_ = 0;
  uint64_t skip_ = 0;  // bytes of a module's string to pass over
  std::string module_;

  std::string held_;            // a torn record
  size_t wanted_ = 0;           // bytes it takes at least
  uint64_t offset_ = 0;         // of the stream: bytes taken
  uint64_t record_offset_ = 0;  // where the record in hand begins
  uint64_t crc_ = 0;
  size_t unread_tail_ = 0;
  std::string_view key_;  // under way, for errors; good while it is read
  std::string reason_;    // of a failure, the place not yet said
  bool from_handler_ = false;
  std::string error_;
};

}  // namespace vedette
