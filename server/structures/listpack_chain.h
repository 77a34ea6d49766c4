// A chain of listpacks: a long sequence of strings and integers that is edited cheaply at its ends, and within one node anywhere.
//
// A node is one allocation: links, and a listpack somewhere in its room. An edit moves what lies on the shorter side of it, and room
// is left on the side that grows; so a push or a pop at either end moves the six bytes of the listpack's header and nothing else. An
// element that is too long for a node lies alone in a plain one, without a listpack around it.
//
// Who edits says how much a node may hold (Limit), for that may be configured anew at any time. Nodes that came from elsewhere may
// hold more; they never grow then. An edit ends the positions in the nodes that it touches, unless it says which one is good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/structures/listpack.h"

namespace vedette {

class ListpackChain {
 public:
  enum class End : uint8_t { kFront, kBack };
  /// How much a node may hold.
  struct Limit {
    size_t bytes;  ///< of a listpack
    size_t elements;
    size_t plain_bytes = SIZE_MAX;  ///< for tests: elements of this size and longer ones lie alone
    bool allows(size_t some_bytes, size_t some_elements) const { return some_bytes <= bytes && some_elements <= elements; }
  };

  class Node {
   public:
    /// The one element's text, or a listpack.
    bool is_plain() const { return plain_; }
    std::string_view bytes() const { return {room() + start_, size_}; }
    size_t count() const { return count_; }
    const Node* next() const { return next_; }

   private:
    friend class ListpackChain;
    char* room() { return reinterpret_cast<char*>(this + 1); }
    const char* room() const { return reinterpret_cast<const char*>(this + 1); }

    Node* previous_;
    Node* next_;
    size_t size_, capacity_;
    size_t start_;  // of the bytes within the room
    uint32_t count_;
    bool plain_;
  };

  /// An element, or none. Of a node's listpack `offset` is the one there; in a plain node it is kPlainOffset.
  struct Position {
    Node* node = nullptr;
    listpack::Offset offset = 0;
    explicit operator bool() const { return offset != 0; }
  };
  static constexpr listpack::Offset kPlainOffset = 1;

  /// What an element takes in a listpack at most; exact but for integers. Cheaper than to look whether it is one.
  static constexpr size_t element_bytes_max(size_t text_bytes) { return text_bytes + (text_bytes < 64 ? 2 : text_bytes < 4096 ? 4 : 10); }
  /// The limit with which a node takes so many bytes of memory.
  static constexpr size_t listpack_bytes_max(size_t node_bytes) { return node_bytes - sizeof(Node); }

  ListpackChain() = default;
  ListpackChain(const ListpackChain& other);
  ListpackChain& operator=(const ListpackChain&) = delete;
  ~ListpackChain();

  size_t size() const { return size_; }
  size_t node_count() const { return nodes_; }
  /// What all of it takes from the allocator, this object included.
  size_t memory_bytes() const { return sizeof *this + memory_; }
  const Node* front_node() const { return front_; }

  /// The element of an index; from the end if it is negative (-1 is the last). O(nodes on the way from the nearer end, and one
  /// node's elements).
  Position seek(int64_t index) const;
  /// The element at an offset of the first node's listpack.
  Position at_front_node(listpack::Offset offset) const { return {front_, offset}; }
  static Position next(Position at);
  static Position previous(Position at);
  static listpack::Element get(Position at);

  void push(End end, std::string_view text, const Limit& limit);
  /// Inserts before the element at `at`; at the end if it is none.
  void insert(Position at, std::string_view text, const Limit& limit);
  void replace(Position at, std::string_view text, const Limit& limit);
  /// Removes an element; returns the one behind it. Positions before it stay good.
  Position erase(Position at);
  /// Removes so many elements, of which there must be as many, from one end. O(nodes removed, and one node's bytes).
  void erase_from(End end, size_t elements);
  /// Joins neighbours that together fill less than half a node, and gives back room that is not used. O(nodes): after many erasures.
  void tidy(const Limit& limit);

  /// Appends a node with these bytes: a whole listpack with an element at least, or one element's text.
  void append_pack(std::string_view pack);
  void append_plain(std::string_view text);

 private:
  class NodeStore;

  Node* create_node(size_t room, bool plain);
  void free_node(Node* node);
  /// `after` null: at the front.
  void link(Node* node, Node* after);
  void unlink_and_free(Node* node);
  /// Moves the node's bytes to another allocation of this much room: the first `at` bytes, a gap in the place of `removed` bytes, the rest.
  Node* move_node(Node* node, size_t room, size_t start, size_t at, size_t removed, size_t inserted);
  static bool fits(const Node* node, std::string_view text, const Limit& limit);
  Node* new_node_with(std::string_view text, Node* after, const Limit& limit);
  void insert_into(Node* node, listpack::Offset at, std::string_view text, const Limit& limit);
  /// Cuts a node in two; returns the second, which begins with the element at `at`.
  Node* split(Node* node, listpack::Offset at);

  Node* front_ = nullptr;
  Node* back_ = nullptr;
  size_t size_ = 0, nodes_ = 0, memory_ = 0;
};

}  // namespace vedette
