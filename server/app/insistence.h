// The way out of work that gives the loop no turn, such as the save before the end: a SIGINT that is not the
// first request to end is somebody at a terminal who will not wait. SIGTERM is never taken so, because
// service managers and scripts repeat it.
#pragma once

#include <csignal>
#include <string>

namespace vedette {

/// While it lives, SIGINT ends the process with code 1 if the end has been asked for before (`asked`, or by
/// an earlier SIGINT), and removes the file `unfinished`. One at a time.
class Insistence {
 public:
  Insistence(const std::string& unfinished, bool asked);
  ~Insistence();
  Insistence(const Insistence&) = delete;
  Insistence& operator=(const Insistence&) = delete;

 private:
  struct sigaction former_ {};
};

}  // namespace vedette
