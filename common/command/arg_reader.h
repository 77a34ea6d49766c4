// Reads a command's options one after the other, typed. The first error is latched: from then on every read
// gives a harmless value and tokens no longer match, so that a handler reads straight through and asks once,
// at the end.
//
//   ArgReader args(argv, 3);
//   while (args.more()) {
//     if (args.token("NX")) flags.absent = true;
//     else if (args.token("EX")) seconds = args.integer();
//     else args.fail_syntax();
//   }
//   if (!args.is_ok()) return args.status();
//
// The texts of errors are those that clients of the protocol know. An argument that is missing is a syntax
// error.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace vedette {

class ArgReader {
 public:
  /// Reads `argv` from `first` on; both `argv` and what it views outlive the reader.
  ArgReader(std::span<const std::string_view> argv, size_t first);

  /// True while there is something to read and no error.
  bool more() const { return !error_ && at_ < argv_.size(); }
  bool is_ok() const { return !error_; }
  /// The latched error, or success. Further calls give the same.
  Status status() const;
  /// Index of the next argument.
  size_t position() const { return at_; }
  size_t remaining() const { return more() ? argv_.size() - at_ : 0; }
  /// All that is left, and reads it.
  std::span<const std::string_view> rest();

  /// The next argument if it is this token (upper case), in any case; then it is read.
  bool token(std::string_view upper);
  /// The same, if at least `values` arguments follow the token; otherwise it is not read ("SET k v EX": the
  /// caller comes to fail_syntax()).
  bool token_with(std::string_view upper, size_t values = 1);
  /// True if the next argument is this token; reads nothing.
  bool at_token(std::string_view upper) const;

  /// The next argument's bytes; empty once an error is latched.
  std::string_view text();
  /// "ERR value is not an integer or out of range" unless within the bounds. 0 on error.
  int64_t integer(int64_t min = std::numeric_limits<int64_t>::min(), int64_t max = std::numeric_limits<int64_t>::max());
  /// The same with an error text of the command's own ("ERR bit offset is not an integer or out of range").
  int64_t integer_or(std::string_view error, int64_t min = std::numeric_limits<int64_t>::min(),
                     int64_t max = std::numeric_limits<int64_t>::max());
  /// Not an integer: as integer(). Outside the bounds: "ERR value is out of range, value must between MIN and
  /// MAX".
  int64_t integer_between(int64_t min, int64_t max);
  /// "ERR value is out of range, must be positive" for anything but an integer >= 0.
  int64_t count();
  /// A count of keys, >= 1 and followed by that many arguments at least: "ERR numkeys should be greater than
  /// 0", "ERR Number of keys can't be greater than number of args".
  int64_t key_count();
  /// "ERR value is not a valid float". 0 on error. Infinities are accepted, NaN is not.
  double real();
  /// A cursor of SCAN: "ERR invalid cursor".
  uint64_t cursor();
  /// A timeout in whole milliseconds: "ERR timeout is not an integer or out of range", "ERR timeout is
  /// negative".
  int64_t timeout_ms();
  /// A timeout in seconds with decimals, as milliseconds rounded up; 0 is for ever: "ERR timeout is not a
  /// float or out of range", "ERR timeout is negative", "ERR timeout is out of range".
  int64_t timeout_seconds();

  /// Latches an error (the whole text, with its code) unless there is one. Always false, for `return
  /// args.fail(...)`.
  bool fail(std::string_view text);
  bool fail_syntax() { return fail("ERR syntax error"); }
  /// Latches a syntax error if anything is left.
  void expect_end() {
    if (more()) fail_syntax();
  }

 private:
  std::span<const std::string_view> argv_;
  size_t at_;
  std::optional<std::string> error_;
};

}  // namespace vedette
