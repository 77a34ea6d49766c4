// Takes requests out of a session's bytes, in place: an argument is a view into the read buffer and dies with it.
//
// Two forms: an array of bulk strings ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), and an inline line of words. A request that is not
// whole yet is remembered as offsets, so that bytes that trickle in are looked at once, however slowly they come; the
// limits bound what a request may ask for, and nothing is allocated on the strength of an announced length alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

struct RequestLimits {
  size_t bulk_bytes_max = 512 << 20;  ///< proto-max-bulk-len
  size_t arguments_max = INT32_MAX;
  size_t inline_bytes_max = 64 * 1024;  ///< of an inline line, and of any header line
  bool authenticated = true;            ///< else 10 arguments of 16 KiB at the most
};

class RequestParser {
 public:
  enum class Outcome : uint8_t {
    kRequest,     ///< `args` got the arguments (none for an empty line, which asks for no reply)
    kIncomplete,  ///< more bytes are needed
    kError,       ///< error() tells the reply; the session must be closed after it
  };

  /// Parses one request from `data[0, size)`, which starts with the same bytes as at the last call if that answered
  /// kIncomplete. On kRequest `consumed` is its length, and the arguments were appended to `args`. Arguments of an
  /// inline request are unescaped into memory of this parser, which lives until forget_inline().
  Outcome parse(const char* data, size_t size, const RequestLimits& limits, std::vector<std::string_view>& args, size_t& consumed);
  /// "ERR Protocol error: ..." of the last kError.
  const std::string& error() const { return error_; }
  /// After kIncomplete: the total size up to the end of the argument under way, a hint for the read buffer.
  size_t bytes_wanted() const { return bulk_ < 0 ? 0 : at_ + size_t(bulk_) + 2; }
  /// Of that, the argument under way.
  size_t argument_bytes() const { return bulk_ < 0 ? 0 : size_t(bulk_); }
  /// True between the first and the last byte of a request.
  bool in_request() const { return remaining_ > 0; }
  void forget_inline() { inline_words_.clear(); }
  size_t memory_bytes() const { return partial_.capacity() * sizeof(Span); }

 private:
  struct Span {
    size_t at, size;
  };
  Outcome parse_inline(const char* data, size_t size, const RequestLimits& limits, std::vector<std::string_view>& args, size_t& consumed);
  Outcome fail(std::string_view text);
  Outcome fail_torn_line(size_t size, const RequestLimits& limits, std::string_view too_big);

  // Of the request under way: where to go on, arguments still to come, length of the one under way or -1.
  size_t at_ = 0;
  int64_t remaining_ = 0;
  int64_t bulk_ = -1;
  std::vector<Span> partial_;
  std::forward_list<std::string> inline_words_;  // stable addresses: views point into them
  std::string error_;
};

}  // namespace vedette
