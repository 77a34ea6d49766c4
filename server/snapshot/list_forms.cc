// Lists on their way out, node by node, and in. What is written is the form of nodes: each is a number that tells what it is,
// and a string, which is a listpack or one long element.
#include "server/snapshot/list_forms.h"

#include <algorithm>

#include "server/snapshot/command_text.h"
#include "server/snapshot/old_forms.h"
#include "server/store/list_value.h"
#include "server/structures/listpack.h"

namespace vedette {
namespace {

constexpr uint64_t kPlainNode = 1, kPackedNode = 2;
enum ListStep : int { kBegin, kNodes, kLongElement };
constexpr const char* kBadListpack = "List listpack integrity check failed";
constexpr const char* kBadZiplist = "List ziplist integrity check failed";

using Node = ListpackChain::Node;

ReadOutcome failed(ValueReading& reading, const char* error) {
  reading.error = error;
  return ReadOutcome::kFailed;
}

// Appends the next part of `text`, of which `done` bytes are out; true when all is.
bool append_part(std::string_view text, BlockLog& out, uint64_t& done, size_t& budget) {
  const std::string_view part = text.substr(done, budget);
  out.append(part);
  done += part.size();
  budget -= part.size();
  return done == text.size();
}

// A list being read: packed in `scratch` until it is too large for that, or comes in several nodes.

ListpackChain::Limit limit_of(const ValueReading& reading) { return list_node_limit(*reading.limits); }

ListpackChain& chain_of(std::string_view key, ValueReading& reading) {
  if (!reading.entry) {
    auto* chain = new ListpackChain;
    reading.entry = make_large_entry(key, ValueType::kList, chain, reading.expiry_ms);
    if (reading.scratch.size() > listpack::kEmptyBytes) chain->append_pack(reading.scratch);
    reading.scratch.clear();
  }
  return *reading.entry->pointer<ListpackChain>();
}

void add_element(std::string_view key, ValueReading& reading, std::string_view text) {
  const ListpackChain::Limit limit = limit_of(reading);
  if (!reading.entry) {
    StringStore store(reading.scratch);
    if (reading.scratch.empty()) reading.scratch = listpack::empty();
    const size_t bytes = reading.scratch.size() + ListpackChain::element_bytes_max(text.size());
    if (limit.allows(bytes, listpack::count(reading.scratch) + 1)) return listpack::append(store, text);
  }
  chain_of(key, reading).push(ListEnd::kBack, text, limit);
}

// `pack` is a valid listpack.
void add_pack(std::string_view key, ValueReading& reading, std::string_view pack) {
  const size_t count = listpack::count(pack);
  if (count == 0) return;
  const ListpackChain::Limit limit = limit_of(reading);
  const bool fits = limit.allows(pack.size(), count);
  if (count == 1 && !fits) {
    listpack::Text text;
    return add_element(key, reading, listpack::get_text(pack, listpack::first(pack), text));
  }
  if (!reading.entry && reading.scratch.empty() && reading.left == 0 && fits) {
    reading.entry = make_packed_entry(key, ValueType::kList, PackedForm::kListpack, pack, reading.expiry_ms);
    return;
  }
  chain_of(key, reading).append_pack(pack);
}

ReadOutcome finish(std::string_view key, ValueReading& reading) {
  if (!reading.entry) {
    if (reading.scratch.size() <= listpack::kEmptyBytes) return ReadOutcome::kDone;
    reading.entry = make_packed_entry(key, ValueType::kList, PackedForm::kListpack, reading.scratch, reading.expiry_ms);
    reading.scratch.clear();
    return ReadOutcome::kDone;
  }
  if (!reading.entry->is_large()) return ReadOutcome::kDone;
  const auto& chain = *reading.entry->pointer<ListpackChain>();
  VED_ASSERT(chain.size() > 0);
  const Node* node = chain.front_node();
  if (chain.node_count() == 1 && !node->is_plain() && limit_of(reading).allows(node->bytes().size(), node->count())) {
    Entry* packed = make_packed_entry(reading.entry->key(), ValueType::kList, PackedForm::kListpack, node->bytes(), reading.expiry_ms);
    destroy_entry(reading.entry);
    reading.entry = packed;
  }
  return ReadOutcome::kDone;
}

// Reads the count of parts, then part after part by `read_part(std::string& scratch)`, which takes a whole one or nothing.
template <class ReadPart>
ReadOutcome read_parts(RdbInput& input, std::string_view key, ValueReading& reading, ReadPart&& read_part) {
  if (reading.step == 0) {
    const ReadOutcome outcome = read_rdb_length(input, reading.left, reading.error);
    if (outcome != ReadOutcome::kDone) return outcome;
    reading.step = 1;
  }
  std::string scratch;
  while (reading.left > 0) {
    reading.left--;
    const ReadOutcome outcome = read_part(scratch);
    if (outcome == ReadOutcome::kMore) reading.left++;
    if (outcome != ReadOutcome::kDone) return outcome;
  }
  return finish(key, reading);
}

ReadOutcome read_ziplist_part(RdbInput& input, std::string_view key, ValueReading& reading, std::string& scratch) {
  std::string_view bytes;
  const ReadOutcome outcome = read_rdb_string(input, scratch, bytes, reading.error);
  if (outcome != ReadOutcome::kDone) return outcome;
  std::string pack;
  if (!listpack_of_ziplist(bytes, pack)) return failed(reading, kBadZiplist);
  add_pack(key, reading, pack);
  return ReadOutcome::kDone;
}

ReadOutcome read_node_part(RdbInput& input, std::string_view key, ValueReading& reading, std::string& scratch) {
  const char* const begin = input.at;
  uint64_t kind = 0;
  ReadOutcome outcome = read_rdb_length(input, kind, reading.error);
  if (outcome != ReadOutcome::kDone) return outcome;
  if (kind != kPlainNode && kind != kPackedNode) return failed(reading, "List integrity check failed: a node of an unknown kind");
  std::string_view bytes;
  outcome = read_rdb_string(input, scratch, bytes, reading.error);
  if (outcome == ReadOutcome::kMore) {
    input.wanted += size_t(input.at - begin);
    input.at = begin;
  }
  if (outcome != ReadOutcome::kDone) return outcome;
  if (kind == kPlainNode) {
    if (bytes.empty()) return failed(reading, "List integrity check failed: a node without bytes");
    add_element(key, reading, bytes);
  } else {
    if (bytes.size() > listpack::kBytesMax || !listpack::valid(bytes)) return failed(reading, kBadListpack);
    add_pack(key, reading, bytes);
  }
  return ReadOutcome::kDone;
}

// A command for each batch of elements.
void print_head(const Entry& entry, BlockLog& out, size_t elements) {
  char* begin = out.reserve(kArgumentFrame + 16);
  char* to = begin;
  *to++ = '*';
  to += print_unsigned(to, elements + 2);
  to = put_text(to, "\r\n$5\r\nRPUSH\r\n");
  out.commit(size_t(to - begin));
  append_argument(out, entry.key());
}

// Prints an element in one piece.
void print_element(const listpack::Element& element, BlockLog& out, size_t& budget) {
  listpack::Text digits;
  const std::string_view text = element.is_integer ? std::string_view(digits.digits, print_integer(digits.digits, element.integer))
                                                   : element.bytes;
  append_argument(out, text);
  budget -= std::min(budget, text.size() + kArgumentFrame);
}

// Prints (the next part of) the element of a plain node; `progress.cursor` bytes of it are out. True when all is.
bool print_long_element(std::string_view text, BlockLog& out, ValueProgress& progress, size_t& budget) {
  if (progress.step != kLongElement) {
    char* to = out.reserve(kArgumentFrame);
    out.commit(size_t(put_argument_head(to, text.size()) - to));
    progress.step = kLongElement;
    progress.cursor = 0;
  }
  if (!append_part(text, out, progress.cursor, budget)) return false;
  out.append("\r\n");
  progress.step = kNodes;
  return true;
}

}  // namespace

RdbType list_rdb_type(const Entry&) { return RdbType::kListQuicklist2; }

bool write_list_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget) {
  if (!entry.is_large()) {
    write_rdb_length(out, 1);
    write_rdb_length(out, kPackedNode);
    write_rdb_string(out, packed_bytes(entry), options.compress);
    return true;
  }
  const auto& chain = *entry.pointer<ListpackChain>();
  if (progress.step == kBegin) {
    write_rdb_length(out, chain.node_count());
    progress.part = chain.front_node();
    progress.step = kNodes;
  }
  while (const Node* node = static_cast<const Node*>(progress.part)) {
    if (budget == 0) return false;
    if (progress.step == kNodes) {
      write_rdb_length(out, node->is_plain() ? kPlainNode : kPackedNode);
      if (node->is_plain() && node->bytes().size() > rdb::kPutStringMax) {
        write_rdb_length(out, node->bytes().size());
        progress.step = kLongElement;
        progress.done = 0;
      } else {
        write_rdb_string(out, node->bytes(), options.compress);
        budget -= std::min(budget, node->bytes().size());
      }
    }
    if (progress.step == kLongElement) {
      if (!append_part(node->bytes(), out, progress.done, budget)) return false;
      progress.step = kNodes;
    }
    progress.part = node->next();
  }
  progress.reset();
  return true;
}

// Between slices `progress.part` is the node and, but for a long element, `progress.cursor` the offset of the next element in it.
bool print_list_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  constexpr uint64_t kBatch = 64;
  const ListView list(entry);
  const uint64_t size = list.size();
  ListView::Position at = list.seek(0);
  if (progress.step != kBegin) {
    at.node = static_cast<Node*>(const_cast<void*>(progress.part));
    at.offset = at.node && at.node->is_plain() ? ListpackChain::kPlainOffset : progress.cursor;
  }
  while (progress.done < size) {
    if (budget == 0) {
      progress.part = at.node;
      if (progress.step != kLongElement) progress.step = kNodes, progress.cursor = at.offset;
      return false;
    }
    if (progress.step != kLongElement && progress.done % kBatch == 0) print_head(entry, out, std::min(kBatch, size - progress.done));
    const listpack::Element element = list.get(at);
    if (at.node && at.node->is_plain()) {
      if (!print_long_element(element.bytes, out, progress, budget)) continue;
    } else {
      print_element(element, out, budget);
    }
    progress.done++;
    at = list.next(at);
  }
  progress.reset();
  return true;
}

ReadOutcome read_list_elements(RdbInput& input, std::string_view key, ValueReading& reading) {
  return read_parts(input, key, reading, [&](std::string& scratch) {
    std::string_view text;
    const ReadOutcome outcome = read_rdb_string(input, scratch, text, reading.error);
    if (outcome == ReadOutcome::kDone) add_element(key, reading, text);
    return outcome;
  });
}

ReadOutcome read_list_ziplist(RdbInput& input, std::string_view key, ValueReading& reading) {
  std::string scratch;
  const ReadOutcome outcome = read_ziplist_part(input, key, reading, scratch);
  return outcome == ReadOutcome::kDone ? finish(key, reading) : outcome;
}

ReadOutcome read_list_ziplists(RdbInput& input, std::string_view key, ValueReading& reading) {
  return read_parts(input, key, reading, [&](std::string& scratch) { return read_ziplist_part(input, key, reading, scratch); });
}

ReadOutcome read_list_nodes(RdbInput& input, std::string_view key, ValueReading& reading) {
  return read_parts(input, key, reading, [&](std::string& scratch) { return read_node_part(input, key, reading, scratch); });
}

}  // namespace vedette
