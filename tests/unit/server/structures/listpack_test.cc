// Listpacks against a plain vector, and bytes from strangers; random, with a printed seed.
#include "server/structures/listpack.h"

#include <doctest/doctest.h>

#include <vector>

#include "common/base/numbers.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

// Integers at the bounds of every width, strings at the bounds of every head, texts that look like integers and are none.
std::string random_text(Rng& rng) {
  const int64_t bounds[] = {0, 127, 128, 4095, 4096, 32767, 32768, 8388607, 8388608, 2147483647, 2147483648, INT64_MAX};
  const size_t sizes[] = {0, 1, 20, 63, 64, 126, 127, 4095, 4096, 16380, 16383, 16390, 70000};
  switch (rng.below(5)) {
    case 0: return std::to_string(bounds[rng.below(std::size(bounds))]);
    case 1: return std::to_string(-bounds[rng.below(std::size(bounds))] - int64_t(rng.below(2)));
    case 2: return std::string(sizes[rng.below(rng.below(8) ? 7 : std::size(sizes))], 'x');
    case 3: return "0" + std::to_string(rng.below(1000));
    default: return "k" + std::to_string(rng.below(50));
  }
}

std::vector<std::string> forwards(std::string_view pack) {
  std::vector<std::string> texts;
  for (listpack::Cursor at(pack); at; at.next()) texts.emplace_back(at.text());
  return texts;
}

std::vector<std::string> backwards(std::string_view pack) {
  std::vector<std::string> texts;
  listpack::Text text;
  for (auto at = listpack::last(pack); at != listpack::end(pack); at = listpack::previous(pack, at))
    texts.emplace(texts.begin(), listpack::get_text(pack, at, text));
  return texts;
}

}  // namespace

TEST_CASE("a listpack holds what a vector holds, in both directions") {
  Rng rng(test_seed("listpack"));
  for (int round = 0; round < 30; round++) {
    std::string pack(listpack::empty());
    StringStore store(pack);
    std::vector<std::string> model;
    for (int step = 0; step < 150; step++) {
      const std::string text = random_text(rng);
      const size_t index = model.empty() ? 0 : rng.below(model.size());
      const auto at = listpack::seek(pack, int64_t(index));
      switch (model.empty() ? 0 : rng.below(6)) {
        case 0:
        case 1:
          listpack::insert(store, at, text);
          model.insert(model.begin() + long(index), text);
          break;
        case 2:
          listpack::append(store, text);
          model.push_back(text);
          break;
        case 3:
          listpack::replace(store, at, text);
          model[index] = text;
          break;
        default: {
          const size_t wanted = 1 + rng.below(3), there = std::min(wanted, model.size() - index);
          CHECK(listpack::erase(store, at, wanted) == there);
          model.erase(model.begin() + long(index), model.begin() + long(index + there));
        }
      }
      REQUIRE(listpack::valid(pack));
      CHECK(listpack::count(pack) == model.size());
    }
    CHECK(forwards(pack) == model);
    CHECK(backwards(pack) == model);
    for (size_t i = 0; i < model.size(); i++) {
      const auto at = listpack::seek(pack, int64_t(i));
      CHECK(at == listpack::seek(pack, int64_t(i) - int64_t(model.size())));
      CHECK(listpack::equals(pack, at, model[i]));
      CHECK(listpack::find(pack, listpack::first(pack), model[i]) <= at);
    }
    CHECK(listpack::seek(pack, int64_t(model.size())) == listpack::end(pack));
    CHECK(listpack::find(pack, listpack::first(pack), "not there") == listpack::end(pack));
  }
}

TEST_CASE("a search can pass over values") {
  std::string pack(listpack::empty());
  StringStore store(pack);
  for (const char* text : {"a", "b", "b", "7", "7", "c"}) listpack::append(store, text);
  CHECK(listpack::find(pack, listpack::first(pack), "b", 1) == listpack::seek(pack, 2));
  CHECK(listpack::find(pack, listpack::first(pack), "7", 1) == listpack::seek(pack, 4));
  CHECK(listpack::find(pack, listpack::first(pack), "c", 1) == listpack::end(pack));
}

TEST_CASE("more elements than the header can count") {
  std::string pack(listpack::empty());
  StringStore store(pack);
  for (int i = 0; i < 65600; i++) listpack::append(store, int64_t(1));
  CHECK(listpack::count(pack) == 65600);
  CHECK(listpack::valid(pack));
  listpack::erase(store, listpack::first(pack), 100);
  CHECK(listpack::count(pack) == 65500);
  CHECK(pack[4] == char(65500 & 255));
  listpack::append(store, "x");
  CHECK(listpack::count(pack) == 65501);
}

TEST_CASE("listpacks that are not whole are told") {
  Rng rng(test_seed("damaged listpacks"));
  std::string pack(listpack::empty());
  StringStore store(pack);
  for (int i = 0; i < 20; i++) listpack::append(store, random_text(rng).substr(0, 300));
  for (size_t size = 0; size < pack.size(); size++) CHECK(!listpack::valid(std::string_view(pack).substr(0, size)));
  CHECK(!listpack::valid(pack + "x"));
  for (int i = 0; i < 20000; i++) {
    std::string damaged = pack;
    damaged[rng.below(damaged.size())] = char(rng.next());
    if (!listpack::valid(damaged)) continue;
    CHECK(forwards(damaged) == backwards(damaged));  // what passes can be read
  }
}
