// Jobs on the thread pool: their order, their ends, and the end of their queue.
#include "common/net/work.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace vedette;

namespace {

// Holds a job on its thread until the test lets it go.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    arrived_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_for_arrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false, arrived_ = false;
};

}  // namespace

TEST_CASE("jobs run one after another, off the loop's thread, and their ends on it") {
  Loop loop;
  WorkQueue queue(loop);
  const auto here = std::this_thread::get_id();
  std::string trace;  // one job at a time: no lock
  for (char name : std::string("abcdefgh"))
    queue.run([&trace, here, name] { trace += std::this_thread::get_id() == here ? '!' : name; },
              [&, name] {
                CHECK(std::this_thread::get_id() == here);
                if (name == 'h') loop.stop();
              });
  CHECK(queue.pending() == 8);
  loop.run();
  CHECK(trace == "abcdefgh");
  CHECK(queue.pending() == 0);
}

TEST_CASE("the end of a job may ask for the next one") {
  Loop loop;
  WorkQueue queue(loop);
  std::string trace;
  queue.run([&] { trace += 'a'; }, [&] { queue.run([&] { trace += 'b'; }, [&] { loop.stop(); }); });
  loop.run();
  CHECK(trace == "ab");
}

TEST_CASE("the end of a job may destroy the queue, and what waited still runs") {
  Loop loop;
  auto queue = std::make_unique<WorkQueue>(loop);
  std::atomic<int> runs = 0;
  bool late = false;
  queue->run([&] { runs++; },
             [&] {
               queue.reset();
               loop.stop();
             });
  for (int i = 0; i < 5; i++) queue->run([&] { runs++; }, [&] { late = true; });
  loop.run();
  CHECK(runs == 6);
  CHECK_FALSE(late);
}

TEST_CASE("a queue that ends waits for the job under way and runs those that wait") {
  Loop loop;
  Gate gate;
  std::string trace;
  bool ended = false;
  std::thread opener;
  {
    WorkQueue queue(loop);
    queue.run(
        [&] {
          gate.pass();
          trace += 'a';
        },
        [&] { ended = true; });
    for (char name : std::string("bcd")) queue.run([&trace, name] { trace += name; }, [&] { ended = true; });
    gate.wait_for_arrival();
    opener = std::thread([&] { gate.open(); });
  }
  opener.join();
  CHECK(trace == "abcd");
  CHECK_FALSE(ended);
}

TEST_CASE("draining runs every job and its end, those asked for meanwhile too, in order") {
  Loop loop;
  WorkQueue queue(loop);
  std::string trace;
  queue.run([&] { trace += 'a'; },
            [&] {
              trace += 'A';
              queue.run([&] { trace += 'c'; }, [&] { trace += 'C'; });
            });
  queue.run([&] { trace += 'b'; }, [&] { trace += 'B'; });
  queue.drain();
  CHECK(trace == "aAbBcC");
  CHECK(queue.pending() == 0);
  queue.run([&] { trace += 'd'; }, [&] { loop.stop(); });
  loop.run();
  CHECK(trace == "aAbBcCd");
}

TEST_CASE("jobs that no thread has taken yet are not lost when their queue ends") {
  Loop loop;
  // More queues than the pool has threads, all held: the last ones' jobs are still with libuv.
  constexpr int kQueues = 12;
  Gate gate;
  std::atomic<int> runs = 0;
  std::vector<std::unique_ptr<WorkQueue>> busy;
  for (int i = 0; i < kQueues; i++) {
    busy.push_back(std::make_unique<WorkQueue>(loop));
    busy.back()->run([&] {
      gate.pass();
      runs++;
    });
  }
  int quick = 0;
  {
    WorkQueue queue(loop);
    queue.run([&] { quick++; });
  }
  CHECK(quick == 1);
  gate.open();
  busy.clear();
  CHECK(runs == kQueues);
}

TEST_CASE("what a job holds is given back before its end runs") {
  Loop loop;
  WorkQueue queue(loop);
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  queue.run([held = std::move(held)] {},
            [&] {
              CHECK(watch.expired());
              loop.stop();
            });
  loop.run();
}
