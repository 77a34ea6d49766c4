// A key of one numbered database, as the key of an index beside the keyspace: who watches it, who waits for it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace vedette {

struct KeyPlace {
  int db;
  std::string key;
};
struct KeyPlaceView {
  int db;
  std::string_view key;
};

struct KeyPlaceHash {
  using is_transparent = void;
  size_t operator()(const KeyPlaceView& p) const { return std::hash<std::string_view>()(p.key) ^ (size_t(p.db) * 0x9e3779b97f4a7c15u); }
  size_t operator()(const KeyPlace& p) const { return (*this)(KeyPlaceView{p.db, p.key}); }
};
struct KeyPlaceEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return a.db == b.db && a.key == b.key;
  }
};

}  // namespace vedette
