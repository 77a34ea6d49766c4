// Set values: an intset or a listpack (packed.h), or, when they are many or long, a table of strings (member_table.h).
//
// Which form a set has follows from what is put into it: integers alone are an intset up to PackingLimits::set_integers, others
// a listpack up to set_entries members of set_value_bytes. A form only ever grows: removing leaves it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/numbers.h"
#include "server/store/access.h"
#include "server/store/member_table.h"
#include "server/store/packing.h"
#include "server/structures/intset.h"
#include "server/structures/listpack.h"

namespace vedette {

struct ValueKind;
extern const ValueKind kSetKind;

/// A member on its way from one form to another: its text, its integer and its hash are each found when they are first asked
/// for. The bytes it was made of must outlive it.
class Member {
 public:
  explicit Member(std::string_view bytes) : text_(bytes), has_text_(true) {}
  explicit Member(int64_t integer) : integer_(integer), integer_known_(true), is_integer_(true) {}
  explicit Member(const listpack::Element& element)
      : text_(element.bytes),
        integer_(element.integer),
        has_text_(!element.is_integer),
        integer_known_(true),
        is_integer_(element.is_integer) {}
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  std::string_view text() {
    if (!has_text_) text_ = {digits_, print_integer(digits_, integer_)}, has_text_ = true;
    return text_;
  }
  /// The integer that its text is, if it is a canonical one.
  std::optional<int64_t> integer() {
    if (!integer_known_) find_integer();
    return is_integer_ ? std::optional(integer_) : std::nullopt;
  }
  uint64_t hash() {
    if (!has_hash_) hash_ = element_hash(text()), has_hash_ = true;
    return hash_;
  }

 private:
  void find_integer() {
    const auto integer = parse_integer(text_);
    integer_known_ = true;
    is_integer_ = integer.has_value();
    integer_ = integer.value_or(0);
  }

  std::string_view text_;
  int64_t integer_ = 0;
  uint64_t hash_ = 0;
  bool has_text_ = false, integer_known_ = false, is_integer_ = false, has_hash_ = false;
  char digits_[20];
};

inline MemberTable& member_table(const Entry& set) { return *set.pointer<MemberTable>(); }

/// How many members. O(1).
size_t set_size(const Entry& set);
bool set_contains(const Entry& set, Member& member);

/// Calls `visit(Member&)` for the members at `cursor` (0: the first), in no order, a bucket of a table at a time or one of a
/// packed set; returns the cursor to go on with, 0 at the end. The set must not change between two calls, if it is packed.
template <class Visit>
uint64_t visit_members(const Entry& set, uint64_t cursor, Visit&& visit) {
  if (!is_packed(set))
    return member_table(set).scan(cursor, [&](std::string_view bytes) {
      Member member(bytes);
      visit(member);
    });
  const std::string_view bytes = packed_bytes(set);
  if (holds_integers(set)) {
    if (cursor >= intset::count(bytes)) return 0;
    Member member(intset::at(bytes, cursor));
    visit(member);
    return cursor + 1 < intset::count(bytes) ? cursor + 1 : 0;
  }
  const listpack::Offset at = cursor ? cursor : listpack::first(bytes);
  if (at >= listpack::end(bytes)) return 0;
  Member member(listpack::get(bytes, at));
  visit(member);
  const listpack::Offset next = listpack::next(bytes, at);
  return next < listpack::end(bytes) ? next : 0;
}

/// Calls `visit(Member&) -> bool` for every member, until it returns false. O(n).
template <class Visit>
void for_each_member_while(const Entry& set, Visit&& visit) {
  bool more = true;
  uint64_t cursor = 0;
  do {
    cursor = visit_members(set, cursor, [&](Member& member) { more = more && visit(member); });
  } while (cursor != 0 && more);
}

/// Calls `visit(Member&)` for every member. O(n).
template <class Visit>
void for_each_member(const Entry& set, Visit&& visit) {
  for_each_member_while(set, [&](Member& member) { return visit(member), true; });
}

/// Adds to the set that is there; false if the member was in it. O(1), or O(n) of a packed set.
bool add_member(WriteEntry& set, Member& member, const PackingLimits& limits);
/// Removes; false if it was not in it. An emptied set is the caller's to erase.
bool remove_member(WriteEntry& set, Member& member);
/// Makes a packed set a table if it is about to get more members than its form takes.
void expect_members(WriteEntry& set, size_t expected, const PackingLimits& limits);

/// A set in the making, in the smallest form that holds it.
class SetBuilder {
 public:
  /// `expected`: how many members are to come, where that shall decide the form; more than a form takes begins with the next.
  explicit SetBuilder(const PackingLimits& limits, size_t expected = 0) : limits_(limits), expected_(expected) {}
  SetBuilder(const SetBuilder&) = delete;
  SetBuilder& operator=(const SetBuilder&) = delete;

  /// False if it was in it.
  bool add(Member& member) { return add(member, true); }
  /// Adds a member of which it is known that it is not in it.
  void add_new(Member& member) { add(member, false); }
  size_t size() const;

  /// Takes the set, which must not be empty, as a new entry; the builder is empty afterwards.
  Entry* make_entry(std::string_view key, int64_t expiry_ms);
  /// The table it has become, if it has; otherwise null. It is the caller's from then on, and the builder is empty.
  std::unique_ptr<MemberTable> take_table();

 private:
  enum class Form : uint8_t { kEmpty, kIntegers, kListpack, kTable };

  // Bytes on the stack as long as they are few.
  class Bytes final : public ByteStore {
   public:
    std::string_view bytes() const override { return {spilled_ ? text_.data() : near_, size_}; }
    char* data() override { return spilled_ ? text_.data() : near_; }
    char* splice(size_t at, size_t removed, size_t inserted) override;

   private:
    char near_[232];
    size_t size_ = 0;
    bool spilled_ = false;
    std::string text_;
  };

  bool add(Member& member, bool search);
  void begin(Member& member);
  void make_listpack();
  void make_large();
  void put(std::string_view bytes);

  const PackingLimits& limits_;
  size_t expected_;
  Form form_ = Form::kEmpty;
  Bytes packed_;
  std::unique_ptr<MemberTable> table_;
};

}  // namespace vedette
