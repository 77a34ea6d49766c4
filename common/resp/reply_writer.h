// Writes replies in RESP2 or RESP3 into an OutputBuffer. The only place where a reply is put into bytes.
//
// A handler writes exactly one reply. The writer counts what is still owed: one at first, an aggregate of n owes n
// more; complete() tells whether the promise was kept to the element.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "common/base/numbers.h"
#include "common/resp/buffer.h"

namespace vedette {

enum class RespVersion : uint8_t { k2 = 2, k3 = 3 };

class ReplyWriter {
 public:
  ReplyWriter(OutputBuffer& out, RespVersion version) : out_(&out), version_(version) {}

  RespVersion version() const { return version_; }
  bool resp3() const { return version_ == RespVersion::k3; }

  void ok() { raw_value("+OK\r\n"); }
  /// A simple string: no CR or LF in it.
  void status(std::string_view text) { line('+', text); }
  /// `text` starts with its code, without '-'; CR and LF in it become blanks.
  void error(std::string_view text);
  void integer(int64_t value) {
    count_value();
    number_line(':', value);
  }
  void bulk(std::string_view bytes) {
    count_value();
    if (bytes.size() > kCopiedInOnePiece) return bulk_in_pieces(bytes);
    char* to = out_->reserve(bytes.size() + 32);
    char* p = to;
    *p++ = '$';
    p = put_length(p, bytes.size());
    *p++ = '\r', *p++ = '\n';
    p = std::copy(bytes.begin(), bytes.end(), p);
    *p++ = '\r', *p++ = '\n';
    out_->commit(size_t(p - to));
  }
  void bulk_integer(int64_t value) {
    char digits[20];
    bulk({digits, print_integer(digits, value)});
  }
  /// The null bulk string; in RESP3 the null.
  void null() { raw_value(resp3() ? "_\r\n" : "$-1\r\n"); }
  /// Where RESP2 has a null array; in RESP3 the null.
  void null_array() { raw_value(resp3() ? "_\r\n" : "*-1\r\n"); }
  /// RESP3 boolean; 1 or 0 in RESP2.
  void boolean(bool value) { raw_value(resp3() ? (value ? "#t\r\n" : "#f\r\n") : (value ? ":1\r\n" : ":0\r\n")); }
  /// RESP3 double; a bulk string in RESP2.
  void real(double value);
  void big_number(std::string_view digits);
  /// `format` is three letters ("txt"); a bulk string in RESP2.
  void verbatim(std::string_view format, std::string_view text);

  void array(size_t count) { aggregate('*', count, count); }
  /// `count` pairs; in RESP2 a flat array of twice that.
  void map(size_t count) { resp3() ? aggregate('%', count, 2 * count) : aggregate('*', 2 * count, 2 * count); }
  void set(size_t count) { aggregate(resp3() ? '~' : '*', count, count); }
  /// Out-of-band data; an array in RESP2.
  void push(size_t count) { aggregate(resp3() ? '>' : '*', count, count); }

  /// An aggregate whose count is known only after its elements: `finish_...(start, count)`.
  struct Deferred {
    OutputBuffer::Mark mark;
  };
  Deferred start_deferred() {
    count_value();
    return Deferred{out_->mark()};
  }
  void finish_array(Deferred start, size_t count) { finish(start, '*', count, count); }
  void finish_map(Deferred start, size_t pairs) {
    resp3() ? finish(start, '%', pairs, 2 * pairs) : finish(start, '*', 2 * pairs, 2 * pairs);
  }
  void finish_set(Deferred start, size_t count) { finish(start, resp3() ? '~' : '*', count, count); }

  /// Bytes of exactly one reply that was built elsewhere.
  void raw_value(std::string_view bytes) {
    count_value();
    out_->append(bytes);
  }
  /// The handler answers nothing, or has answered by other means (push messages, a suspended session).
  void none() { owed_ = 0; }

  /// True once the one reply and every element it promised have been written.
  bool complete() const { return owed_ == 0; }
  OutputBuffer& out() { return *out_; }

 private:
  static constexpr size_t kCopiedInOnePiece = 8 * 1024;

  void count_value() { owed_--; }
  static char* put_length(char* p, size_t length) {
    if (length < 10) return *p++ = char('0' + length), p;
    if (length < 100) return *p++ = char('0' + length / 10), *p++ = char('0' + length % 10), p;
    return p + print_unsigned(p, length);
  }
  void number_line(char kind, int64_t value) {
    char* to = out_->reserve(24);
    char* p = to;
    *p++ = kind;
    p += print_integer(p, value);
    *p++ = '\r', *p++ = '\n';
    out_->commit(size_t(p - to));
  }
  void aggregate(char kind, size_t count, size_t elements) {
    owed_ += int64_t(elements) - 1;
    number_line(kind, int64_t(count));
  }
  void line(char kind, std::string_view text);
  void bulk_in_pieces(std::string_view bytes);
  void finish(Deferred start, char kind, size_t count, size_t elements);

  OutputBuffer* out_;
  RespVersion version_;
  int64_t owed_ = 1;
};

}  // namespace vedette
