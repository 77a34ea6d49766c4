#include "common/base/crash_report.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "common/base/log.h"

namespace vedette {
namespace {

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kFramesMax = 100;
alignas(16) char signal_stack[64 * 1024];  // the thread's own may be what has overflowed
std::atomic<const char*> reported_version{""};
std::atomic<int> watch_milliseconds{0};

// A line of the log, in a buffer of its own.
class Line {
 public:
  Line() { (*this)(uint64_t(getpid()))(":signal-handler (")(uint64_t(time(nullptr)))(") "); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    (*this)("\n");
    if (write(log_descriptor(), text_, size_) < 0) return;  // nowhere to tell
  }
  Line& operator()(const char* text) {
    const size_t n = std::strlen(text), room = sizeof text_ - size_;
    std::memcpy(text_ + size_, text, n < room ? n : room);
    size_ += n < room ? n : room;
    return *this;
  }
  Line& operator()(uint64_t number, unsigned base = 10) {
    char digits[24];
    char* at = digits + sizeof digits;
    *--at = 0;
    do *--at = "0123456789abcdef"[number % base];
    while (number /= base);
    return (*this)(at);
  }

 private:
  char text_[512];
  size_t size_ = 0;
};

uintptr_t instruction_of(const void* context) {
  const auto* place = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return uintptr_t(place->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return uintptr_t(place->uc_mcontext.pc);
#else
  return place ? 0 : 0;
#endif
}

void on_fatal_signal(int number, siginfo_t* info, void* context) {
  Line()("=== REDIS BUG REPORT START: Vedette ")(reported_version.load())(", everything down to the end of the report ===");
  Line()("Vedette crashed by signal: ")(uint64_t(number))(", si_code: ")(info->si_code < 0 ? "-" : "")(
      uint64_t(info->si_code < 0 ? -int64_t(info->si_code) : info->si_code));
  if (info->si_code == SI_USER || info->si_code == SI_TKILL)
    Line()("Sent by process ")(uint64_t(info->si_pid))(" of user ")(uint64_t(info->si_uid));
  else Line()("Accessing address: 0x")(uint64_t(reinterpret_cast<uintptr_t>(info->si_addr)), 16);
  write_stack_trace(instruction_of(context));
  Line()("=== REDIS BUG REPORT END ===");
  // The handler is gone after one call: the default action follows, for a core file and the true exit status.
  raise(number);
}

void on_alarm(int, siginfo_t* info, void* context) {
  const int saved = errno;
  if (info->si_code == SI_KERNEL) Line()("--- WATCHDOG TIMER EXPIRED ---");
  else Line()("Received SIGALRM");
  write_stack_trace(instruction_of(context));
  Line()("--------");
  if (const int period = watch_milliseconds.load(std::memory_order_relaxed)) arm_watchdog(period);
  errno = saved;
}

void handle(int number, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

// The first trace of a process loads a library, which a signal handler must not.
void prepare_traces() {
  void* frame[1];
  (void)!backtrace(frame, 1);
}

}  // namespace

void report_crashes(bool on, const char* version) {
  reported_version.store(version);
  if (on) {
    prepare_traces();
    stack_t stack{};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof signal_stack;
    sigaltstack(&stack, nullptr);
  }
  for (const int number : kFatalSignals) {
    if (on) handle(number, on_fatal_signal, SA_ONSTACK | int(SA_RESETHAND) | SA_NODEFER);
    else signal(number, SIG_DFL);
  }
}

void write_stack_trace(uintptr_t instruction) {
  Line()("------ STACK TRACE ------");
  if (instruction) Line()("Instruction: 0x")(uint64_t(instruction), 16);
  void* frames[kFramesMax];
  backtrace_symbols_fd(frames, backtrace(frames, kFramesMax), log_descriptor());
}

void trace_on_alarm() {
  prepare_traces();
  handle(SIGALRM, on_alarm, SA_RESTART);
}

void arm_watchdog(int milliseconds) {
  watch_milliseconds.store(milliseconds, std::memory_order_relaxed);
  itimerval timer{};
  timer.it_value.tv_sec = milliseconds / 1000;
  timer.it_value.tv_usec = (milliseconds % 1000) * 1000;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace vedette
