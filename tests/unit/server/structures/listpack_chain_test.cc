// Chains of listpacks against a deque of texts.
#include "server/structures/listpack_chain.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "tests/unit/seed.h"

namespace vedette {
namespace {

using End = ListpackChain::End;
using Limit = ListpackChain::Limit;
using Model = std::deque<std::string>;

std::string text_at(ListpackChain::Position at) {
  const listpack::Element element = ListpackChain::get(at);
  return element.is_integer ? std::to_string(element.integer) : std::string(element.bytes);
}

Model forwards(const ListpackChain& chain) {
  Model all;
  for (auto at = chain.seek(0); at; at = ListpackChain::next(at)) all.push_back(text_at(at));
  return all;
}

Model backwards(const ListpackChain& chain) {
  Model all;
  for (auto at = chain.seek(-1); at; at = ListpackChain::previous(at)) all.push_front(text_at(at));
  return all;
}

void check_nodes(const ListpackChain& chain, const Limit& limit) {
  size_t elements = 0, nodes = 0;
  for (const ListpackChain::Node* node = chain.front_node(); node; node = node->next()) {
    nodes++;
    elements += node->count();
    REQUIRE(node->count() > 0);
    if (node->is_plain()) {
      REQUIRE(node->count() == 1);
      continue;
    }
    REQUIRE(listpack::valid(node->bytes()));
    REQUIRE(listpack::count(node->bytes()) == node->count());
    REQUIRE(limit.allows(node->bytes().size(), node->count()));
  }
  REQUIRE(nodes == chain.node_count());
  REQUIRE(elements == chain.size());
}

class Texts {
 public:
  Texts(Rng& rng, const Limit& limit) : rng_(rng), limit_(limit) {}
  std::string next() {
    switch (rng_.below(8)) {
      case 0: return "";
      case 1: return std::to_string(int64_t(rng_.next()));
      case 2: return std::to_string(rng_.below(300));
      case 3: return std::string(limit_.bytes - 20 + rng_.below(40), 'b');
      case 4: return std::string(60 + rng_.below(10), 'c');
      default: return std::string(rng_.below(20), char('a' + rng_.below(3)));
    }
  }

 private:
  Rng& rng_;
  const Limit& limit_;
};

void change(ListpackChain& chain, Model& model, Rng& rng, const Limit& limit) {
  Texts texts(rng, limit);
  const std::string text = texts.next();
  const auto index = int64_t(model.empty() ? 0 : rng.below(model.size()));
  switch (rng.below(10)) {
    case 0:
    case 1:
    case 2:
      chain.push(End::kFront, text, limit);
      model.push_front(text);
      break;
    case 3:
    case 4:
    case 5:
      chain.push(End::kBack, text, limit);
      model.push_back(text);
      break;
    case 6:
      chain.insert(chain.seek(index), text, limit);
      model.insert(model.begin() + index, text);
      break;
    case 7:
      if (model.empty()) break;
      chain.replace(chain.seek(rng.below(2) ? index : index - int64_t(model.size())), text, limit);
      model[size_t(index)] = text;
      break;
    case 8: {
      if (model.empty()) break;
      const auto behind = chain.erase(chain.seek(index));
      model.erase(model.begin() + index);
      REQUIRE(bool(behind) == (size_t(index) < model.size()));
      if (behind) REQUIRE(text_at(behind) == model[size_t(index)]);
      break;
    }
    case 9: {
      const size_t count = rng.below(std::min<size_t>(model.size(), 12) + 1);
      const bool front = rng.below(2) == 0;
      chain.erase_from(front ? End::kFront : End::kBack, count);
      front ? model.erase(model.begin(), model.begin() + long(count)) : model.erase(model.end() - long(count), model.end());
      break;
    }
  }
}

TEST_CASE("a chain is what a deque of texts is, whatever is done to it") {
  Rng rng(test_seed("listpack chain"));
  for (int round = 0; round < 30; round++) {
    const Limit limit{100 + rng.below(400), rng.below(3) ? SIZE_MAX : 1 + rng.below(8)};
    ListpackChain chain;
    Model model;
    for (int step = 0; step < 600; step++) {
      change(chain, model, rng, limit);
      if (rng.below(50) == 0) chain.tidy(limit);
      if (step % 20 == 0) {
        check_nodes(chain, limit);
        REQUIRE(forwards(chain) == model);
        REQUIRE(backwards(chain) == model);
      }
    }
    const ListpackChain copy(chain);
    CHECK(forwards(copy) == model);
    CHECK(!chain.seek(int64_t(model.size())));
    CHECK(!chain.seek(-int64_t(model.size()) - 1));
    chain.erase_from(End::kBack, chain.size());
    CHECK(chain.node_count() == 0);
    CHECK(chain.memory_bytes() == sizeof chain);
  }
}

TEST_CASE("a long element lies alone, and its neighbours stay in order") {
  const Limit limit{200, SIZE_MAX};
  ListpackChain chain;
  for (const char* text : {"a", "b", "c"}) chain.push(End::kBack, text, limit);
  const std::string text(1000, 'x');
  chain.insert(chain.seek(1), text, limit);
  CHECK(chain.node_count() == 3);
  CHECK(chain.front_node()->next()->is_plain());
  CHECK(forwards(chain) == Model{"a", text, "b", "c"});
  chain.replace(chain.seek(1), "short", limit);
  CHECK(forwards(chain) == Model{"a", "short", "b", "c"});
  chain.replace(chain.seek(0), text, limit);
  CHECK(forwards(chain) == Model{text, "short", "b", "c"});
  chain.tidy(limit);
  CHECK(chain.node_count() == 2);
}

TEST_CASE("nodes that were thinned out are joined, and their room is given back") {
  const Limit limit{ListpackChain::listpack_bytes_max(4096), SIZE_MAX};
  ListpackChain chain;
  for (int i = 0; i < 10'000; i++) chain.push(End::kBack, "element " + std::to_string(i), limit);
  const size_t full = chain.memory_bytes();
  CHECK(full < 10'000 * 16);
  for (auto at = chain.seek(0); at;) {
    at = ListpackChain::next(at);
    for (int i = 0; i < 19 && at; i++) at = chain.erase(at);
  }
  chain.tidy(limit);
  CHECK(chain.size() == 500);
  CHECK(chain.memory_bytes() < full / 8);
  check_nodes(chain, limit);
}

TEST_CASE("a queue that stays short does not grow") {
  const Limit limit{ListpackChain::listpack_bytes_max(8192), SIZE_MAX};
  ListpackChain chain;
  for (int i = 0; i < 20'000; i++) {
    chain.push(End::kFront, "element", limit);
    if (i >= 100) chain.erase_from(End::kBack, 1);
  }
  CHECK(chain.size() == 100);
  CHECK(chain.memory_bytes() <= 2 * 8192 + sizeof chain);
}

}  // namespace
}  // namespace vedette
