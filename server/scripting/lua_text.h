// A text that grows in a script's own memory: counted, bounded, and given back when an error passes by. Short ones, which most are,
// lie on the stack.
#pragma once

#include <lua.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace vedette {

class LuaText {
 public:
  explicit LuaText(lua_State* state) : state_(state) {}
  ~LuaText() {
    if (data_ != first_) allocate(data_, capacity_, 0);
  }
  LuaText(const LuaText&) = delete;
  LuaText& operator=(const LuaText&) = delete;

  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }
  char* data() { return data_; }
  void clear() { size_ = 0; }
  void truncate(size_t size) { size_ = size; }

  /// Room for `bytes` more; commit() tells how many were written. Raises "not enough memory".
  char* reserve(size_t bytes) {
    if (__builtin_expect(capacity_ - size_ < bytes, 0)) grow(bytes);
    return data_ + size_;
  }
  void commit(size_t bytes) { size_ += bytes; }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void append(char c) {
    *reserve(1) = c;
    size_++;
  }
  /// Pushes it as a string.
  void push() const { lua_pushlstring(state_, data_, size_); }

 private:
  void grow(size_t bytes) {
    // Near the bound by a quarter: by less, each append would move it all.
    if (!resize(std::max(size_ + bytes, 2 * capacity_)) && !resize(size_ + bytes + capacity_ / 4)) {
      lua_pushliteral(state_, "not enough memory");
      lua_error(state_);
    }
  }
  bool resize(size_t capacity) {
    const bool first = data_ == first_;
    char* moved = first ? allocate(nullptr, 0, capacity) : allocate(data_, capacity_, capacity);
    if (!moved) return false;
    if (first) std::memcpy(moved, first_, size_);
    data_ = moved;
    capacity_ = capacity;
    return true;
  }

  char* allocate(char* data, size_t bytes, size_t wanted) const {
    void* context = nullptr;
    const lua_Alloc function = lua_getallocf(state_, &context);
    return static_cast<char*>(function(context, data, bytes, wanted));
  }

  static constexpr size_t kFirstBytes = 256;
  lua_State* state_;
  char first_[kFirstBytes];
  char* data_ = first_;
  size_t size_ = 0, capacity_ = kFirstBytes;
};

}  // namespace vedette
