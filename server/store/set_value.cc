// When a set changes its form.
#include "server/store/set_value.h"

#include <algorithm>
#include <cstring>

#include "server/store/digest.h"
#include "server/store/value_kind.h"

namespace vedette {
namespace {

size_t text_size(int64_t integer) {
  char digits[20];
  return print_integer(digits, integer);
}

// Whether a listpack takes another member of `size` bytes beside `held`.
bool listpack_takes(const PackingLimits& limits, std::string_view pack, size_t held, size_t size) {
  return held < limits.set_entries && size <= limits.set_value_bytes && pack.size() + size + 16 <= listpack::kBytesMax;
}

// Whether a listpack takes the integers of an intset and a member of `size` bytes.
bool listpack_takes_integers(const PackingLimits& limits, std::string_view integers, size_t size) {
  const size_t held = intset::count(integers);
  const size_t longest = held ? std::max(text_size(intset::at(integers, 0)), text_size(intset::at(integers, held - 1))) : 0;
  return longest <= limits.set_value_bytes && listpack_takes(limits, integers, held, size);
}

std::string listpack_of_integers(std::string_view integers) {
  std::string pack(listpack::empty());
  StringStore store(pack);
  pack.reserve(listpack::kEmptyBytes + integers.size() * 2);
  for (size_t i = 0; i < intset::count(integers); i++) listpack::append(store, intset::at(integers, i));
  return pack;
}

void add_all_new(MemberTable& table, std::string_view bytes, bool integers) {
  const auto add = [&table](Member& member) { table.add_new(member.text(), member.hash()); };
  if (integers) {
    for (size_t i = 0; i < intset::count(bytes); i++) {
      Member member(intset::at(bytes, i));
      add(member);
    }
    return;
  }
  for (listpack::Cursor at(bytes); at; at.next()) {
    Member member(at.get());
    add(member);
  }
}

// A table of the members of packed bytes, with room for what is expected.
std::unique_ptr<MemberTable> table_of(std::string_view bytes, bool integers, size_t expected) {
  auto table = std::make_unique<MemberTable>();
  const size_t held = integers ? intset::count(bytes) : listpack::count(bytes);
  table->reserve(std::max(held + 1, expected));
  add_all_new(*table, bytes, integers);
  return table;
}

void grow_large(WriteEntry& set, size_t expected) {
  const Entry& old = *set;
  set.become_large(table_of(packed_bytes(old), holds_integers(old), expected).release());
}

void* duplicate(const void* large) {
  const auto& table = *static_cast<const MemberTable*>(large);
  auto* copy = new MemberTable;
  copy->reserve(table.size());
  uint64_t cursor = 0;
  do {
    cursor = table.scan(cursor, [copy](std::string_view bytes) { copy->add_new(bytes, element_hash(bytes)); });
  } while (cursor != 0);
  return copy;
}

void digest(const Entry& set, DigestMixer& digest) {
  for_each_member(set, [&](Member& member) { digest.add_unordered(member.text()); });
}

std::string_view encoding_name(const Entry& set) { return !is_packed(set) ? "hashtable" : holds_integers(set) ? "intset" : "listpack"; }

}  // namespace

constexpr ValueKind kSetKind = {
    ValueType::kSet,
    [](void* large) { delete static_cast<MemberTable*>(large); },
    [](const void* large) { return static_cast<const MemberTable*>(large)->memory_bytes(); },
    duplicate,
    digest,
    encoding_name,
    set_size,
};

size_t set_size(const Entry& set) {
  if (!is_packed(set)) return member_table(set).size();
  const std::string_view bytes = packed_bytes(set);
  return holds_integers(set) ? intset::count(bytes) : listpack::count(bytes);
}

bool set_contains(const Entry& set, Member& member) {
  if (!is_packed(set)) return member_table(set).contains(member.text(), member.hash());
  const std::string_view bytes = packed_bytes(set);
  if (!holds_integers(set)) return listpack::find(bytes, listpack::first(bytes), member.text()) != listpack::end(bytes);
  const auto integer = member.integer();
  return integer && intset::contains(bytes, *integer);
}

bool add_member(WriteEntry& set, Member& member, const PackingLimits& limits) {
  if (!is_packed(*set)) return member_table(*set).add(member.text(), member.hash());
  PackedEntry packed = set.packed();
  const size_t size = member.text().size();
  if (holds_integers(*set)) {
    if (const auto integer = member.integer()) {
      if (!intset::insert(packed, *integer)) return false;
      if (intset::count(packed.bytes()) > limits.set_integers) grow_large(set, 0);
      return true;
    }
    if (listpack_takes_integers(limits, packed.bytes(), size)) {
      std::string pack = listpack_of_integers(packed.bytes());
      StringStore store(pack);
      listpack::append(store, member.text());
      set.become_packed(PackedForm::kListpack, pack);
      return true;
    }
  } else {
    if (set_contains(*set, member)) return false;
    if (listpack_takes(limits, packed.bytes(), listpack::count(packed.bytes()), size)) {
      listpack::append(packed, member.text());
      return true;
    }
  }
  grow_large(set, 0);
  member_table(*set).add_new(member.text(), member.hash());
  return true;
}

bool remove_member(WriteEntry& set, Member& member) {
  if (!is_packed(*set)) return member_table(*set).remove(member.text(), member.hash());
  PackedEntry packed = set.packed();
  if (holds_integers(*set)) {
    const auto integer = member.integer();
    return integer && intset::erase(packed, *integer);
  }
  const std::string_view bytes = packed.bytes();
  const listpack::Offset at = listpack::find(bytes, listpack::first(bytes), member.text());
  return at != listpack::end(bytes) && listpack::erase(packed, at) == 1;
}

void expect_members(WriteEntry& set, size_t expected, const PackingLimits& limits) {
  if (is_packed(*set) && expected > (holds_integers(*set) ? limits.set_integers : limits.set_entries)) grow_large(set, expected);
}

char* SetBuilder::Bytes::splice(size_t at, size_t removed, size_t inserted) {
  const size_t size = size_ - removed + inserted;
  if (spilled_ || size > sizeof near_) {
    if (!spilled_) text_.assign(near_, size_), spilled_ = true;
    text_.replace(at, removed, inserted, '\0');
  } else {
    std::memmove(near_ + at + inserted, near_ + at + removed, size_ - at - removed);
  }
  size_ = size;
  return data() + at;
}

void SetBuilder::put(std::string_view bytes) {
  char* to = packed_.splice(0, packed_.bytes().size(), bytes.size());
  std::memcpy(to, bytes.data(), bytes.size());
}

void SetBuilder::begin(Member& member) {
  if (member.integer() && expected_ <= limits_.set_integers) {
    form_ = Form::kIntegers;
    put(intset::empty());
  } else if (expected_ <= limits_.set_entries) {
    form_ = Form::kListpack;
    put(listpack::empty());
  } else {
    form_ = Form::kTable;
    table_ = std::make_unique<MemberTable>();
    table_->reserve(expected_);
  }
}

void SetBuilder::make_listpack() {
  put(listpack_of_integers(packed_.bytes()));
  form_ = Form::kListpack;
}

void SetBuilder::make_large() {
  table_ = table_of(packed_.bytes(), form_ == Form::kIntegers, expected_);
  form_ = Form::kTable;
}

bool SetBuilder::add(Member& member, bool search) {
  if (form_ == Form::kEmpty) begin(member);
  if (form_ == Form::kIntegers) {
    if (const auto integer = member.integer()) {
      if (!intset::insert(packed_, *integer)) return false;
      if (intset::count(packed_.bytes()) > limits_.set_integers) make_large();
      return true;
    }
    if (listpack_takes_integers(limits_, packed_.bytes(), member.text().size())) make_listpack();
    else make_large();
  }
  if (form_ == Form::kListpack) {
    const std::string_view pack = packed_.bytes();
    if (search && listpack::find(pack, listpack::first(pack), member.text()) != listpack::end(pack)) return false;
    if (listpack_takes(limits_, pack, listpack::count(pack), member.text().size())) return listpack::append(packed_, member.text()), true;
    make_large();
    search = false;
  }
  if (search) return table_->add(member.text(), member.hash());
  table_->add_new(member.text(), member.hash());
  return true;
}

size_t SetBuilder::size() const {
  switch (form_) {
    case Form::kEmpty: return 0;
    case Form::kIntegers: return intset::count(packed_.bytes());
    case Form::kListpack: return listpack::count(packed_.bytes());
    case Form::kTable: break;
  }
  return table_->size();
}

std::unique_ptr<MemberTable> SetBuilder::take_table() {
  if (form_ == Form::kTable) form_ = Form::kEmpty;
  return std::move(table_);
}

Entry* SetBuilder::make_entry(std::string_view key, int64_t expiry_ms) {
  VED_ASSERT(size() > 0);
  const Form form = form_;
  form_ = Form::kEmpty;
  if (form == Form::kTable) return make_large_entry(key, ValueType::kSet, table_.release(), expiry_ms);
  const PackedForm packed = form == Form::kIntegers ? PackedForm::kIntset : PackedForm::kListpack;
  return make_packed_entry(key, ValueType::kSet, packed, packed_.bytes(), expiry_ms);
}

}  // namespace vedette
