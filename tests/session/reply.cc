#include "tests/session/reply.h"

#include <cstdlib>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kAnythingText = "...", kErrorMark = "(error)";

std::optional<std::string_view> take_line(std::string_view& bytes) {
  const size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end + 2);
  return line;
}

bool take_bulk(std::string_view& bytes, std::string_view length, Reply& reply) {
  const auto size = parse_integer(length);
  if (!size) return false;
  if (*size < 0) return reply.kind = Reply::Kind::kNull, true;
  if (bytes.size() < size_t(*size) + 2 || bytes.substr(size_t(*size), 2) != "\r\n") return false;
  reply.text = std::string(bytes.substr(0, size_t(*size)));
  bytes.remove_prefix(size_t(*size) + 2);
  if (reply.marker == '=' && reply.text.size() >= 4) reply.text.erase(0, 4);
  return true;
}

bool take_elements(std::string_view& bytes, std::string_view length, Reply& reply) {
  const auto announced = parse_integer(length);
  if (!announced) return false;
  if (*announced < 0) return reply.kind = Reply::Kind::kNull, true;
  reply.kind = Reply::Kind::kAggregate;
  const int64_t count = reply.marker == '%' ? *announced * 2 : *announced;
  for (int64_t i = 0; i < count; i++) {
    auto element = take_reply(bytes);
    if (!element) return false;
    reply.elements.push_back(std::move(*element));
  }
  return true;
}

bool take_whole(std::string_view& bytes, Reply& reply) {
  const auto line = take_line(bytes);
  if (!line || line->empty()) return false;
  reply.marker = (*line)[0];
  reply.kind = Reply::Kind::kText;
  const std::string_view rest = line->substr(1);
  switch (reply.marker) {
    case '+':
    case ':':
    case ',':
    case '(':
      reply.text = std::string(rest);
      return true;
    case '#':
      reply.text.assign(1, rest == "t" ? '1' : '0');
      return rest == "t" || rest == "f";
    case '-':
      reply.kind = Reply::Kind::kError;
      reply.text = std::string(rest);
      return true;
    case '_':
      reply.kind = Reply::Kind::kNull;
      return rest.empty();
    case '$':
    case '=':
      return take_bulk(bytes, rest, reply);
    case '*':
    case '%':
    case '~':
    case '>':
      return take_elements(bytes, rest, reply);
    default:
      return false;
  }
}

bool needs_quotes(std::string_view text) {
  if (text.empty() || text == "nil" || text == kAnythingText || text.starts_with(kErrorMark)) return true;
  for (const char c : text)
    if (c <= ' ' || c > '~' || std::string_view("[],;\"'\\").find(c) != std::string_view::npos) return true;
  return false;
}

// A cursor over an expectation's text.
class ExpectationParser {
 public:
  explicit ExpectationParser(std::string_view text) : rest_(text) {}

  std::optional<Reply> whole() {
    auto reply = value(false);
    skip_blanks();
    if (!rest_.empty()) return std::nullopt;
    return reply;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }

  std::optional<Reply> value(bool nested) {
    skip_blanks();
    if (rest_.empty()) return std::nullopt;
    if (rest_[0] == '[') return aggregate();
    if (rest_[0] == '"') return quoted_text();
    // Outside of brackets a text may hold blanks and commas; inside it ends at the next comma or bracket.
    const size_t end = nested ? std::min(rest_.find_first_of(",]"), rest_.size()) : rest_.size();
    const std::string_view word = trim(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (word.empty() || word.find('"') != std::string_view::npos) return std::nullopt;
    Reply reply;
    if (word == "nil") return reply;
    reply.kind = word == kAnythingText ? Reply::Kind::kAnything : Reply::Kind::kText;
    reply.text = std::string(word);
    if (word.starts_with(kErrorMark)) {
      reply.kind = Reply::Kind::kError;
      reply.text = std::string(trim(word.substr(kErrorMark.size())));
      if (reply.text.ends_with(kAnythingText)) reply.text.resize(reply.text.size() - kAnythingText.size());
      if (reply.text.empty()) return std::nullopt;
    }
    return reply;
  }

  std::optional<Reply> quoted_text() {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return std::nullopt;
    const auto words = split_words(rest_.substr(0, end + 1));
    rest_.remove_prefix(end + 1);
    if (!words || words->size() != 1) return std::nullopt;
    Reply reply;
    reply.kind = Reply::Kind::kText;
    reply.text = (*words)[0];
    return reply;
  }

  std::optional<Reply> aggregate() {
    Reply reply;
    reply.kind = Reply::Kind::kAggregate;
    rest_.remove_prefix(1);
    skip_blanks();
    if (rest_.starts_with(']')) return rest_.remove_prefix(1), reply;
    while (true) {
      auto element = value(true);
      if (!element) return std::nullopt;
      reply.elements.push_back(std::move(*element));
      skip_blanks();
      if (rest_.empty()) return std::nullopt;
      const char mark = rest_[0];
      rest_.remove_prefix(1);
      if (mark == ']') return reply;
      if (mark != ',') return std::nullopt;
    }
  }

  std::string_view rest_;
};

}  // namespace

std::optional<Reply> take_reply(std::string_view& bytes) {
  std::string_view rest = bytes;
  Reply reply;
  if (!take_whole(rest, reply)) return std::nullopt;
  bytes = rest;
  return reply;
}

std::string to_text(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::kNull:
      return "nil";
    case Reply::Kind::kAnything:
      return std::string(kAnythingText);
    case Reply::Kind::kError:
      return std::string(kErrorMark) + " " + reply.text;
    case Reply::Kind::kText:
      return needs_quotes(reply.text) ? quoted(reply.text) : reply.text;
    case Reply::Kind::kAggregate:
      break;
  }
  std::string text = "[";
  for (const Reply& element : reply.elements) {
    if (text.size() > 1) text += ", ";
    text += to_text(element);
  }
  return text + "]";
}

std::optional<Reply> parse_expectation(std::string_view text) { return ExpectationParser(text).whole(); }

bool matches(const Reply& expected, const Reply& actual) {
  if (expected.kind == Reply::Kind::kAnything) return true;
  if (expected.kind != actual.kind) return false;
  if (expected.kind == Reply::Kind::kError) return actual.text.starts_with(expected.text);
  if (expected.kind != Reply::Kind::kAggregate) return expected.text == actual.text;
  size_t count = expected.elements.size();
  const bool open = count > 0 && expected.elements.back().kind == Reply::Kind::kAnything;
  if (open) count--;
  if (open ? actual.elements.size() < count : actual.elements.size() != count) return false;
  for (size_t i = 0; i < count; i++)
    if (!matches(expected.elements[i], actual.elements[i])) return false;
  return true;
}

}  // namespace vedette::testing
