// One interpreter: a Lua state with memory that is counted and bounded, and with somebody who looks in now
// and then.
//
// It is LuaJIT with its compiler switched off: compiled traces call no hooks, and what cannot be looked in on
// cannot be ended. The look comes every so many instructions, and as soon as much memory has been allocated,
// so that a script of few but heavy instructions is looked at too. What an instruction costs at the most grows
// with what is held (it may compare two texts, or search a table that was emptied), so the more is held, the
// fewer instructions lie between two looks. The watcher may raise an error, which ends what runs, or take its
// time.
//
// The bound holds only while armed: outside of scripts, what the server itself keeps in the state cannot
// fail.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lua.hpp>

namespace vedette {

class LuaVm {
 public:
  class Watcher {
   public:
    virtual ~Watcher() = default;
    /// Called from between two instructions. May raise an error on `state`.
    virtual void look(lua_State* state) = 0;
  };

  LuaVm();
  ~LuaVm();
  LuaVm(const LuaVm&) = delete;
  LuaVm& operator=(const LuaVm&) = delete;

  lua_State* state() const { return state_; }
  /// Of any state that has been made by one.
  static LuaVm& of(lua_State* state) {
    void* self = nullptr;
    lua_getallocf(state, &self);
    return *static_cast<LuaVm*>(self);
  }

  size_t used_bytes() const { return used_; }

  /// From here on an allocation beyond `bytes_max` in all fails, and the script with it. When half of it is
  /// used, garbage is looked for harder. The stack of the machine is measured from here.
  void arm(size_t bytes_max) {
    stack_base_ = static_cast<const char*>(__builtin_frame_address(0));
    bytes_max_ = bytes_max;
    collect_at_ = bytes_max / 2;
  }
  void disarm() { bytes_max_ = SIZE_MAX; }
  /// After an error: if an allocation has failed, makes room for what comes.
  void recover();
  /// The same from within a script, which takes a look too.
  void recover(lua_State* state);

  void set_watcher(Watcher* watcher) { watcher_ = watcher; }
  /// Has the watcher look before the next instruction.
  void look_soon();
  /// Has it look at once: for functions that take long without an instruction.
  void look_now(lua_State* state) {
    if (watcher_) watcher_->look(state);
  }

  /// To be called first by functions that call back: each then lies on the machine's stack, of which nobody
  /// else keeps count. Raises an error when much of it is used.
  void check_machine_stack(lua_State* state) const {
    const ptrdiff_t used = stack_base_ - static_cast<const char*>(__builtin_frame_address(0));
    if (__builtin_expect(used > kMachineStackMax, 0)) luaL_error(state, "C stack overflow");
  }

  /// For functions that take long without an instruction: `steps` is about how many things they have done
  /// since they told it last.
  void note_steps(lua_State* state, size_t steps) {
    steps_ += steps;
    if (__builtin_expect(steps_ < kStepsPerLook, 1)) return;
    steps_ = 0;
    look_now(state);
  }

  /// For functions that walk through a table: how long that takes depends on what the table once had, which
  /// only the interpreter knows; so it is judged by all that is held.
  void note_walk(lua_State* state) {
    constexpr size_t kBytesPerStep = 1024;
    note_steps(state, 1 + used_ / kBytesPerStep);
  }
  /// For those that read or copy a text.
  void note_bytes(lua_State* state, size_t bytes) {
    constexpr size_t kBytesPerStep = 16;
    note_steps(state, bytes / kBytesPerStep);
  }
  /// Collects all garbage, and takes a look if that was much.
  void collect(lua_State* state);

  /// Collects all garbage if there may be more than is worth keeping. Cost: all that is held, when that has
  /// doubled.
  void trim();

 private:
  static constexpr int kInstructionsPerLook = 1000, kInstructionsPerLookMin = 20;
  static constexpr size_t kLightBytes = 2 << 20;  // as long as no more is held, no instruction is heavy
  static constexpr size_t kBytesPerLook = 16 << 20;
  static constexpr size_t kStepsPerLook = 100000;
  static constexpr size_t kKeptBytes = 8 << 20;
  // A third of what there is: what is called from here on needs some too, and what the interpreter's own
  // functions need to call back is bounded by the depth of Lua's stack.
  static constexpr ptrdiff_t kMachineStackMax = 2 << 20;
  static void* allocate(void* self, void* block, size_t bytes, size_t wanted);
  static void on_count(lua_State* state, lua_Debug*);
  int instructions_per_look() const {
    if (__builtin_expect(used_ <= kLightBytes, 1)) return kInstructionsPerLook;
    return std::max(kInstructionsPerLookMin, int(kInstructionsPerLook * kLightBytes / used_));
  }

  lua_State* state_ = nullptr;
  Watcher* watcher_ = nullptr;
  size_t used_ = 0, bytes_max_ = SIZE_MAX, collect_at_ = SIZE_MAX;
  size_t allocated_since_look_ = 0, steps_ = 0, trim_at_ = kKeptBytes;
  const char* stack_base_ = nullptr;
  bool exhausted_ = false;
};

}  // namespace vedette
