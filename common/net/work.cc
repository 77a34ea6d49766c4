// One job at a time on libuv's thread pool, and the ways to wait for it.
#include "common/net/work.h"

#include <condition_variable>
#include <memory>
#include <mutex>

#include "common/base/memory.h"

namespace vedette {

// A job that libuv has. It outlives the queue if that is destroyed first; then `queue` is null.
struct WorkQueue::Active {
  uv_work_t request;
  WorkQueue* queue;
  Task task;
  std::mutex mutex;
  std::condition_variable ended;
  bool has_run = false;

  void run() {
    task.job();
    task.job = nullptr;  // what it held is given back before `done` runs
    // Notified under the lock: who waits may let the request be freed as soon as it has the lock again.
    const std::lock_guard lock(mutex);
    has_run = true;
    ended.notify_all();
  }
};

void WorkQueue::run(std::function<void()> job, std::function<void()> done) {
  VED_ASSERT(job);
  waiting_.push_back(Task{std::move(job), std::move(done)});
  if (!active_ && !gone_) start_next();
}

void WorkQueue::start_next() {
  if (waiting_.empty()) return;
  active_ = new Active{.request = {}, .queue = this, .task = std::move(waiting_.front()), .mutex = {}, .ended = {}};
  waiting_.pop_front();
  active_->request.data = active_;
  const int code = uv_queue_work(
      loop_.raw(), &active_->request,
      [](uv_work_t* request) {
        register_memory_thread();
        static_cast<Active*>(request->data)->run();
      },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Active> ended(static_cast<Active*>(request->data));
        WorkQueue* queue = ended->queue;
        if (!queue) return;  // somebody has waited for it, and has called `done`
        queue->active_ = nullptr;
        bool gone = false;  // the next job begins after `done`, which may destroy the queue
        queue->gone_ = &gone;
        if (ended->task.done) ended->task.done();
        if (gone) return;
        queue->gone_ = nullptr;
        queue->start_next();
      });
  VED_ASSERT(code == 0);
}

// Waits for the job under way, or runs it here if no thread has taken it yet; answers its `done`.
std::function<void()> WorkQueue::finish_active() {
  Active* active = active_;
  if (uv_cancel(reinterpret_cast<uv_req_t*>(&active->request)) == 0) {
    active->run();
  } else {
    std::unique_lock lock(active->mutex);
    active->ended.wait(lock, [&] { return active->has_run; });
  }
  active->queue = nullptr;
  active_ = nullptr;
  return std::move(active->task.done);
}

void WorkQueue::drain() {
  while (pending()) {
    if (active_) {
      if (const auto done = finish_active()) done();
    } else {
      const Task task = std::move(waiting_.front());
      waiting_.pop_front();
      task.job();
      if (task.done) task.done();
    }
  }
}

WorkQueue::~WorkQueue() {
  if (gone_) *gone_ = true;
  if (active_) finish_active();
  for (const Task& task : waiting_) task.job();
}

}  // namespace vedette
