// Where the state lives on disk: in a file of its own, or within the configuration file. Written off the loop, whole and synced, one
// version after another.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/work.h"
#include "sentinel/app/conf_rewrite.h"

namespace vedette::sentinel {

class StateStore {
 public:
  /// One of the two paths, absolute; `configured`: what a state file remembers of the configuration.
  StateStore(Loop& loop, std::string config_file, std::string state_file, std::vector<std::string> configured);

  const std::string& path() const { return state_file_.empty() ? config_file_ : state_file_; }

  /// Ok in `done` when it is on the disk. `settings` matter for the configuration file only. `done` is called on the loop's
  /// thread, never within this call.
  void write(std::vector<SettingLines> settings, std::vector<std::string> directives, std::function<void(const Status&)> done);
  /// The same at once, after those that are under way (whose `done` is called). Blocks.
  Status write_now(const std::vector<SettingLines>& settings, const std::vector<std::string>& directives);

 private:
  Status store(const std::vector<SettingLines>& settings, const std::vector<std::string>& directives);

  const std::string config_file_, state_file_;
  const std::vector<std::string> configured_;
  std::string last_;  // what the last write has left on the disk; of the thread that writes
  WorkQueue work_;
};

}  // namespace vedette::sentinel
