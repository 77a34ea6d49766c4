// Lines and bulks as they arrive, values into the aggregates that wait for them.
#include "common/resp/reply_parser.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

using Type = Reply::Type;

Reply of_type(Type type) {
  Reply reply;
  reply.type = type;
  return reply;
}

// RESP3 allows a leading '+'.
std::optional<int64_t> signed_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return parse_integer(text);
}

std::optional<double> double_number(std::string_view text) {
  if (equals_ignoring_case(text, "nan") || equals_ignoring_case(text, "-nan")) return std::numeric_limits<double>::quiet_NaN();
  return parse_double(text);
}

bool is_big_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Type type_of_aggregate(char kind) {
  switch (kind) {
    case '~': return Type::kSet;
    case '>': return Type::kPush;
    case '%':
    case '|': return Type::kMap;
    default: return Type::kArray;
  }
}

}  // namespace

bool ReplyParser::fail(std::string_view fault) {
  fault_ = fault;
  return false;
}

ReplyParser::Outcome ReplyParser::parse(std::string_view& input) {
  VED_ASSERT(!complete_);
  while (fault_.empty() && !complete_ && !input.empty()) {
    if (in_bulk_) {
      read_bulk(input);
    } else {
      std::string_view line;
      if (read_line(input, line)) on_line(line);
    }
  }
  if (!fault_.empty()) return Outcome::kBroken;
  return complete_ ? Outcome::kReply : Outcome::kMore;
}

Reply ReplyParser::take() {
  VED_ASSERT(complete_);
  complete_ = false;
  values_ = bytes_ = 0;
  return std::exchange(result_, Reply{});
}

// A line without its CR LF, once its end has come. It is in `input`, or in line_taken_ if it came in parts.
bool ReplyParser::read_line(std::string_view& input, std::string_view& line) {
  const size_t end = input.find('\n');
  const std::string_view part = input.substr(0, end == std::string_view::npos ? input.size() : end + 1);
  if (line_.size() + part.size() > limits_.line_bytes_max + 3) return fail("a line is too long");
  input.remove_prefix(part.size());
  if (end == std::string_view::npos) {
    line_ += part;
    return false;
  }
  line = part;
  if (!line_.empty()) {
    line_taken_ = line_;
    line_taken_ += part;
    line_.clear();
    line = line_taken_;
  }
  if (line.size() < 2 || line[line.size() - 2] != '\r') return fail("a line does not end in CR LF");
  line.remove_suffix(2);
  if (line.find('\r') != std::string_view::npos) return fail("a CR within a line");
  return true;
}

bool ReplyParser::on_line(std::string_view line) {
  if (line.empty()) return fail("an empty line");
  const std::string_view rest = line.substr(1);
  switch (line[0]) {
    case '+': return on_scalar(Type::kStatus, rest);
    case '-': return on_scalar(Type::kError, rest);
    case ':': return on_scalar(Type::kInteger, rest);
    case ',': return on_scalar(Type::kDouble, rest);
    case '#': return on_scalar(Type::kBoolean, rest);
    case '(': return on_scalar(Type::kBigNumber, rest);
    case '_': return on_scalar(Type::kNull, rest);
    case '$': return begin_bulk(Type::kBulk, rest);
    case '!': return begin_bulk(Type::kError, rest);
    case '=': return begin_bulk(Type::kVerbatim, rest);
    case '*':
    case '~':
    case '%':
    case '>':
    case '|': return begin_aggregate(line[0], rest);
    default: return fail("an unknown type byte");
  }
}

bool ReplyParser::on_scalar(Type type, std::string_view text) {
  Reply reply = of_type(type);
  if (type == Type::kInteger) {
    const auto number = signed_number(text);
    if (!number) return fail("not an integer");
    reply.integer = *number;
  } else if (type == Type::kDouble) {
    const auto number = double_number(text);
    if (!number) return fail("not a double");
    reply.number = *number;
  } else if (type == Type::kBoolean) {
    if (text != "t" && text != "f") return fail("not a boolean");
    reply.integer = text == "t";
  } else if (type == Type::kNull) {
    if (!text.empty()) return fail("a null with a value");
  } else {
    if (type == Type::kBigNumber && !is_big_number(text)) return fail("not a big number");
    if (!count_bytes(text.size())) return false;
    reply.text = text;
  }
  if (!count_value()) return false;
  on_value(std::move(reply));
  return true;
}

bool ReplyParser::begin_bulk(Type type, std::string_view length) {
  if (length == "-1" && type == Type::kBulk) return on_scalar(Type::kNull, {});
  if (length == "?") return fail("streamed strings are not supported");
  const std::optional<uint64_t> bytes = parse_unsigned(length);
  if (!bytes) return fail("an invalid bulk length");
  if (*bytes > limits_.bulk_bytes_max) return fail("a bulk string is too long");
  if (!count_value() || !count_bytes(*bytes)) return false;
  bulk_ = of_type(type);
  bulk_left_ = *bytes + 2;
  in_bulk_ = true;
  return true;
}

void ReplyParser::read_bulk(std::string_view& input) {
  const size_t part = size_t(std::min<uint64_t>(input.size(), bulk_left_));
  bulk_.text.append(input.substr(0, part));
  input.remove_prefix(part);
  bulk_left_ -= part;
  if (bulk_left_ == 0) end_bulk();
}

bool ReplyParser::end_bulk() {
  in_bulk_ = false;
  std::string& text = bulk_.text;
  if (!text.ends_with("\r\n")) return fail("a bulk string does not end in CR LF");
  text.resize(text.size() - 2);
  if (bulk_.type == Type::kVerbatim) {
    if (text.size() < 4 || text[3] != ':') return fail("a verbatim string without its format");
    bulk_.format = text.substr(0, 3);
    text.erase(0, 4);
  }
  on_value(std::exchange(bulk_, Reply{}));
  return true;
}

bool ReplyParser::begin_aggregate(char kind, std::string_view count) {
  if (count == "-1" && kind == '*') return on_scalar(Type::kNull, {});
  if (count == "?") return fail("streamed aggregates are not supported");
  const std::optional<uint64_t> length = parse_unsigned(count);
  if (!length) return fail("an invalid aggregate length");
  if (*length > limits_.values_max) return fail("too many values");
  if (stack_.size() >= limits_.depth_max) return fail("aggregates are nested too deeply");
  if (kind == '>' && (!stack_.empty() || !attributes_.empty())) return fail("a push within a reply");
  if (!count_value()) return false;
  const bool pairs = kind == '%' || kind == '|';
  if (*length > 0) {
    stack_.push_back({of_type(type_of_aggregate(kind)), pairs ? 2 * *length : *length, kind == '|'});
  } else if (kind != '|') {  // an empty attribute says nothing
    on_value(of_type(type_of_aggregate(kind)));
  }
  return true;
}

// Puts a value where it belongs and closes the aggregates that it completes.
void ReplyParser::on_value(Reply value) {
  while (true) {
    value.attributes = std::exchange(pending_attributes(), {});
    if (stack_.empty()) {
      result_ = std::move(value);
      complete_ = true;
      return;
    }
    Frame& frame = stack_.back();
    frame.aggregate.elements.push_back(std::move(value));
    if (--frame.left > 0) return;
    value = std::move(frame.aggregate);
    const bool is_attribute = frame.is_attribute;
    stack_.pop_back();
    if (!is_attribute) continue;
    std::vector<Reply>& pending = pending_attributes();
    for (Reply& element : value.elements) pending.push_back(std::move(element));
    return;
  }
}

bool ReplyParser::count_value() { return ++values_ <= limits_.values_max || fail("too many values"); }

bool ReplyParser::count_bytes(uint64_t bytes) {
  bytes_ += bytes;
  return bytes_ <= limits_.total_bytes_max || fail("the reply is too long");
}

}  // namespace vedette
