// Members that go.
#include "server/store/member_table.h"

namespace vedette {

MemberTable::~MemberTable() { clear(); }

void MemberTable::clear() {
  table_.for_each([](ByteItem& item) { ByteItem::free(&item); });
  table_.clear();
  item_bytes_ = 0;
}

bool MemberTable::remove(std::string_view member, uint64_t hash) {
  const Table::Place place = find(member, hash);
  if (!place) return false;
  ByteItem* item = place.item();
  item_bytes_ -= ByteItem::memory_bytes(item->bytes().size());
  table_.erase(hash, place);
  ByteItem::free(item);
  return true;
}

}  // namespace vedette
