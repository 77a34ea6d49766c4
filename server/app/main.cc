#include <csignal>
#include <cstdlib>

#include "common/base/log.h"
#include "common/base/numbers.h"
#include "server/app/server.h"

// jemalloc reads this at its first allocation. One arena: one thread allocates, and the freeing thread must give back to
// where it came from. Huge pages: nothing here forks, so nothing is copied on write.
extern "C" {
__attribute__((used)) const char* malloc_conf = "narenas:1,thp:always,metadata_thp:auto,dirty_decay_ms:5000,muzzy_decay_ms:0";
}

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  int port = 6379;
  for (int i = 1; i + 1 < argc; i++)
    if (std::string(argv[i]) == "--port") port = atoi(argv[i + 1]);
  vedette::Server server(port);
  return server.run();
}
