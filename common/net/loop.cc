// libuv's callbacks, each led back to its owner.
#include "common/net/loop.h"

namespace vedette {

Loop::Loop() {
  VED_ASSERT(uv_loop_init(&loop_) == 0);
  wake_ = make_handle<uv_async_t>(&loop_, this, [](uv_loop_t* loop, uv_async_t* handle) {
    return uv_async_init(loop, handle, [](uv_async_t* async) {
      auto* self = static_cast<Loop*>(async->data);
      if (!self) return;
      std::vector<std::function<void()>> posted;
      {
        const std::lock_guard lock(self->mutex_);
        posted.swap(self->posted_);
      }
      for (auto& work : posted) work();
    });
  });
}

Loop::~Loop() {
  wake_.reset();
  posted_.clear();                 // what it holds may own handles
  uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks
  VED_ASSERT(uv_loop_close(&loop_) == 0);
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  uv_async_send(wake_.get());
}

Timer::Timer(Loop& loop) : timer_(make_handle<uv_timer_t>(loop.raw(), this, uv_timer_init)) {}

void Timer::start(uint64_t delay_ms, uint64_t period_ms, std::function<void()> fire) {
  fire_ = std::move(fire);
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        if (auto* self = static_cast<Timer*>(timer->data)) self->fire_();
      },
      delay_ms, period_ms);
}

void Timer::stop() { uv_timer_stop(timer_.get()); }
bool Timer::active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(timer_.get())); }

Idler::Idler(Loop& loop, std::function<void()> each_turn)
    : idle_(make_handle<uv_idle_t>(loop.raw(), this, uv_idle_init)), each_turn_(std::move(each_turn)) {}

void Idler::start() {
  uv_idle_start(idle_.get(), [](uv_idle_t* idle) {
    if (auto* self = static_cast<Idler*>(idle->data)) self->each_turn_();
  });
}

void Idler::stop() { uv_idle_stop(idle_.get()); }

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void(int)> on_signal)
    : signal_(make_handle<uv_signal_t>(loop.raw(), this, uv_signal_init)), on_signal_(std::move(on_signal)) {
  uv_signal_start(
      signal_.get(),
      [](uv_signal_t* handle, int number) {
        if (auto* self = static_cast<SignalWatch*>(handle->data)) self->on_signal_(number);
      },
      signal);
}

TurnHooks::TurnHooks(Loop& loop, std::function<void()> before_wait, std::function<void()> after_events)
    : prepare_(make_handle<uv_prepare_t>(loop.raw(), this, uv_prepare_init)),
      check_(make_handle<uv_check_t>(loop.raw(), this, uv_check_init)),
      idle_(make_handle<uv_idle_t>(loop.raw(), this, uv_idle_init)),
      before_wait_(std::move(before_wait)),
      after_events_(std::move(after_events)) {
  uv_prepare_start(prepare_.get(), [](uv_prepare_t* handle) {
    if (auto* self = static_cast<TurnHooks*>(handle->data)) self->before_wait_();
  });
  uv_check_start(check_.get(), [](uv_check_t* handle) {
    if (auto* self = static_cast<TurnHooks*>(handle->data)) self->after_events_();
  });
}

void TurnHooks::spin(bool on) {
  if (on == spinning_) return;
  spinning_ = on;
  if (on) uv_idle_start(idle_.get(), [](uv_idle_t*) {});
  else uv_idle_stop(idle_.get());
}

}  // namespace vedette
