// One interpreter: a Lua state with memory that is counted and bounded, and with somebody who looks in now and then.
//
// It is LuaJIT with its compiler switched off: compiled traces call no hooks, and what cannot be looked in on cannot be
// ended. The look comes every so many instructions, and as soon as much memory has been allocated, so that a script of few but
// heavy instructions is looked at too. The watcher may raise an error, which ends what runs, or take its time.
//
// The bound holds only while armed: outside of scripts, what the server itself keeps in the state cannot fail.
#pragma once

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

  /// From here on an allocation beyond `bytes_max` in all fails, and the script with it. When half of it is used, garbage is
  /// looked for harder.
  void arm(size_t bytes_max) {
    bytes_max_ = bytes_max;
    collect_at_ = bytes_max / 2;
  }
  void disarm() { bytes_max_ = SIZE_MAX; }
  /// After an error: if an allocation has failed, makes room for what comes.
  void recover();

  void set_watcher(Watcher* watcher) { watcher_ = watcher; }
  /// Has the watcher look before the next instruction.
  void look_soon();
  /// Has it look at once: for functions that take long without an instruction.
  void look_now(lua_State* state) {
    if (watcher_) watcher_->look(state);
  }

  /// Collects all garbage if there is more than is worth keeping.
  void trim();

 private:
  static constexpr int kInstructionsPerLook = 1000;
  static constexpr size_t kBytesPerLook = 16 << 20;
  static void* allocate(void* self, void* block, size_t bytes, size_t wanted);
  static void on_count(lua_State* state, lua_Debug*);

  lua_State* state_ = nullptr;
  Watcher* watcher_ = nullptr;
  size_t used_ = 0, bytes_max_ = SIZE_MAX, collect_at_ = SIZE_MAX;
  size_t allocated_since_look_ = 0;
  bool exhausted_ = false;
};

}  // namespace vedette
