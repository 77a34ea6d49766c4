// Building the text and replacing the file, both on the thread pool.
#include "sentinel/app/state_store.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "common/base/atomic_file.h"
#include "common/config/config_file.h"
#include "sentinel/app/state_text.h"

namespace vedette::sentinel {

StateStore::StateStore(Loop& loop, std::string config_file, std::string state_file, std::vector<std::string> configured)
    : config_file_(std::move(config_file)), state_file_(std::move(state_file)), configured_(std::move(configured)), work_(loop) {}

Status StateStore::store(const std::vector<SettingLines>& settings, const std::vector<std::string>& directives) {
  std::string text;
  if (!state_file_.empty()) {
    text = to_state_text({configured_, directives});
    if (text == last_) return Status::ok();
  } else {
    // The operator may have edited it meanwhile: what it says now is what is brought up to date.
    const auto old = disk_reader().read(config_file_);
    if (!old && old.error().text() != std::strerror(ENOENT)) return old.error();
    text = rewrite_configuration(old ? *old : std::string(), settings, directives);
    if (old && text == *old && text == last_) return Status::ok();
  }
  constexpr unsigned kOwnerOnly = 0600;  // passwords are in it
  Status status = replace_file(path(), text, kOwnerOnly);
  if (status) last_ = std::move(text);
  return status;
}

void StateStore::write(std::vector<SettingLines> settings, std::vector<std::string> directives, std::function<void(const Status&)> done) {
  auto outcome = std::make_shared<Status>();
  work_.run([this, outcome, settings = std::move(settings), directives = std::move(directives)] { *outcome = store(settings, directives); },
            [outcome, done = std::move(done)] { done(*outcome); });
}

Status StateStore::write_now(const std::vector<SettingLines>& settings, const std::vector<std::string>& directives) {
  work_.drain();
  return store(settings, directives);
}

}  // namespace vedette::sentinel
