// Nodes: where their bytes lie, and how an edit finds or makes one with room.
#include "server/structures/listpack_chain.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/base/memory.h"

namespace vedette {
namespace {

void copy(char* to, const char* from, size_t bytes) {
  if (bytes) std::memcpy(to, from, bytes);
}

bool is_too_long(std::string_view text, const ListpackChain::Limit& limit) {
  return text.size() >= limit.plain_bytes || ListpackChain::element_bytes_max(text.size()) + listpack::kEmptyBytes > limit.bytes;
}

}  // namespace

// The listpack of a node, open for editing. The node may move.
class ListpackChain::NodeStore final : public ByteStore {
 public:
  NodeStore(ListpackChain& chain, Node* node, size_t bytes_max) : chain_(chain), node_(node), bytes_max_(bytes_max) {}
  Node* node() const { return node_; }
  std::string_view bytes() const override { return node_->bytes(); }
  char* data() override { return node_->room() + node_->start_; }

  char* splice(size_t at, size_t removed, size_t inserted) override {
    const size_t behind = node_->size_ - at - removed;
    const bool moves_front = at < behind;
    char* const begin = data();
    if (inserted <= removed) {
      if (moves_front) {
        std::memmove(begin + removed - inserted, begin, at);
        node_->start_ += removed - inserted;
      } else {
        std::memmove(begin + at + inserted, begin + at + removed, behind);
      }
    } else {
      const size_t growth = inserted - removed;
      if (moves_front && node_->start_ >= growth) {
        std::memmove(begin - growth, begin, at);
        node_->start_ -= growth;
      } else if (!moves_front && node_->capacity_ - node_->start_ - node_->size_ >= growth) {
        std::memmove(begin + at + inserted, begin + at + removed, behind);
      } else {
        make_room(at, removed, inserted);
        return data() + at;
      }
    }
    node_->size_ = node_->size_ - removed + inserted;
    return data() + at;
  }

 private:
  // All new room goes to the side that grows. Where the node may not get larger, its spare room is shared out between the sides.
  void make_room(size_t at, size_t removed, size_t inserted) {
    const size_t size = node_->size_ - removed + inserted;
    const bool at_front = at < node_->size_ - at - removed;
    const size_t wanted = std::max(size, std::min(2 * size, bytes_max_));
    const size_t room = allocation_size(sizeof(Node) + wanted) - sizeof(Node);
    const bool is_larger = room > node_->capacity_;
    const size_t spare = room - size;
    node_ = chain_.move_node(node_, room, is_larger ? (at_front ? spare : 0) : spare / 2, at, removed, inserted);
  }

  ListpackChain& chain_;
  Node* node_;
  const size_t bytes_max_;
};

ListpackChain::ListpackChain(const ListpackChain& other) {
  for (const Node* node = other.front_; node; node = node->next_) node->plain_ ? append_plain(node->bytes()) : append_pack(node->bytes());
}

ListpackChain::~ListpackChain() {
  while (front_) {
    Node* next = front_->next_;
    free_node(front_);
    front_ = next;
  }
}

ListpackChain::Node* ListpackChain::create_node(size_t room, bool plain) {
  const size_t bytes = allocation_size(sizeof(Node) + room);
  Node* node = static_cast<Node*>(allocate(bytes));
  *node = Node();
  node->capacity_ = bytes - sizeof(Node);
  node->plain_ = plain;
  memory_ += bytes;
  return node;
}

void ListpackChain::free_node(Node* node) {
  const size_t bytes = sizeof(Node) + node->capacity_;
  memory_ -= bytes;
  release(node, bytes);
}

void ListpackChain::link(Node* node, Node* after) {
  node->previous_ = after;
  node->next_ = after ? after->next_ : front_;
  (node->next_ ? node->next_->previous_ : back_) = node;
  (after ? after->next_ : front_) = node;
  nodes_++;
}

void ListpackChain::unlink_and_free(Node* node) {
  (node->previous_ ? node->previous_->next_ : front_) = node->next_;
  (node->next_ ? node->next_->previous_ : back_) = node->previous_;
  nodes_--;
  free_node(node);
}

ListpackChain::Node* ListpackChain::move_node(Node* node, size_t room, size_t start, size_t at, size_t removed, size_t inserted) {
  Node* moved = create_node(room, node->plain_);
  moved->count_ = node->count_;
  moved->start_ = start;
  moved->size_ = node->size_ - removed + inserted;
  const char* from = node->room() + node->start_;
  char* to = moved->room() + start;
  copy(to, from, at);
  copy(to + at + inserted, from + at + removed, node->size_ - at - removed);
  moved->previous_ = node->previous_, moved->next_ = node->next_;
  (moved->previous_ ? moved->previous_->next_ : front_) = moved;
  (moved->next_ ? moved->next_->previous_ : back_) = moved;
  free_node(node);
  return moved;
}

// A chain has filled a node before; the next will probably be filled too, but a short chain is not to pay for all of it.
ListpackChain::Node* ListpackChain::new_node_with(std::string_view text, Node* after, const Limit& limit) {
  size_++;
  if (is_too_long(text, limit)) {
    Node* node = create_node(text.size(), true);
    copy(node->room(), text.data(), text.size());
    node->size_ = text.size(), node->count_ = 1;
    link(node, after);
    return node;
  }
  const size_t size = listpack::kEmptyBytes + listpack::element_bytes(text);
  Node* node = create_node(std::max(size, limit.bytes / 4), false);
  copy(node->room(), listpack::empty().data(), listpack::kEmptyBytes);
  node->size_ = listpack::kEmptyBytes, node->count_ = 1;
  if (!after) {  // it will grow at its front
    node->start_ = node->capacity_ - size;
    std::memmove(node->room() + node->start_, node->room(), listpack::kEmptyBytes);
  }
  link(node, after);
  NodeStore store(*this, node, limit.bytes);
  listpack::append(store, text);
  return store.node();
}

void ListpackChain::insert_into(Node* node, listpack::Offset at, std::string_view text, const Limit& limit) {
  NodeStore store(*this, node, limit.bytes);
  listpack::insert(store, at, text);
  store.node()->count_++;
  size_++;
}

ListpackChain::Position ListpackChain::seek(int64_t index) const {
  const int64_t size = int64_t(size_);
  if (index < 0) index += size;
  if (index < 0 || index >= size) return {};
  Node* node = front_;
  if (index < size / 2) {
    for (; index >= node->count_; node = node->next_) index -= node->count_;
  } else {
    index = size - 1 - index;  // counted from the end
    for (node = back_; index >= node->count_; node = node->previous_) index -= node->count_;
    index = node->count_ - 1 - index;
  }
  return {node, node->plain_ ? kPlainOffset : listpack::seek(node->bytes(), index)};
}

ListpackChain::Position ListpackChain::next(Position at) {
  if (!at.node->plain_) {
    at.offset = listpack::next(at.node->bytes(), at.offset);
    if (at.offset != listpack::end(at.node->bytes())) return at;
  }
  Node* node = at.node->next_;
  if (!node) return {};
  return {node, node->plain_ ? kPlainOffset : listpack::kHeaderBytes};
}

ListpackChain::Position ListpackChain::previous(Position at) {
  if (at.offset > listpack::kHeaderBytes) return {at.node, listpack::previous(at.node->bytes(), at.offset)};
  Node* node = at.node->previous_;
  if (!node) return {};
  return {node, node->plain_ ? kPlainOffset : listpack::last(node->bytes())};
}

listpack::Element ListpackChain::get(Position at) {
  if (at.node->plain_) return {at.node->bytes(), 0, false};
  return listpack::get(at.node->bytes(), at.offset);
}

bool ListpackChain::fits(const Node* node, std::string_view text, const Limit& limit) {
  return node && !node->plain_ && limit.allows(node->size_ + element_bytes_max(text.size()), node->count_ + 1);
}

void ListpackChain::push(End end, std::string_view text, const Limit& limit) {
  Node* node = end == End::kFront ? front_ : back_;
  if (!fits(node, text, limit)) new_node_with(text, end == End::kFront ? nullptr : back_, limit);
  else insert_into(node, end == End::kFront ? listpack::kHeaderBytes : listpack::end(node->bytes()), text, limit);
}

void ListpackChain::insert(Position at, std::string_view text, const Limit& limit) {
  if (!at) return push(End::kBack, text, limit);
  if (fits(at.node, text, limit)) return insert_into(at.node, at.offset, text, limit);
  Node* second = at.node;
  if (at.offset > listpack::kHeaderBytes) second = split(at.node, at.offset);
  Node* first = second->previous_;
  if (fits(first, text, limit)) return insert_into(first, listpack::end(first->bytes()), text, limit);
  if (fits(second, text, limit)) return insert_into(second, listpack::kHeaderBytes, text, limit);
  new_node_with(text, first, limit);
}

void ListpackChain::replace(Position at, std::string_view text, const Limit& limit) {
  Node* node = at.node;
  if (!node->plain_ && !is_too_long(text, limit)) {
    const size_t held = listpack::next(node->bytes(), at.offset) - at.offset, wanted = listpack::element_bytes(text);
    if (wanted <= held || node->size_ - held + wanted <= limit.bytes) {
      NodeStore store(*this, node, limit.bytes);
      listpack::replace(store, at.offset, text);
      return;
    }
  }
  insert(erase(at), text, limit);
}

ListpackChain::Position ListpackChain::erase(Position at) {
  Node* node = at.node;
  size_--;
  if (node->count_ == 1) {
    Node* next = node->next_;
    unlink_and_free(node);
    if (!next) return {};
    return {next, next->plain_ ? kPlainOffset : listpack::kHeaderBytes};
  }
  NodeStore store(*this, node, 0);
  listpack::erase(store, at.offset);
  node->count_--;
  if (at.offset != listpack::end(node->bytes())) return at;
  if (!node->next_) return {};
  return {node->next_, node->next_->plain_ ? kPlainOffset : listpack::kHeaderBytes};
}

void ListpackChain::erase_from(End end, size_t elements) {
  VED_ASSERT(elements <= size_);
  size_ -= elements;
  while (elements > 0) {
    Node* node = end == End::kFront ? front_ : back_;
    if (node->count_ <= elements) {
      elements -= node->count_;
      unlink_and_free(node);
      continue;
    }
    NodeStore store(*this, node, 0);
    listpack::erase(store, end == End::kFront ? listpack::kHeaderBytes : listpack::seek(node->bytes(), int64_t(node->count_ - elements)),
                    elements);
    node->count_ -= uint32_t(elements);
    return;
  }
}

ListpackChain::Node* ListpackChain::split(Node* node, listpack::Offset at) {
  uint32_t before = 0;
  for (listpack::Offset to = listpack::kHeaderBytes; to < at; to = listpack::next(node->bytes(), to)) before++;
  Node* second = create_node(node->size_, false);
  copy(second->room(), node->bytes().data(), node->size_);
  second->size_ = node->size_;
  second->count_ = node->count_ - before;
  link(second, node);
  NodeStore second_store(*this, second, 0), first_store(*this, node, 0);
  listpack::erase(second_store, listpack::kHeaderBytes, before);
  listpack::erase(first_store, at, node->count_ - before);
  node->count_ = before;
  return second;
}

void ListpackChain::tidy(const Limit& limit) {
  for (Node* node = front_; node; node = node->next_) {
    while (Node* next = node->next_) {
      if (node->plain_ || next->plain_) break;
      if (!limit.allows(2 * (node->size_ + next->size_), 2 * (size_t(node->count_) + next->count_))) break;
      NodeStore store(*this, node, 0);
      listpack::append_all(store, next->bytes());
      node = store.node();
      node->count_ += next->count_;
      unlink_and_free(next);
    }
    const size_t room = allocation_size(sizeof(Node) + node->size_) - sizeof(Node);
    if (!node->plain_ && room < node->capacity_ / 2) node = move_node(node, room, 0, node->size_, 0, 0);
  }
}

void ListpackChain::append_pack(std::string_view pack) {
  Node* node = create_node(pack.size(), false);
  copy(node->room(), pack.data(), pack.size());
  node->size_ = pack.size();
  node->count_ = uint32_t(listpack::count(pack));
  size_ += node->count_;
  link(node, back_);
}

void ListpackChain::append_plain(std::string_view text) {
  Node* node = create_node(text.size(), true);
  copy(node->room(), text.data(), text.size());
  node->size_ = text.size(), node->count_ = 1;
  size_++;
  link(node, back_);
}

}  // namespace vedette
