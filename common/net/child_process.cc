// uv_spawn and its end.
#include "common/net/child_process.h"

#include <csignal>

namespace vedette {

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Loop& loop, const std::vector<std::string>& argv, OnExit on_exit) {
  VED_ASSERT(!argv.empty());
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  uv_stdio_container_t stdio[3]{};
  stdio[0].flags = UV_IGNORE;
  for (int fd : {1, 2}) {
    stdio[fd].flags = UV_INHERIT_FD;
    stdio[fd].data.fd = fd;
  }
  uv_process_options_t options{};
  options.file = argv[0].c_str();
  options.args = words.data();
  options.stdio = stdio;
  options.stdio_count = 3;
  options.flags = UV_PROCESS_DETACHED;
  options.exit_cb = [](uv_process_t* process, int64_t exit_code, int signal) {
    auto* self = static_cast<ChildProcess*>(process->data);
    if (!self) return;
    const OnExit exited = std::move(self->on_exit_);  // it may destroy `self`
    exited(exit_code, signal);
  };
  std::unique_ptr<ChildProcess> child(new ChildProcess(std::move(on_exit)));
  child->process_.reset(new uv_process_t{});
  child->process_->data = child.get();
  // The handle must be closed whether or not there is a process.
  if (const int code = uv_spawn(loop.raw(), child->process_.get(), &options)) return Error(uv_strerror(code));
  return child;
}

void ChildProcess::kill() {
  if (::kill(-pid(), SIGKILL) != 0) uv_process_kill(process_.get(), SIGKILL);
}

}  // namespace vedette
