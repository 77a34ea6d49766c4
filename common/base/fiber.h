// A second stack in the same thread. What runs on it can be left in the middle, with all its frames as they are, and gone
// on with later: code in between need know nothing of it, and neither need libraries that call back.
//
//   Fiber fiber(1 << 20);
//   fiber.start([](void* text) { ...; fiber.leave(); ... }, argument);   // comes back at leave()
//   fiber.go_on();                                                       // comes back at the next, or at the end
//
// There is no scheduler and no second thread: a fiber runs only within start() and go_on(). A switch saves the registers
// that a called function must keep, which costs about as much as a call. An exception that leaves the entry function ends
// the process.
#pragma once

#include <cstddef>

namespace vedette {

class Fiber {
 public:
  using Entry = void (*)(void* argument);

  /// The stack is address space until it is used; behind its end lies a page that nobody may touch.
  explicit Fiber(size_t stack_bytes);
  /// What it was left in is forgotten, without unwinding: see under_way().
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs `entry` on the second stack until it returns or leaves. Requires that nothing is under way.
  void start(Entry entry, void* argument);
  /// Goes on where it was left. Requires under_way(), from outside.
  void go_on();
  /// From within: back to where start() or go_on() was called.
  void leave();

  /// An entry has been started and has not returned.
  bool under_way() const { return under_way_; }
  /// The caller runs on it.
  bool inside() const { return inside_; }

 private:
  struct Switch;
  void enter();
  static void loop(Fiber* self);

  char* memory_;
  size_t bytes_;
  Entry entry_ = nullptr;
  void* argument_ = nullptr;
  bool under_way_ = false, inside_ = false;
  Switch* switch_;
};

}  // namespace vedette
