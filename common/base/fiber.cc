// The switch itself: a few instructions where they are written out, the C library's contexts elsewhere, which cost two
// system calls each time.
#include "common/base/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "common/base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__) && !defined(VEDETTE_PORTABLE_FIBERS)
#define VEDETTE_FIBERS_X86_64 1
#else
#include <ucontext.h>
#endif

namespace vedette {
namespace {

// A sanitizer that watches stacks must be told of each change.
class StackChange {
 public:
#if defined(__SANITIZE_ADDRESS__)
  static void begin(void** keep, const void* bottom, size_t size) { __sanitizer_start_switch_fiber(keep, bottom, size); }
  static void end(void* kept, const void** from, size_t* size) { __sanitizer_finish_switch_fiber(kept, from, size); }
#else
  static void begin(void**, const void*, size_t) {}
  static void end(void*, const void**, size_t*) {}
#endif
};

#if VEDETTE_FIBERS_X86_64

// Keeps the registers that a called function must keep, and both control words of floating point, on the present stack; notes
// where in `from`; and takes those that lie at `to`. It returns there.
extern "C" __attribute__((naked, noinline)) void vedette_switch_stack(void** /*from*/, void* /*to*/) {
  asm volatile(
      "endbr64\n\t"
      "pushq %rbp\n\t"
      "pushq %rbx\n\t"
      "pushq %r12\n\t"
      "pushq %r13\n\t"
      "pushq %r14\n\t"
      "pushq %r15\n\t"
      "subq $8, %rsp\n\t"
      "stmxcsr (%rsp)\n\t"
      "fnstcw 4(%rsp)\n\t"
      "movq %rsp, (%rdi)\n\t"
      "movq %rsi, %rsp\n\t"
      "ldmxcsr (%rsp)\n\t"
      "fldcw 4(%rsp)\n\t"
      "addq $8, %rsp\n\t"
      "popq %r15\n\t"
      "popq %r14\n\t"
      "popq %r13\n\t"
      "popq %r12\n\t"
      "popq %rbx\n\t"
      "popq %rbp\n\t"
      "ret");
}

// What a new stack begins with: r12 is called with r13. Nothing lies beyond it, which whoever walks the stack is told.
extern "C" __attribute__((naked, noinline)) void vedette_begin_stack() {
  asm volatile(
      ".cfi_undefined rip\n\t"
      "movq %r13, %rdi\n\t"
      "callq *%r12\n\t"
      "ud2");
}

#endif

}  // namespace

struct Fiber::Switch {
#if VEDETTE_FIBERS_X86_64
  void* outside = nullptr;
  void* within = nullptr;
#else
  ucontext_t outside, within;
  bool prepared = false;
#endif
  void* kept_outside = nullptr;  // of the sanitizer
  void* kept_within = nullptr;
  const void* outside_bottom = nullptr;
  size_t outside_bytes = 0;
};

Fiber::Fiber(size_t stack_bytes) : switch_(new Switch) {
  const size_t page = size_t(sysconf(_SC_PAGESIZE));
#if defined(__SANITIZE_ADDRESS__)
  stack_bytes *= 8;  // frames are several times larger
#endif
  bytes_ = (stack_bytes + page - 1) / page * page + page;
  void* mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  VED_ASSERT(mapped != MAP_FAILED);
  memory_ = static_cast<char*>(mapped);
  VED_ASSERT(mprotect(memory_, page, PROT_NONE) == 0);
  madvise(memory_, bytes_, MADV_NOHUGEPAGE);  // a few pages of it are used
#if VEDETTE_FIBERS_X86_64
  constexpr uint32_t kDefaultMxcsr = 0x1f80;
  constexpr uint32_t kDefaultControlWord = 0x037f;
  auto* top = reinterpret_cast<uint64_t*>(memory_ + bytes_);
  *--top = 0;
  *--top = 0;  // the return address of vedette_begin_stack, which does not return; and its stack is aligned
  *--top = uint64_t(reinterpret_cast<uintptr_t>(&vedette_begin_stack));
  *--top = 0;                                                    // rbp
  *--top = 0;                                                    // rbx
  *--top = uint64_t(reinterpret_cast<uintptr_t>(&Fiber::loop));  // r12
  *--top = uint64_t(reinterpret_cast<uintptr_t>(this));          // r13
  *--top = 0;                                                    // r14
  *--top = 0;                                                    // r15
  *--top = kDefaultMxcsr | uint64_t(kDefaultControlWord) << 32;
  switch_->within = top;
#endif
}

Fiber::~Fiber() {
  VED_ASSERT(!inside_);
  munmap(memory_, bytes_);
  delete switch_;
}

void Fiber::start(Entry entry, void* argument) {
  VED_ASSERT(!under_way_);
  entry_ = entry;
  argument_ = argument;
  under_way_ = true;
  enter();
}

void Fiber::go_on() {
  VED_ASSERT(under_way_ && !inside_);
  enter();
}

void Fiber::enter() {
  inside_ = true;
  StackChange::begin(&switch_->kept_outside, memory_, bytes_);
#if VEDETTE_FIBERS_X86_64
  vedette_switch_stack(&switch_->outside, switch_->within);
#else
  if (!switch_->prepared) {
    switch_->prepared = true;
    VED_ASSERT(getcontext(&switch_->within) == 0);
    switch_->within.uc_stack.ss_sp = memory_;
    switch_->within.uc_stack.ss_size = bytes_;
    switch_->within.uc_link = nullptr;
    const auto self = uint64_t(reinterpret_cast<uintptr_t>(this));
    using Plain = void (*)();
    makecontext(&switch_->within, reinterpret_cast<Plain>(+[](unsigned high, unsigned low) {
      Fiber::loop(reinterpret_cast<Fiber*>(uintptr_t(uint64_t(high) << 32 | low)));
    }),
                2, unsigned(self >> 32), unsigned(self));
  }
  VED_ASSERT(swapcontext(&switch_->outside, &switch_->within) == 0);
#endif
  StackChange::end(switch_->kept_outside, nullptr, nullptr);
  inside_ = false;
}

void Fiber::leave() {
  VED_ASSERT(inside_);
  StackChange::begin(&switch_->kept_within, switch_->outside_bottom, switch_->outside_bytes);
#if VEDETTE_FIBERS_X86_64
  vedette_switch_stack(&switch_->within, switch_->outside);
#else
  VED_ASSERT(swapcontext(&switch_->within, &switch_->outside) == 0);
#endif
  StackChange::end(switch_->kept_within, &switch_->outside_bottom, &switch_->outside_bytes);
}

// The same stack serves one entry after the other.
void Fiber::loop(Fiber* self) {
  StackChange::end(nullptr, &self->switch_->outside_bottom, &self->switch_->outside_bytes);
  while (true) {
    self->entry_(self->argument_);
    self->under_way_ = false;
    self->leave();
  }
}

}  // namespace vedette
