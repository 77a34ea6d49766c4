#include "server/scripting/lua_pattern.h"

#include <cctype>
#include <cstring>

namespace vedette {
namespace {

constexpr char kEscape = '%';

unsigned char byte_at(const char* p) { return static_cast<unsigned char>(*p); }

}  // namespace

PatternMatcher::PatternMatcher(std::string_view subject, std::string_view pattern, Pause pause, void* context, std::vector<char>& scratch)
    : begin_(subject.data()),
      end_(subject.data() + subject.size()),
      pattern_(pattern.data()),
      pattern_end_(pattern.data() + pattern.size()),
      pause_(pause),
      context_(context),
      scratch_(scratch) {}

void PatternMatcher::take_pause() {
  steps_left_ = kStepsPerPause;
  pause_(context_);
}

const char* PatternMatcher::match(const char* at) {
  if (fault_) return nullptr;
  level_ = 0;
  alternatives_ = 0;
  return run(at, pattern_);
}

const char* PatternMatcher::end_of_set(const char* p) {
  if (p < pattern_end_ && *p == '^') p++;
  do {  // the first character is one of the set, even if it is ']'
    if (p >= pattern_end_) return fail("malformed pattern (missing ']')");
    if (*p++ == kEscape && p < pattern_end_) p++;
  } while (p >= pattern_end_ || *p != ']');
  return p + 1;
}

// The end of the one character class, set or literal that begins at `p`.
const char* PatternMatcher::end_of_class(const char* p) {
  const char c = *p++;
  if (c == kEscape) return p < pattern_end_ ? p + 1 : fail("malformed pattern (ends with '%')");
  return c == '[' ? end_of_set(p) : p;
}

bool PatternMatcher::matches_class(unsigned char c, unsigned char letter) {
  bool member;
  switch (letter | 0x20) {
    case 'a': member = std::isalpha(c); break;
    case 'c': member = std::iscntrl(c); break;
    case 'd': member = std::isdigit(c); break;
    case 'l': member = std::islower(c); break;
    case 'p': member = std::ispunct(c); break;
    case 's': member = std::isspace(c); break;
    case 'u': member = std::isupper(c); break;
    case 'w': member = std::isalnum(c); break;
    case 'x': member = std::isxdigit(c); break;
    case 'z': member = c == 0; break;
    default: return letter == c;
  }
  if (!std::isalpha(letter)) return letter == c;
  return std::isupper(letter) ? !member : member;
}

// `p` is at '[', `set_end` behind ']'.
bool PatternMatcher::matches_set(unsigned char c, const char* p, const char* set_end) {
  const char* last = set_end - 1;
  bool found = true;
  if (*++p == '^') {
    found = false;
    p++;
  }
  for (bool first = true; first || p < last; first = false) {
    if (*p == kEscape && p + 1 < last) {
      if (matches_class(c, byte_at(p + 1))) return found;
      p += 2;
    } else if (p + 2 < last && p[1] == '-') {
      if (byte_at(p) <= c && c <= byte_at(p + 2)) return found;
      p += 3;
    } else {
      if (byte_at(p) == c) return found;
      p++;
    }
  }
  return !found;
}

bool PatternMatcher::matches_item(unsigned char c, const char* p, const char* item_end) const {
  switch (*p) {
    case '.': return true;
    case kEscape: return matches_class(c, byte_at(p + 1));
    case '[': return matches_set(c, p, item_end);
    default: return byte_at(p) == c;
  }
}

// `p` is at the two characters behind %b.
const char* PatternMatcher::match_balanced(const char* s, const char* p) {
  if (pattern_end_ - p < 2) return fail("unbalanced pattern");
  if (s >= end_ || *s != *p) return nullptr;
  const char open = p[0], close = p[1];
  int depth = 1;
  for (s++; s < end_; s++) {
    step();
    if (*s == close) {
      if (--depth == 0) return s + 1;
    } else if (*s == open) {
      depth++;
    }
  }
  return nullptr;
}

// `p` is behind %f and goes behind the set.
const char* PatternMatcher::match_frontier(const char* s, const char*& p) {
  if (p >= pattern_end_ || *p != '[') return fail("missing '[' after '%f' in pattern");
  const char* set = p;
  p = end_of_class(set);
  if (!p) return nullptr;
  const unsigned char before = s == begin_ ? 0 : byte_at(s - 1), here = s == end_ ? 0 : byte_at(s);
  return !matches_set(before, set, p) && matches_set(here, set, p) ? s : nullptr;
}

const char* PatternMatcher::match_back(const char* s, unsigned char digit) {
  const int i = digit - '1';
  if (i < 0 || i >= level_ || captures_[i].size == Capture::kOpen) return fail("invalid capture index");
  // A position is no text: it matches nothing.
  if (captures_[i].size < 0) return nullptr;
  const size_t size = size_t(captures_[i].size);
  return size_t(end_ - s) >= size && std::memcmp(captures_[i].begin, s, size) == 0 ? s + size : nullptr;
}

bool PatternMatcher::open_capture(const char* s, ptrdiff_t size) {
  if (level_ >= kCapturesMax) return fail("too many captures"), false;
  captures_[level_++] = Capture{s, size};
  return true;
}

bool PatternMatcher::close_capture(const char* s) {
  int i = level_;
  while (--i >= 0 && captures_[i].size != Capture::kOpen) {}
  if (i < 0) return fail("invalid pattern capture"), false;
  captures_[i].size = s - captures_[i].begin;
  return true;
}

uint32_t PatternMatcher::open_captures() const {
  uint32_t open = 0;
  for (int i = 0; i < level_; i++) open |= uint32_t(captures_[i].size == Capture::kOpen) << i;
  return open;
}

void PatternMatcher::push(Alternative alternative) {
  alternative.level = uint8_t(level_);
  alternative.open = open_captures();
  const size_t needed = (alternatives_ + 1) * sizeof(Alternative);
  if (scratch_.size() < needed) scratch_.resize(2 * needed);
  std::memcpy(scratch_.data() + alternatives_++ * sizeof(Alternative), &alternative, sizeof(Alternative));
}

// Goes back to the last place where something else can be tried; false if there is none.
bool PatternMatcher::retreat(const char*& s, const char*& p) {
  while (alternatives_ > 0) {
    step();
    char* const slot = scratch_.data() + (alternatives_ - 1) * sizeof(Alternative);
    Alternative last;
    std::memcpy(&last, slot, sizeof last);
    level_ = last.level;
    for (int i = 0; i < level_; i++)
      if (last.open >> i & 1) captures_[i].size = Capture::kOpen;
    p = last.item_end + 1;
    switch (last.kind) {
      case Alternative::kSkip:
        s = last.at;
        alternatives_--;
        return true;
      case Alternative::kFewer:
        if (last.count == 0) break;
        last.count--;
        s = last.at + last.count;
        if (last.count == 0) alternatives_--;
        else std::memcpy(slot, &last, sizeof last);
        return true;
      case Alternative::kMore:
        if (last.at >= end_ || !matches_item(byte_at(last.at), last.item, last.item_end)) break;
        s = ++last.at;
        std::memcpy(slot, &last, sizeof last);
        return true;
    }
    alternatives_--;
  }
  return false;
}

const char* PatternMatcher::run(const char* s, const char* p) {
  while (true) {
    step();
    if (p == pattern_end_) return s;
    bool good = true;
    switch (*p) {
      case '(':
        if (p + 1 < pattern_end_ && p[1] == ')') {
          good = open_capture(s, Capture::kPosition);
          p += 2;
        } else {
          good = open_capture(s, Capture::kOpen);
          p++;
        }
        if (good) continue;
        return nullptr;
      case ')':
        if (!close_capture(s)) return nullptr;
        p++;
        continue;
      case kEscape:
        if (p + 1 < pattern_end_ && (p[1] == 'b' || p[1] == 'f' || std::isdigit(byte_at(p + 1)))) {
          const char kind = p[1];
          const char* to = kind == 'b' ? match_balanced(s, p + 2) : nullptr;
          if (kind == 'b') p += 4;
          if (kind == 'f') to = match_frontier(s, p += 2);
          if (kind != 'b' && kind != 'f') to = match_back(s, byte_at(p + 1)), p += 2;
          if (fault_) return nullptr;
          if (to) {
            s = to;
            continue;
          }
          if (!retreat(s, p)) return nullptr;
          continue;
        }
        break;
      case '$':
        if (p + 1 == pattern_end_) {
          if (s == end_) return s;
          if (!retreat(s, p)) return nullptr;
          continue;
        }
        break;
      default: break;
    }
    const char* item_end = end_of_class(p);
    if (!item_end) return nullptr;
    const bool fits = s < end_ && matches_item(byte_at(s), p, item_end);
    const char suffix = item_end < pattern_end_ ? *item_end : 0;
    switch (suffix) {
      case '?':
        if (fits) {
          push(Alternative{Alternative::kSkip, 0, 0, s, p, item_end, 0});
          s++;
        }
        p = item_end + 1;
        continue;
      case '+':
      case '*': {
        if (suffix == '+') {
          if (!fits) break;
          s++;
        }
        ptrdiff_t count = 0;
        while (s + count < end_ && matches_item(byte_at(s + count), p, item_end)) {
          count++;
          step();
        }
        if (count > 0) push(Alternative{Alternative::kFewer, 0, 0, s, p, item_end, count});
        s += count;
        p = item_end + 1;
        continue;
      }
      case '-':
        push(Alternative{Alternative::kMore, 0, 0, s, p, item_end, 0});
        p = item_end + 1;
        continue;
      default:
        if (!fits) break;
        s++;
        p = item_end;
        continue;
    }
    if (!retreat(s, p)) return nullptr;
  }
}

}  // namespace vedette
