// Scripts on a simulated clock.
#include "sentinel/app/script_queue.h"

#include <doctest/doctest.h>

using namespace vedette;
using namespace vedette::sentinel;

namespace {

Instant at(int64_t ms) { return Instant{1000000000 + ms * 1000000}; }

// Starts everything that is ready; process ids are 100 + the script's id.
size_t start_ready(ScriptQueue& queue, Instant now) {
  const auto ready = queue.take_ready(now);
  for (const ScriptJob* job : ready) queue.started(job->id, 100 + int(job->id), now);
  return ready.size();
}

std::string told(ScriptQueue& queue) {
  std::string text;
  for (const Publish& event : queue.take_events()) text += (text.empty() ? "" : "; ") + event.type + " " + event.payload;
  return text;
}

}  // namespace

TEST_CASE("a script runs once if it ends well") {
  ScriptQueue queue;
  CHECK(queue.due() == kNever);
  CHECK(queue.add("/s.sh", {"+odown", "text"}, at(0)));
  CHECK(queue.due() == at(0));
  CHECK(start_ready(queue, at(0)) == 1);
  CHECK(queue.jobs().front().argv == std::vector<std::string>{"/s.sh", "+odown", "text"});
  CHECK(queue.running() == 1);
  CHECK(queue.due() == at(60000));
  queue.ended(1, 0, 0, at(10));
  CHECK(told(queue) == "+script-child 101; -script-child 101 0 0");
  CHECK(queue.jobs().empty());
  CHECK(queue.due() == kNever);
}

TEST_CASE("a script that ends with 1 or by a signal is tried 10 times, after delays that double") {
  ScriptQueue queue;
  (void)queue.add("/s.sh", {}, at(0));
  int64_t now = 0, delay = 30000;
  for (int attempt = 1; attempt <= 10; attempt++) {
    CAPTURE(attempt);
    CHECK(queue.due() == at(now));
    CHECK(start_ready(queue, at(now - 1)) == 0);
    CHECK(start_ready(queue, at(now)) == 1);
    CHECK(queue.jobs().front().attempts == attempt);
    queue.ended(1, attempt % 2, attempt % 2 ? 0 : 9, at(now));
    if (attempt < 10) (void)queue.take_events();
    now += delay;
    delay *= 2;
  }
  CHECK(told(queue) == "+script-child 101; -script-child 101 0 9; -script-error /s.sh 9 0");
  CHECK(queue.jobs().empty());
}

TEST_CASE("a script that ends with 2 or more is not tried again") {
  ScriptQueue queue;
  (void)queue.add("/s.sh", {}, at(0));
  CHECK(start_ready(queue, at(0)) == 1);
  queue.ended(1, 2, 0, at(1));
  CHECK(told(queue) == "+script-child 101; -script-child 101 2 0; -script-error /s.sh 0 2");
  CHECK(queue.jobs().empty());
}

TEST_CASE("a script that runs too long is told of and killed once") {
  ScriptQueue queue;
  (void)queue.add("/s.sh", {}, at(0));
  CHECK(start_ready(queue, at(0)) == 1);
  CHECK(queue.take_overdue(at(59999)).empty());
  CHECK(queue.take_overdue(at(60000)) == std::vector<ScriptId>{1});
  CHECK(queue.take_overdue(at(60001)).empty());
  CHECK(queue.due() == kNever);
  CHECK(told(queue) == "+script-child 101; -script-timeout /s.sh 101");
  queue.ended(1, 0, 9, at(60002));
  CHECK(queue.due() == at(60002 + 30000));
}

TEST_CASE("one that cannot be started counts as an attempt") {
  ScriptQueue queue;
  (void)queue.add("/none", {}, at(0));
  CHECK(queue.take_ready(at(0)).size() == 1);
  queue.failed_to_start(1, at(0));
  CHECK(told(queue) == "-script-error /none 99 0");
  CHECK(queue.running() == 0);
  CHECK(queue.due() == at(30000));
}

TEST_CASE("16 run at once, 256 are kept, and the oldest that waits makes room") {
  ScriptQueue queue;
  for (int i = 0; i < 256; i++) CHECK(queue.add("/s.sh", {}, at(0)));
  CHECK(start_ready(queue, at(0)) == 16);
  CHECK(start_ready(queue, at(0)) == 0);
  CHECK(queue.due() == at(60000));
  CHECK_FALSE(queue.add("/new.sh", {}, at(0)));
  CHECK(queue.jobs().size() == 256);
  bool has_17 = false, has_1 = false;
  for (const ScriptJob& job : queue.jobs()) {
    has_17 |= job.id == 17;
    has_1 |= job.id == 1;
  }
  CHECK(has_1);
  CHECK_FALSE(has_17);
  queue.ended(1, 0, 0, at(1));
  CHECK(queue.due() == at(0));
  CHECK(start_ready(queue, at(1)) == 1);
}
