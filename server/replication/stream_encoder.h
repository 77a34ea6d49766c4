// Commands as bytes of the replication stream (and of an append-only file): arrays of bulk strings, with a SELECT where the
// database changes, and MULTI ... EXEC around what must be applied as a whole.
//
// This is on the path of every write of a primary. A command is measured, given room in one piece, and written in place:
// headers of small counts and lengths come from a table, nothing is allocated. A command that is bigger than
// kInPlaceBytesMax is appended piece by piece, so that it fills the blocks of the log instead of getting one of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/block_log.h"

namespace vedette {

class StreamEncoder {
 public:
  /// `log` outlives the encoder or its next redirect().
  explicit StreamEncoder(BlockLog& log) : log_(&log) {}
  /// Goes on in another log.
  void redirect(BlockLog& log) { log_ = &log; }

  /// Appends one command that was run in database `db`; -1: it does not matter in which.
  void command(int db, std::span<const std::string_view> argv) { encode(db, argv); }
  void command(int db, std::span<const std::string> argv) { encode(db, argv); }

  /// What is appended until end_transaction() is applied as a whole: MULTI and EXEC are put around it if it is more than one
  /// command. Nothing of it but the SELECT that it begins in is in the log before the second command or the end. Not nested.
  void begin_transaction();
  /// The same where it is known that there will be `commands` of them: nothing is kept back, nothing is copied twice.
  void begin_transaction(size_t commands);
  void end_transaction();
  bool in_transaction() const { return in_transaction_; }

  /// Not within a transaction.
  void ping();
  void getack();

  /// The next command gets a SELECT, whatever its database: a reader begins here that knows of none.
  void forget_database() { selected_ = -1; }
  /// The stream is in `db` already: it goes on after what somebody else has written.
  void set_database(int db) { selected_ = db; }
  int database() const { return selected_; }

  static constexpr size_t kInPlaceBytesMax = 1024;

 private:
  template <class Text>
  void encode(int db, std::span<const Text> argv);
  template <class Text>
  void encode_big(std::span<const Text> argv);
  void encode_select(int db);
  void open_transaction();
  void put(std::string_view bytes);

  BlockLog* log_;
  int selected_ = -1;
  bool in_transaction_ = false;
  bool is_open_ = false;         // MULTI has been written
  bool opens_at_first_ = false;  // it is to be, before the first command and behind its SELECT
  bool keeps_first_ = false;
  size_t transaction_commands_ = 0;
  std::string first_;  // the first command of a transaction, until it is known whether there is a second
};

}  // namespace vedette
