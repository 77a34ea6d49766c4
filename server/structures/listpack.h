// A listpack: a sequence of strings and integers in one piece of memory, read in both directions. The small forms of lists,
// hashes, sets and sorted sets are listpacks, as are the nodes of long lists and the blocks of streams.
//
// The bytes are those that Redis publishes as its listpack format, so that a value goes to an RDB and comes from one as it is:
//
//   u32 bytes in all, u16 elements (65535: count them), the elements, 0xff. Little-endian.
//   An element: a head that tells kind and length, the content, and the length of both once more, to be read backwards.
//     0xxxxxxx                 an integer of 7 bits, unsigned
//     10xxxxxx                 a string of up to 63 bytes
//     110xxxxx + 1             an integer of 13 bits, signed
//     1110xxxx + 1             a string of up to 4095 bytes
//     f0 + u32                 a longer string
//     f1, f2, f3, f4           an integer of 2, 3, 4, 8 bytes
//
// A text that is a canonical 64-bit integer is always held as one. An element is named by its offset, the end by end(); offsets of
// elements behind an edit change. Whoever takes bytes from strangers calls valid() first: everything else trusts them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/structures/byte_store.h"

namespace vedette::listpack {

using Offset = size_t;

inline constexpr size_t kHeaderBytes = 6, kEmptyBytes = 7;
/// No listpack grows past this.
inline constexpr size_t kBytesMax = size_t(1) << 30;

/// An element: an integer, or bytes that live as long as the listpack stays as it is.
struct Element {
  std::string_view bytes;
  int64_t integer = 0;
  bool is_integer = false;
};

/// Room for an integer's text.
struct Text {
  char digits[20];
};

/// The bytes of a listpack without elements.
std::string_view empty();

// Reading. `pack` is a whole listpack.

/// How many elements. O(1) below 65,535, else O(n).
size_t count(std::string_view pack);
inline Offset first(std::string_view) { return kHeaderBytes; }
inline Offset end(std::string_view pack) { return pack.size() - 1; }
/// The element after the one at `at`, or end().
Offset next(std::string_view pack, Offset at);
/// The element before the one at `at` (which may be end()), or end() if that is the first.
Offset previous(std::string_view pack, Offset at);
/// The last element, or end() if there is none.
inline Offset last(std::string_view pack) { return previous(pack, end(pack)); }
/// The element of an index; from the end if it is negative (-1 is the last). end() if there is none. O(n).
Offset seek(std::string_view pack, int64_t index);
Element get(std::string_view pack, Offset at);
/// The element at `at`, which moves behind it.
Element take(std::string_view pack, Offset& at);
/// The element as text; an integer is printed into `text`.
std::string_view get_text(std::string_view pack, Offset at, Text& text);
/// Whether the element is this text.
bool equals(std::string_view pack, Offset at, std::string_view text);
/// The first element from `at` on that is `text`, looking at every (skip + 1)-th one; end() if there is none. O(n).
Offset find(std::string_view pack, Offset at, std::string_view text, size_t skip = 0);

/// Bytes that an element with this text takes.
size_t element_bytes(std::string_view text);
size_t element_bytes(int64_t integer);

// Writing. The texts must not lie in the store.

/// Inserts before the element at `at` (end(): at the end). Returns the offset after it. O(bytes behind).
Offset insert(ByteStore& store, Offset at, std::string_view text);
Offset insert(ByteStore& store, Offset at, int64_t integer);
inline void append(ByteStore& store, std::string_view text) { insert(store, end(store.bytes()), text); }
inline void append(ByteStore& store, int64_t integer) { insert(store, end(store.bytes()), integer); }
inline void prepend(ByteStore& store, std::string_view text) { insert(store, kHeaderBytes, text); }
/// Puts another value in the place of the element at `at`. Returns the offset after it.
Offset replace(ByteStore& store, Offset at, std::string_view text);
Offset replace(ByteStore& store, Offset at, int64_t integer);
/// Removes up to `elements` elements from `at` on; returns how many there were. What was behind is then at `at`.
size_t erase(ByteStore& store, Offset at, size_t elements = 1);
/// Appends all elements of `other`, which must not lie in the store.
void append_all(ByteStore& store, std::string_view other);

// Writing many elements at once, where there is room for them.

/// The most that an element takes beside the bytes of its text.
inline constexpr size_t kFrameMax = 10;
/// Writes an element at `to`, which lies in place of the pack's end or behind such an element; returns what is behind it.
char* write(char* to, std::string_view text);
char* write(char* to, int64_t integer);
/// Ends the pack at `to` after `added` elements were written; returns how long it is.
size_t finish(char* pack, char* to, size_t added);

/// Whether these bytes, which may come from anywhere, are one whole listpack: every head, length and count is right. O(n).
bool valid(std::string_view bytes);

/// For loops: `for (Cursor at(pack); at; at.next()) at.text();`
class Cursor {
 public:
  explicit Cursor(std::string_view pack) : pack_(pack), at_(kHeaderBytes) {}
  Cursor(std::string_view pack, Offset at) : pack_(pack), at_(at) {}
  explicit operator bool() const { return at_ < pack_.size() - 1; }
  void next() { at_ = listpack::next(pack_, at_); }
  Offset offset() const { return at_; }
  Element get() const { return listpack::get(pack_, at_); }
  /// Good until the next call and while the pack stays as it is.
  std::string_view text() { return get_text(pack_, at_, text_); }

 private:
  std::string_view pack_;
  Offset at_;
  Text text_;
};

}  // namespace vedette::listpack
