// The allocator and the hook.
#include "server/scripting/lua_vm.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/base/assert.h"

namespace vedette {
namespace {

// What the interpreter cannot go on from is our own mistake: whatever scripts do is called in protected mode.
int on_panic(lua_State* state) {
  const char* text = lua_tostring(state, -1);
  panic(text ? text : "an error outside of protected mode in the script interpreter", __FILE__, __LINE__);
}

}  // namespace

LuaVm::LuaVm() {
  state_ = lua_newstate(&LuaVm::allocate, this);
  VED_ASSERT(state_);
  lua_atpanic(state_, on_panic);
  luaJIT_setmode(state_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  lua_sethook(state_, &LuaVm::on_count, LUA_MASKCOUNT, kInstructionsPerLook);
}

LuaVm::~LuaVm() {
  disarm();
  watcher_ = nullptr;
  lua_close(state_);
  VED_ASSERT(used_ == 0);
}

void* LuaVm::allocate(void* self, void* block, size_t bytes, size_t wanted) {
  auto& vm = *static_cast<LuaVm*>(self);
  if (wanted == 0) {
    vm.used_ -= bytes;
    std::free(block);
    return nullptr;
  }
  const size_t used = vm.used_ - bytes + wanted;
  if (__builtin_expect(wanted > bytes, 1)) {
    if (__builtin_expect(used > vm.bytes_max_, 0)) {
      vm.exhausted_ = true;
      return nullptr;
    }
    vm.allocated_since_look_ += wanted - bytes;
    if (__builtin_expect(vm.allocated_since_look_ > kBytesPerLook, 0)) vm.look_soon();
  }
  void* grown = std::realloc(block, wanted);
  if (!grown) panic("out of memory in the script interpreter", __FILE__, __LINE__);
  vm.used_ = used;
  return grown;
}

void LuaVm::recover() {
  if (std::exchange(exhausted_, false)) lua_gc(state_, LUA_GCCOLLECT, 0);
}

void LuaVm::recover(lua_State* state) {
  if (std::exchange(exhausted_, false)) collect(state);
}

void LuaVm::collect(lua_State* state) {
  constexpr size_t kBytesPerStep = 64;
  const size_t before = used_;
  lua_gc(state, LUA_GCCOLLECT, 0);
  note_steps(state, before / kBytesPerStep);
}

// The interpreter allows this at any moment, even from within a signal.
void LuaVm::look_soon() {
  allocated_since_look_ = 0;
  if (state_) lua_sethook(state_, &LuaVm::on_count, LUA_MASKCOUNT, 1);
}

void LuaVm::on_count(lua_State* state, lua_Debug*) {
  LuaVm& vm = of(state);
  vm.allocated_since_look_ = 0;
  lua_sethook(state, &LuaVm::on_count, LUA_MASKCOUNT, vm.instructions_per_look());
  if (__builtin_expect(vm.used_ > vm.collect_at_ && vm.bytes_max_ != SIZE_MAX, 0)) {
    lua_gc(state, LUA_GCCOLLECT, 0);
    vm.collect_at_ = std::max(vm.bytes_max_ / 2, vm.used_ + (vm.bytes_max_ - vm.used_) / 2);
  }
  if (vm.watcher_) vm.watcher_->look(state);
}

// What scripts leave behind is looked for when it may be half of everything, so that many scripts that stay
// cost the others nothing. The interpreter gives its own buffers back by half at a time.
void LuaVm::trim() {
  if (used_ <= trim_at_) return;
  for (size_t before = SIZE_MAX; used_ < before - before / 8 && used_ > kKeptBytes;) {
    before = used_;
    lua_gc(state_, LUA_GCCOLLECT, 0);
  }
  trim_at_ = std::max(kKeptBytes, 2 * used_);
}

}  // namespace vedette
