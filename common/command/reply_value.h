// A reply as data, for the few commands whose replies are deep and derive from tables (COMMAND DOCS): built
// as a value, compared in tests, written once. Not for the hot path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette {

struct ReplyValue {
  enum class Kind : uint8_t { kNull, kBulk, kStatus, kInteger, kArray, kSet, kMap };
  Kind kind = Kind::kNull;
  std::string text = {};
  int64_t number = 0;
  std::vector<ReplyValue> items = {};  ///< of kMap: key, value, key, value ...

  bool operator==(const ReplyValue&) const = default;

  static ReplyValue null() { return {}; }
  static ReplyValue bulk(std::string_view text) { return {Kind::kBulk, std::string(text)}; }
  static ReplyValue status(std::string_view text) { return {Kind::kStatus, std::string(text)}; }
  static ReplyValue integer(int64_t number) { return {Kind::kInteger, {}, number}; }
  static ReplyValue array(std::vector<ReplyValue> items = {}) { return {Kind::kArray, {}, 0, std::move(items)}; }
  static ReplyValue set(std::vector<ReplyValue> items = {}) { return {Kind::kSet, {}, 0, std::move(items)}; }
  static ReplyValue map() { return {Kind::kMap}; }

  void add(ReplyValue item) { items.push_back(std::move(item)); }
  void add(std::string_view key, ReplyValue value) {
    items.push_back(bulk(key));
    items.push_back(std::move(value));
  }
};

/// Writes the tree to a ReplyWriter, or to anything with its methods; depth and size are those of our own
/// tables.
template <class Writer>
void write_reply(Writer& writer, const ReplyValue& value) {
  switch (value.kind) {
    case ReplyValue::Kind::kNull: return writer.null();
    case ReplyValue::Kind::kBulk: return writer.bulk(value.text);
    case ReplyValue::Kind::kStatus: return writer.status(value.text);
    case ReplyValue::Kind::kInteger: return writer.integer(value.number);
    case ReplyValue::Kind::kArray: writer.array(value.items.size()); break;
    case ReplyValue::Kind::kSet: writer.set(value.items.size()); break;
    case ReplyValue::Kind::kMap: writer.map(value.items.size() / 2); break;
  }
  for (const ReplyValue& item : value.items) write_reply(writer, item);
}

}  // namespace vedette
