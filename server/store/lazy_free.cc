// The worker and its queue.
#include "server/store/lazy_free.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vedette {

void LazyFree::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (worker_.joinable()) worker_.join();
  for (Job& job : jobs_) free_contents(job);
  jobs_.clear();
}

void LazyFree::free_database(Database&& database, std::function<void()> done) {
  Job job;
  job.objects = database.size();
  job.database = std::make_unique<Database>(std::move(database));
  job.done = std::move(done);
  push(std::move(job));
}

void LazyFree::free_entry(Entry* entry) {
  Job job;
  job.entry = entry;
  job.bytes = entry_memory_bytes(*entry);
  push(std::move(job));
}

void LazyFree::push(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return free_contents(job);
    pending_.fetch_add(job.objects, std::memory_order_relaxed);
    pending_bytes_.fetch_add(job.bytes, std::memory_order_relaxed);
    jobs_.push_back(std::move(job));
  }
  if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
  wake_.notify_one();
}

void LazyFree::free_contents(Job& job) {
  if (job.entry) destroy_entry(job.entry);
  job.database.reset();
}

void LazyFree::work() {
  register_memory_thread();
  if (prepare_) prepare_();
  // Priorities are per thread on Linux, for all that the call speaks of processes.
  setpriority(PRIO_PROCESS, id_t(syscall(SYS_gettid)), 15);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    const uint64_t objects = job.objects, bytes = job.bytes;
    free_contents(job);
    pending_.fetch_sub(objects, std::memory_order_relaxed);
    pending_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    freed_.fetch_add(objects, std::memory_order_relaxed);
    lock.lock();
    if (job.done && !stopping_) job.done();
  }
}

}  // namespace vedette
