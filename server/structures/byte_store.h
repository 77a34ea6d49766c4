// Bytes that can be cut open: what packed structures (listpack.h, intset.h) are edited through, wherever they are kept: in an
// entry, in a node of a list, in a string.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace vedette {

class ByteStore {
 public:
  virtual ~ByteStore() = default;
  /// Good until the next splice().
  virtual std::string_view bytes() const = 0;
  virtual char* data() = 0;
  /// Replaces the `removed` bytes at `at` by `inserted` bytes of no particular content, which the caller writes; returns
  /// where they are. What lies behind moves. Amortised O(bytes behind).
  virtual char* splice(size_t at, size_t removed, size_t inserted) = 0;
};

/// In a string: for building and for tests.
class StringStore final : public ByteStore {
 public:
  explicit StringStore(std::string& text) : text_(text) {}
  std::string_view bytes() const override { return text_; }
  char* data() override { return text_.data(); }
  char* splice(size_t at, size_t removed, size_t inserted) override {
    text_.replace(at, removed, inserted, '\0');
    return text_.data() + at;
  }

 private:
  std::string& text_;
};

}  // namespace vedette
