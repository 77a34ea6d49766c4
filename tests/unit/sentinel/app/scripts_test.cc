// The queue with real processes.
#include "sentinel/app/scripts.h"

#include <doctest/doctest.h>

using namespace vedette;
using namespace vedette::sentinel;

namespace {

// Runs the scripts until `events` have been told of; returns them.
std::vector<std::string> run(const ScriptQueue::Limits& limits, const std::vector<RunScript>& scripts, size_t events) {
  Loop loop;
  std::vector<std::string> told;
  bool within = true;
  Scripts runner(loop, [&](const Publish& event) {
    CHECK_FALSE(within);
    told.push_back(event.type + (event.level == EventLevel::kWarning ? " " + event.payload : ""));
    if (told.size() == events) loop.stop();
  });
  runner.set_limits(limits);
  for (const RunScript& script : scripts) runner.run(script);
  within = false;
  Timer deadline(loop);
  deadline.start(20000, 0, [&] {
    FAIL_CHECK("nothing more happens");
    loop.stop();
  });
  loop.run();
  runner.stop();
  return told;
}

}  // namespace

TEST_CASE("a script that fails is run again, until it has failed too often") {
  const auto told = run({60000, 1}, {{"/bin/false", {"+odown"}}}, 21);
  CHECK(told.size() == 21);
  CHECK(told[0] == "+script-child");
  CHECK(told[1] == "-script-child");
  CHECK(told[20] == "-script-error /bin/false 0 1");
}

TEST_CASE("a script that hangs is killed") {
  const auto told = run({1, 60000}, {{"/bin/sleep", {"1000"}}}, 3);
  REQUIRE(told.size() == 3);
  CHECK(told[1].starts_with("-script-timeout /bin/sleep "));
  CHECK(told[2] == "-script-child");
}

TEST_CASE("a script that is not there is told of, and the others run") {
  const auto told = run({60000, 60000}, {{"/none/such", {}}, {"/bin/true", {}}}, 3);
  CHECK(told == std::vector<std::string>{"-script-error /none/such 99 0", "+script-child", "-script-child"});
}
