// Programs that end well, badly, not at all, or cannot be started.
#include "common/net/child_process.h"

#include <doctest/doctest.h>

#include <csignal>
#include <optional>

using namespace vedette;

namespace {

struct Ended {
  int64_t exit_code = -1;
  int signal = -1;
};

Ended run(const std::vector<std::string>& argv, bool kill_it = false) {
  Loop loop;
  Ended ended;
  auto child = ChildProcess::start(loop, argv, [&](int64_t exit_code, int signal) {
    ended = {exit_code, signal};
    loop.stop();
  });
  REQUIRE(child);
  CHECK((*child)->pid() > 0);
  if (kill_it) (*child)->kill();
  loop.run();
  return ended;
}

}  // namespace

TEST_CASE("a program's exit code and its arguments arrive") {
  const Ended well = run({"/bin/sh", "-c", "exit $1", "sh", "0"});
  CHECK(well.exit_code == 0);
  CHECK(well.signal == 0);
  CHECK(run({"/bin/sh", "-c", "exit $1", "sh", "7"}).exit_code == 7);
  CHECK(run({"/bin/sh", "-c", "test \"$1\" = 'two words'", "sh", "two words"}).exit_code == 0);
}

TEST_CASE("a program that does not end is killed with what it has started") {
  CHECK(run({"/bin/sh", "-c", "sleep 1000; true"}, true).signal == SIGKILL);
}

TEST_CASE("signals that we ignore are not ignored by the program") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  CHECK(run({"/bin/sh", "-c", "kill -PIPE $$; exit 3"}).signal == SIGPIPE);
  std::signal(SIGPIPE, before);
}

TEST_CASE("a program that cannot be started is an error with its reason") {
  Loop loop;
  const auto missing = ChildProcess::start(loop, {"/none/such"}, [](int64_t, int) {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text() == "no such file or directory");
  CHECK_FALSE(ChildProcess::start(loop, {"/etc/passwd"}, [](int64_t, int) {}));
}

TEST_CASE("the owner may go away within the end, and before it") {
  Loop loop;
  std::unique_ptr<ChildProcess> owned;
  int ends = 0;
  auto started = ChildProcess::start(loop, {"/bin/true"}, [&](int64_t, int) {
    owned.reset();
    ends++;
    loop.stop();
  });
  REQUIRE(started);
  owned = std::move(*started);
  {
    const auto forgotten = ChildProcess::start(loop, {"/bin/true"}, [&](int64_t, int) { ends += 100; });
  }
  loop.run();
  CHECK(ends == 1);
}
