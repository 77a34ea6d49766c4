// The script queue with its processes: starts what is ready, kills what has run too long.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "common/net/child_process.h"
#include "sentinel/app/script_queue.h"

namespace vedette::sentinel {

class Scripts {
 public:
  /// `tell` is called with each event, never from within run().
  Scripts(Loop& loop, std::function<void(const Publish&)> tell) : loop_(loop), timer_(loop), tell_(std::move(tell)) {}

  /// Soon.
  void run(const RunScript& script);
  const ScriptQueue& queue() const { return queue_; }
  void set_limits(const ScriptQueue::Limits& limits) { queue_.limits = limits; }
  /// What runs goes on without us; nothing more is started.
  void stop();

 private:
  void look();
  void start(ScriptJob& job);
  void arm();

  Loop& loop_;
  Timer timer_;
  std::function<void(const Publish&)> tell_;
  ScriptQueue queue_;
  std::map<ScriptId, std::unique_ptr<ChildProcess>> children_;
  bool stopped_ = false;
};

}  // namespace vedette::sentinel
