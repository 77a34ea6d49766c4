// The large form of a set: a table of strings.
#pragma once

#include "server/store/element_hash.h"
#include "server/structures/byte_item.h"
#include "server/structures/hash_table.h"

namespace vedette {

class MemberTable {
 public:
  struct Traits {
    uint64_t hash_of(const ByteItem& item) const { return element_hash(item.bytes()); }
  };
  using Table = HashTable<ByteItem, Traits>;

  MemberTable() = default;
  MemberTable(const MemberTable&) = delete;
  MemberTable& operator=(const MemberTable&) = delete;
  ~MemberTable();

  size_t size() const { return table_.size(); }
  /// Bytes from the allocator, this object included. O(1).
  size_t memory_bytes() const { return allocation_size(sizeof *this) + table_.memory_bytes() + item_bytes_; }
  const Table& table() const { return table_; }
  /// For a table that is about to get so many members.
  void reserve(size_t members) { table_.reserve(members); }

  // `hash` is element_hash(member).
  bool contains(std::string_view member, uint64_t hash) const { return bool(find(member, hash)); }
  /// False if it was there.
  bool add(std::string_view member, uint64_t hash) {
    if (find(member, hash)) return false;
    add_new(member, hash);
    return true;
  }
  /// Adds a member that is not there.
  void add_new(std::string_view member, uint64_t hash) {
    item_bytes_ += ByteItem::memory_bytes(member.size());
    table_.insert(hash, ByteItem::create(member), false);
  }
  /// False if it was not there. `member` may be the very bytes in the table.
  bool remove(std::string_view member, uint64_t hash);
  /// A member, each as likely as any other. Requires one.
  std::string_view random(Rng& rng) const { return table_.random(rng).bytes(); }
  /// Empties it at once.
  void clear();
  void swap(MemberTable& other) noexcept {
    table_.swap(other.table_);
    std::swap(item_bytes_, other.item_bytes_);
  }

  /// Calls `visit(std::string_view)` for the members at `cursor`; returns the next cursor, 0 at the end. As HashTable::scan(),
  /// with what comes next fetched ahead.
  template <class Visit>
  uint64_t scan(uint64_t cursor, Visit&& visit) const {
    constexpr size_t kAhead = 3;
    table_.look_ahead(cursor, kAhead, [](const ByteItem* item) { prefetch_line(item); });
    return table_.scan(cursor, [&](ByteItem& item, bool) { visit(item.bytes()); });
  }

 private:
  Table::Place find(std::string_view member, uint64_t hash) const {
    return table_.find(hash, [&](const ByteItem& item) { return item.bytes() == member; });
  }

  Table table_;
  size_t item_bytes_ = 0;
};

}  // namespace vedette
