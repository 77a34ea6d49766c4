// A stack that is left in the middle and gone on with.
#include "common/base/fiber.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vedette {
namespace {

struct Story {
  explicit Story(Fiber& on) : fiber(on) {}
  Fiber& fiber;
  std::vector<std::string> told;
};

// Frames of some size, so that what is on the stack is really kept.
int depth_sum(Story& story, int depth) {
  volatile int own[64];
  for (int i = 0; i < 64; i++) own[i] = depth + i;
  int sum = 0;
  if (depth == 0) {
    story.told.push_back("deep");
    story.fiber.leave();
    story.told.push_back("deep again");
  } else {
    sum = depth_sum(story, depth - 1);
  }
  for (int i = 0; i < 64; i++) sum += own[i] - i;
  return sum;
}

TEST_CASE("a fiber goes on where it was left, with all its frames") {
  Fiber fiber(256 * 1024);
  Story story(fiber);
  CHECK_FALSE(fiber.under_way());
  fiber.start(
      [](void* argument) {
        auto& told = *static_cast<Story*>(argument);
        told.told.push_back("begin");
        const int sum = depth_sum(told, 20);
        told.told.push_back("sum " + std::to_string(sum));
      },
      &story);
  CHECK(fiber.under_way());
  CHECK_FALSE(fiber.inside());
  story.told.push_back("outside");
  fiber.go_on();
  CHECK_FALSE(fiber.under_way());
  CHECK(story.told == std::vector<std::string>{"begin", "deep", "outside", "deep again", "sum 13440"});
}

TEST_CASE("one stack serves many entries, and exceptions within them") {
  Fiber fiber(256 * 1024);
  Story story(fiber);
  for (int i = 0; i < 3; i++) {
    fiber.start(
        [](void* argument) {
          auto& told = *static_cast<Story*>(argument);
          try {
            told.fiber.leave();
            throw std::string("thrown");
          } catch (const std::string& text) {
            told.told.push_back(text);
          }
        },
        &story);
    CHECK(story.told.size() == size_t(i));
    fiber.go_on();
    CHECK(story.told.size() == size_t(i) + 1);
  }
}

TEST_CASE("two fibers are left and gone on with in any order") {
  Fiber one(64 * 1024), other(64 * 1024);
  Story a(one), b(other);
  const Fiber::Entry entry = [](void* argument) {
    auto& told = *static_cast<Story*>(argument);
    for (int i = 0; i < 3; i++) {
      told.told.push_back(std::to_string(i));
      told.fiber.leave();
    }
  };
  one.start(entry, &a);
  other.start(entry, &b);
  one.go_on();
  one.go_on();
  one.go_on();
  CHECK_FALSE(one.under_way());
  CHECK(b.told.size() == 1);
  while (other.under_way()) other.go_on();
  CHECK(a.told == b.told);
}

}  // namespace
}  // namespace vedette
