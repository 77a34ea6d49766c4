// The event loop and the small things that hang on it: timers, idlers, signals, posts from other threads, and the hooks of
// a turn.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "common/net/handle.h"

namespace vedette {

/// One libuv loop. Everything that was made on it must be gone before it is.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop().
  void run();
  void stop() { uv_stop(&loop_); }
  uv_loop_t* raw() { return &loop_; }

  /// Runs `work` on the loop's thread, soon. From any thread.
  void post(std::function<void()> work);

 private:
  uv_loop_t loop_;
  HandlePtr<uv_async_t> wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

class Timer {
 public:
  explicit Timer(Loop& loop);
  /// Calls `fire` after `delay_ms`, and then every `period_ms` unless that is 0.
  void start(uint64_t delay_ms, uint64_t period_ms, std::function<void()> fire);
  void stop();
  bool active() const;

 private:
  HandlePtr<uv_timer_t> timer_;
  std::function<void()> fire_;
};

/// Work that no event announces: while it is started, the loop calls `each_turn` once a turn, before it looks for events, and does
/// not wait for them.
class Idler {
 public:
  Idler(Loop& loop, std::function<void()> each_turn);
  void start();
  void stop();

 private:
  HandlePtr<uv_idle_t> idle_;
  std::function<void()> each_turn_;
};

class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal, std::function<void(int)> on_signal);

 private:
  HandlePtr<uv_signal_t> signal_;
  std::function<void(int)> on_signal_;
};

/// The two ends of a turn: `before_wait` runs before the loop waits for events, `after_events` when it has called
/// back all that were ready. While spin(true) holds, the loop does not wait.
class TurnHooks {
 public:
  TurnHooks(Loop& loop, std::function<void()> before_wait, std::function<void()> after_events);
  void spin(bool on);

 private:
  HandlePtr<uv_prepare_t> prepare_;
  HandlePtr<uv_check_t> check_;
  HandlePtr<uv_idle_t> idle_;
  std::function<void()> before_wait_, after_events_;
  bool spinning_ = false;
};

}  // namespace vedette
