// What the handler needs lies ready in memory that does not move: it may allocate nothing.
#include "server/app/insistence.h"

#include <unistd.h>

#include <climits>
#include <cstring>

#include "common/base/assert.h"
#include "common/base/log.h"

namespace vedette {
namespace {

char unfinished_path[PATH_MAX];
volatile sig_atomic_t asked_before = 0;

void on_interrupt(int) {
  if (!asked_before) {
    asked_before = 1;
    return;
  }
  constexpr char kText[] = "You insist... exiting now.\n";
  (void)!write(log_descriptor(), kText, sizeof kText - 1);
  if (unfinished_path[0]) unlink(unfinished_path);
  _exit(1);
}

}  // namespace

Insistence::Insistence(const std::string& unfinished, bool asked) {
  VED_ASSERT(unfinished_path[0] == 0);
  if (unfinished.size() < sizeof unfinished_path) std::memcpy(unfinished_path, unfinished.c_str(), unfinished.size() + 1);
  asked_before = asked;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  sigaction(SIGINT, &action, &former_);
}

Insistence::~Insistence() {
  sigaction(SIGINT, &former_, nullptr);
  unfinished_path[0] = 0;
}

}  // namespace vedette
