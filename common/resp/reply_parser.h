// Parses replies of RESP2 and RESP3, incrementally: the client's side of the protocol (links to other
// servers, tests).
//
// The parser keeps its state between calls and looks at each byte once, however the input is torn: a line or
// a bulk that is cut is kept in part, an aggregate that is cut waits on a stack of its own (no recursion).
// Nothing is reserved on the word of a length: memory grows with the bytes that have come. Depth, lengths and
// the number of values are bounded by ReplyLimits. A broken reply cannot be resumed from: the connection is
// lost.
//
// Source: the RESP3 specification. Its streamed types (lengths of '?') are refused, no server of the family
// sends them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/assert.h"

namespace vedette {

struct Reply {
  enum class Type : uint8_t {
    kNull,       ///< `_`, and RESP2's null bulk string and null array
    kStatus,     ///< simple string, in `text`
    kError,      ///< simple or blob error, in `text`, its code first
    kInteger,    ///< in `integer`
    kBulk,       ///< in `text`
    kVerbatim,   ///< in `text`, without its format, which is in `format`
    kDouble,     ///< in `number`
    kBoolean,    ///< in `integer`, 0 or 1
    kBigNumber,  ///< decimal digits with an optional sign, in `text`
    kArray,
    kSet,
    kMap,   ///< `elements` are key, value, key, value ...
    kPush,  ///< out-of-band data; only outermost
  };
  Type type = Type::kNull;
  int64_t integer = 0;
  double number = 0;
  std::string text = {};
  std::string format = {};
  std::vector<Reply> elements = {};
  std::vector<Reply> attributes = {};  ///< key, value ... that stood before the reply

  bool is_error() const { return type == Type::kError; }
  bool is_aggregate() const { return type >= Type::kArray; }
};

struct ReplyLimits {
  size_t line_bytes_max = 64 * 1024;         ///< a simple string, an error, a number
  uint64_t bulk_bytes_max = 512ull << 20;    ///< one bulk string
  uint64_t total_bytes_max = 1024ull << 20;  ///< all text of one reply, attributes included
  uint64_t values_max = 1024 * 1024;         ///< values of one reply, at all depths, aggregates included
  size_t depth_max = 32;                     ///< aggregates within aggregates
};

class ReplyParser {
 public:
  enum class Outcome : uint8_t {
    kMore,    ///< all input was read, the reply is not complete
    kReply,   ///< a reply is complete: take() it; the rest of the input is the next one's
    kBroken,  ///< not RESP or beyond the limits; see fault()
  };

  explicit ReplyParser(const ReplyLimits& limits = {}) : limits_(limits) {}

  /// Reads from the front of `input` and removes what it has read. After kReply, take() comes first.
  Outcome parse(std::string_view& input);
  /// The complete reply; the parser is ready for the next one.
  Reply take();
  /// What is wrong, in a few words; empty unless broken. Remains so.
  std::string_view fault() const { return fault_; }
  /// True between replies: nothing of the next one has been read.
  bool is_idle() const { return !complete_ && line_.empty() && !in_bulk_ && stack_.empty() && attributes_.empty(); }

 private:
  struct Frame {
    Reply aggregate;
    uint64_t left = 0;  // values still to come
    bool is_attribute = false;
    std::vector<Reply> attributes = {};  // for the next value of this aggregate
  };

  bool fail(std::string_view fault);
  bool read_line(std::string_view& input, std::string_view& line);
  void read_bulk(std::string_view& input);
  bool on_line(std::string_view line);
  bool on_scalar(Reply::Type type, std::string_view text);
  bool begin_bulk(Reply::Type type, std::string_view length);
  bool end_bulk();
  bool begin_aggregate(char kind, std::string_view count);
  void on_value(Reply value);
  bool count_value();
  bool count_bytes(uint64_t bytes);
  std::vector<Reply>& pending_attributes() { return stack_.empty() ? attributes_ : stack_.back().attributes; }

  ReplyLimits limits_;
  std::string_view fault_;
  std::string line_;        // the part of a cut line that has come
  std::string line_taken_;  // a line put together of several parts, while it is looked at
  std::vector<Frame> stack_;
  std::vector<Reply> attributes_;  // of the outermost reply
  Reply bulk_;
  uint64_t bulk_left_ = 0;  // bytes still to come, the two of the line's end included
  bool in_bulk_ = false;
  bool complete_ = false;
  Reply result_;
  uint64_t values_ = 0, bytes_ = 0;  // of the present reply
};

}  // namespace vedette
