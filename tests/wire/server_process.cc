// See server_process.h.
#include "tests/wire/server_process.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <sstream>

#include "tests/wire/connection.h"
#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int exit_code_of(int wait_status) { return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status); }

/// Starts the binary with its output going to `log` and its input coming from `input`.
pid_t spawn(const Options& arguments, const std::filesystem::path& log, const std::string& input) {
  const std::string binary = server_binary();
  std::vector<char*> argv{const_cast<char*>(binary.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, binary.c_str(), &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  REQUIRE_MESSAGE(error == 0, "cannot start " << binary << ": errno " << error);
  return pid;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "vedette-wire-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

std::string server_binary() {
  const char* path = std::getenv("VEDETTE_SERVER");
  REQUIRE_MESSAGE((path != nullptr && *path != '\0'), "VEDETTE_SERVER must name the server binary");
  return path;
}

Ended run_to_end(const Options& arguments, const std::string& input) {
  TemporaryFolder folder;
  const pid_t pid = spawn(arguments, folder.path() / "log", folder.write("input", input));
  int status = 0;
  if (!eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; })) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    FAIL("the server did not end by itself: " << read_whole(folder.path() / "log"));
  }
  return {exit_code_of(status), read_whole(folder.path() / "log")};
}

ServerProcess::ServerProcess(const Options& options, const std::string& file, const std::string& input)
    : options_(options), file_(file), input_(input) {
  start();
}

void ServerProcess::start() {
  // Another process may take the free port before the server does: then try the next one.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (start_once()) return;
    if (log().find("Failed listening") == std::string::npos) break;
  }
  FAIL("the server did not start. Its log:\n" << log());
}

void ServerProcess::launch() {
  port_ = free_port();
  exit_code_.reset();
  std::filesystem::remove(folder_.path() / "log");
  Options arguments;
  if (!file_.empty()) arguments.push_back(file_);
  for (const std::string& word : {std::string("--port"), std::to_string(port_), std::string("--bind"), std::string("127.0.0.1"),
                                  std::string("--dir"), folder_.path().string(), std::string("--save"), std::string()}) {
    arguments.push_back(word);
  }
  arguments.insert(arguments.end(), options_.begin(), options_.end());
  pid_ = spawn(arguments, folder_.path() / "log", folder_.write("input", input_));
}

bool ServerProcess::start_once() {
  launch();
  const bool up = eventually([this] { return has_exited() || (log().find("Ready to accept") != std::string::npos && answers_ping()); });
  if (!up) kill_now();
  return !exit_code_;
}

ServerProcess::~ServerProcess() {
  if (exit_code_ || pid_ < 0) return;
  if (std::uncaught_exceptions() > 0) MESSAGE("the server's log:\n" << log());
  send_signal(SIGTERM);
  if (!eventually([this] { return has_exited(); })) {
    kill_now();
    FAIL_CHECK("the server did not end after SIGTERM. Its log:\n" << log());
    return;
  }
  CHECK_MESSAGE(*exit_code_ == 0, "the server ended with " << *exit_code_ << ". Its log:\n" << log());
}

std::string ServerProcess::log() const { return read_whole(folder_.path() / "log"); }

void ServerProcess::send_signal(int signal) const { kill(pid_, signal); }

int ServerProcess::wait_for_exit() {
  const bool ended = eventually([this] { return has_exited(); });
  REQUIRE_MESSAGE(ended, "the server still runs. Its log:\n" << log());
  return *exit_code_;
}

void ServerProcess::restart() {
  send_signal(SIGTERM);
  REQUIRE(wait_for_exit() == 0);
  start();
}

void ServerProcess::start_again(bool ready) {
  REQUIRE(has_exited());
  if (ready) return start();
  launch();
  REQUIRE(eventually([this] { return has_exited() || log().find("Server initialized") != std::string::npos; }));
}

void ServerProcess::kill_now() {
  if (has_exited()) return;
  send_signal(SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  exit_code_ = exit_code_of(status);
}

bool ServerProcess::has_exited() {
  int status = 0;
  if (!exit_code_ && waitpid(pid_, &status, WNOHANG) == pid_) exit_code_ = exit_code_of(status);
  return exit_code_.has_value();
}

// An error (no password yet) is an answer too: the server serves.
bool ServerProcess::answers_ping() const {
  RawConnection probe(port_);
  probe.send("PING\r\n");
  const std::string answer = probe.receive_line();
  return answer == "+PONG" || answer.starts_with("-NOAUTH");
}

}  // namespace vedette::wire
