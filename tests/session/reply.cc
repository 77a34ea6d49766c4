// Replies to trees and text, and expectations to trees.
#include "tests/session/reply.h"

#include <algorithm>

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "common/resp/reply_parser.h"

namespace vedette::testing {
namespace {

constexpr std::string_view kAnythingText = "...", kErrorMark = "(error)";

ReplyNode node_of(Reply&& reply) {
  ReplyNode node;
  switch (reply.type) {
    case Reply::Type::kNull: return node;
    case Reply::Type::kInteger:
    case Reply::Type::kBoolean: node.text = vedette::to_text(reply.integer); break;
    case Reply::Type::kDouble: node.text = vedette::to_text(reply.number); break;
    default: node.text = std::move(reply.text);
  }
  node.kind = reply.is_error() ? ReplyNode::Kind::kError : reply.is_aggregate() ? ReplyNode::Kind::kAggregate : ReplyNode::Kind::kText;
  for (Reply& element : reply.elements) node.elements.push_back(node_of(std::move(element)));
  return node;
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

  std::optional<ReplyNode> whole() {
    auto reply = value(false);
    skip_blanks();
    if (!rest_.empty()) return std::nullopt;
    return reply;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }

  std::optional<ReplyNode> value(bool nested) {
    skip_blanks();
    if (rest_.empty()) return std::nullopt;
    if (rest_[0] == '[') return aggregate();
    if (rest_[0] == '"') return quoted_text();
    // Outside of brackets a text may hold blanks and commas; inside it ends at the next comma or bracket.
    const size_t end = nested ? std::min(rest_.find_first_of(",]"), rest_.size()) : rest_.size();
    const std::string_view word = trim(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (word.empty() || word.find('"') != std::string_view::npos) return std::nullopt;
    ReplyNode reply;
    if (word == "nil") return reply;
    reply.kind = word == kAnythingText ? ReplyNode::Kind::kAnything : ReplyNode::Kind::kText;
    reply.text = std::string(word);
    if (word.starts_with(kErrorMark)) {
      reply.kind = ReplyNode::Kind::kError;
      reply.text = std::string(trim(word.substr(kErrorMark.size())));
      if (reply.text.ends_with(kAnythingText)) reply.text.resize(reply.text.size() - kAnythingText.size());
      if (reply.text.empty()) return std::nullopt;
    }
    return reply;
  }

  std::optional<ReplyNode> quoted_text() {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return std::nullopt;
    const auto words = split_words(rest_.substr(0, end + 1));
    rest_.remove_prefix(end + 1);
    if (!words || words->size() != 1) return std::nullopt;
    ReplyNode reply;
    reply.kind = ReplyNode::Kind::kText;
    reply.text = (*words)[0];
    return reply;
  }

  std::optional<ReplyNode> aggregate() {
    ReplyNode reply;
    reply.kind = ReplyNode::Kind::kAggregate;
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

std::optional<ReplyNode> take_reply(std::string_view& bytes) {
  ReplyParser parser;
  std::string_view rest = bytes;
  if (parser.parse(rest) != ReplyParser::Outcome::kReply) return std::nullopt;
  bytes = rest;
  return node_of(parser.take());
}

std::string to_text(const ReplyNode& reply) {
  switch (reply.kind) {
    case ReplyNode::Kind::kNull: return "nil";
    case ReplyNode::Kind::kAnything: return std::string(kAnythingText);
    case ReplyNode::Kind::kError: return std::string(kErrorMark) + " " + reply.text;
    case ReplyNode::Kind::kText: return needs_quotes(reply.text) ? quoted(reply.text) : reply.text;
    case ReplyNode::Kind::kAggregate: break;
  }
  std::string text = "[";
  for (const ReplyNode& element : reply.elements) {
    if (text.size() > 1) text += ", ";
    text += to_text(element);
  }
  return text + "]";
}

std::optional<ReplyNode> parse_expectation(std::string_view text) { return ExpectationParser(text).whole(); }

bool matches(const ReplyNode& expected, const ReplyNode& actual) {
  if (expected.kind == ReplyNode::Kind::kAnything) return true;
  if (expected.kind != actual.kind) return false;
  if (expected.kind == ReplyNode::Kind::kError) return actual.text.starts_with(expected.text);
  if (expected.kind != ReplyNode::Kind::kAggregate) return expected.text == actual.text;
  size_t count = expected.elements.size();
  const bool open = count > 0 && expected.elements.back().kind == ReplyNode::Kind::kAnything;
  if (open) count--;
  if (open ? actual.elements.size() < count : actual.elements.size() != count) return false;
  for (size_t i = 0; i < count; i++)
    if (!matches(expected.elements[i], actual.elements[i])) return false;
  return true;
}

}  // namespace vedette::testing
