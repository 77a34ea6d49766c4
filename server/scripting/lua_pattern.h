// Lua's patterns (Lua 5.1 reference manual, section 5.4.1), matched with a stack of alternatives instead of recursion, and with a
// look at the time between steps: a pattern that tries for ever can be left and ended like everything else in a script.
//
// A pattern has no repeated groups, so each of its items stands on the stack of alternatives at most once; what an
// alternative must restore is where it stood, and which captures were open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vedette {

class PatternMatcher {
 public:
  static constexpr int kCapturesMax = 32;
  struct Capture {
    static constexpr ptrdiff_t kOpen = -1, kPosition = -2;
    const char* begin;
    ptrdiff_t size;
  };
  /// Called now and then while a match is tried; may throw.
  using Pause = void (*)(void* context);

  /// `subject` and `pattern` (without a leading '^') stay where they are. `steps_per_pause`: a step takes a few nanoseconds.
  PatternMatcher(std::string_view subject, std::string_view pattern, Pause pause, void* context, std::vector<char>& scratch);

  /// Tries to match at `at`. The end of the match, or null. After a fault nothing is matched any more.
  const char* match(const char* at);
  /// What is wrong with the pattern, found as far as it was tried.
  const char* fault() const { return fault_; }

  int captures() const { return level_; }
  const Capture& capture(int i) const { return captures_[i]; }

 private:
  struct Alternative {
    enum Kind : uint8_t { kSkip, kFewer, kMore } kind;
    uint8_t level;
    uint32_t open;     // captures that were
    const char* at;    // in the subject
    const char* item;  // kMore: the item that may take one more
    const char* item_end;
    ptrdiff_t count;  // kFewer: how many the item has taken beyond those it must
  };

  const char* end_of_class(const char* p);
  const char* end_of_set(const char* p);
  bool matches_item(unsigned char c, const char* p, const char* item_end) const;
  static bool matches_set(unsigned char c, const char* p, const char* set_end);
  static bool matches_class(unsigned char c, unsigned char letter);
  const char* match_balanced(const char* s, const char* p);
  const char* match_frontier(const char* s, const char*& p);
  const char* match_back(const char* s, unsigned char digit);
  bool open_capture(const char* s, ptrdiff_t size);
  bool close_capture(const char* s);
  uint32_t open_captures() const;
  const char* run(const char* s, const char* p);
  bool retreat(const char*& s, const char*& p);
  void push(Alternative alternative);
  const char* fail(const char* fault) {
    fault_ = fault;
    return nullptr;
  }
  void step() {
    if (__builtin_expect(--steps_left_ == 0, 0)) take_pause();
  }
  void take_pause();

  static constexpr uint32_t kStepsPerPause = 50000;
  const char *begin_, *end_, *pattern_, *pattern_end_;
  Pause pause_;
  void* context_;
  std::vector<char>& scratch_;
  size_t alternatives_ = 0;
  int level_ = 0;
  uint32_t steps_left_ = kStepsPerPause;
  const char* fault_ = nullptr;
  Capture captures_[kCapturesMax];
};

}  // namespace vedette
