// Lists: one listpack as long as that is as small as a node may be, in the entry (packed.h); beyond that a chain of them. A list
// that shrinks becomes packed again when it has come down to half a node, so that it does not change back and forth.
#pragma once

#include <span>

#include "common/base/numbers.h"
#include "server/store/access.h"
#include "server/store/packing.h"
#include "server/store/value_kind.h"
#include "server/structures/listpack_chain.h"

namespace vedette {

using ListEnd = ListpackChain::End;

/// What one node may hold by list-max-listpack-size: so many elements, or from -1 to -5 for 4 to 64 KiB.
ListpackChain::Limit list_node_limit(const PackingLimits& limits);

/// A text to compare elements with.
class ListText {
 public:
  explicit ListText(std::string_view text) : text_(text), integer_(parse_integer(text)) {}
  bool is(const listpack::Element& element) const {
    return element.is_integer ? integer_ && *integer_ == element.integer : element.bytes == text_;
  }

 private:
  std::string_view text_;
  std::optional<int64_t> integer_;
};

/// A list for reading, whatever its form. Positions without a node are such in a packed list.
class ListView {
 public:
  using Position = ListpackChain::Position;

  explicit ListView(const Entry& entry)
      : chain_(entry.is_large() ? entry.pointer<const ListpackChain>() : nullptr),
        pack_(chain_ ? std::string_view() : packed_bytes(entry)) {}

  size_t size() const { return chain_ ? chain_->size() : listpack::count(pack_); }
  /// The element of an index; from the end if it is negative. None if there is none.
  Position seek(int64_t index) const { return chain_ ? chain_->seek(index) : in_pack(listpack::seek(pack_, index)); }
  Position next(Position at) const { return chain_ ? ListpackChain::next(at) : in_pack(listpack::next(pack_, at.offset)); }
  Position previous(Position at) const { return chain_ ? ListpackChain::previous(at) : in_pack(listpack::previous(pack_, at.offset)); }
  listpack::Element get(Position at) const { return chain_ ? ListpackChain::get(at) : listpack::get(pack_, at.offset); }

  /// Calls `visit(const listpack::Element&)` for `count` elements from `at` on, of which there must be as many.
  template <class Visit>
  void for_each(Position at, size_t count, Visit&& visit) const {
    while (count > 0) {
      if (at.node && at.node->is_plain()) {
        visit(get(at));
        if (--count > 0) at = next(at);
        continue;
      }
      const std::string_view pack = at.node ? at.node->bytes() : pack_;
      for (listpack::Offset behind = at.offset; count > 0 && behind != listpack::end(pack); count--) {
        at.offset = behind;
        visit(listpack::take(pack, behind));
      }
      if (count > 0) at = next(at);
    }
  }
  template <class Visit>
  void for_each_backwards(Position at, size_t count, Visit&& visit) const {
    for (; count > 0; count--, at = previous(at)) visit(get(at));
  }

 private:
  Position in_pack(listpack::Offset at) const { return at == listpack::end(pack_) ? Position() : Position{nullptr, at}; }

  const ListpackChain* chain_;
  std::string_view pack_;
};

/// A list that is there, open for editing, whatever its form. Write access has been handed out. A list without elements is an
/// intermediate state: whoever takes the last one removes the key.
class ListWriter {
 public:
  using Position = ListpackChain::Position;

  ListWriter(WriteEntry& entry, const PackingLimits& limits) : entry_(entry), limit_(list_node_limit(limits)) {}

  /// Good until the next edit.
  ListView view() const { return ListView(*entry_); }
  size_t size() const { return view().size(); }

  void push(ListEnd end, std::string_view text);
  /// Inserts before the element at `at`; at the end if it is none.
  void insert(Position at, std::string_view text);
  void replace(Position at, std::string_view text);
  /// Returns the element behind. Positions before it stay good.
  Position erase(Position at);
  /// There must be as many elements.
  void erase_from(ListEnd end, size_t elements);
  /// To be called when erasing is over: a list that has become small is packed again.
  void settle();
  /// The same after erasures here and there.
  void tidy();

 private:
  ListpackChain* chain() const { return entry_->is_large() ? entry_->pointer<ListpackChain>() : nullptr; }
  /// Makes a packed list large if `bytes` and `elements` more are too much for it.
  void prepare(size_t bytes, size_t elements);
  friend void push_to_list(WriteEntry&, const PackingLimits&, ListEnd, std::span<const std::string_view>);

  WriteEntry& entry_;
  ListpackChain::Limit limit_;
};

/// Pushes the texts one after the other to an end of a list, which is made if the key is absent.
void push_to_list(WriteEntry& entry, const PackingLimits& limits, ListEnd end, std::span<const std::string_view> texts);

extern const ValueKind kListKind;

}  // namespace vedette
