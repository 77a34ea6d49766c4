// One server process under test: started on a free loopback port in a folder of its own, stopped by
// its pid, its exit code checked and its log kept for failure messages. The binary is named by the
// environment variable VEDETTE_SERVER, so the same tests can be pointed at any server of the protocol.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vedette::wire {

using Options = std::vector<std::string>;

/// A folder below the system's temporary one; removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes `text` into the file `name` of this folder; gives its whole path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// A TCP port that nothing listened on a moment ago.
int free_port();

/// The path of the server binary; fails the test when VEDETTE_SERVER names none.
std::string server_binary();

/// What a process left behind that ended by itself.
struct Ended {
  int exit_code;  // 128 + n after signal n
  std::string output;
};

/// Runs the server with exactly `arguments` (and `input` as its standard input) until it ends by itself.
Ended run_to_end(const Options& arguments, const std::string& input = "");

/// A running server. Ready (logged so, and answers PING) once constructed; in the destructor it is asked
/// to end by SIGTERM and must then exit with 0.
class ServerProcess {
 public:
  /// `options`: command line options added to `--port N --bind 127.0.0.1 --dir FOLDER --save ""`, e.g.
  /// {"--maxclients", "3"}. `file`: a configuration file to begin the command line with, or "-" for `input`.
  explicit ServerProcess(const Options& options = {}, const std::string& file = "", const std::string& input = "");
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  /// Everything the server has written to its standard output and error.
  std::string log() const;

  void send_signal(int signal) const;
  /// Waits for the process to end; its exit code, 128 + n after signal n. After this the destructor
  /// asks nothing more.
  int wait_for_exit();
  /// Ends the server by SIGTERM and starts it again with the same options, perhaps on another port.
  void restart();
  /// After its end: starts it again with the same options and folder. If `ready` is false, returns before it has loaded.
  void start_again(bool ready = true);
  /// The process ends by itself or is killed, as the test wants; the destructor must not check its code.
  void kill_now();

 private:
  void start();
  bool start_once();
  void launch();
  bool answers_ping() const;
  bool has_exited();

  const Options options_;
  const std::string file_, input_;
  TemporaryFolder folder_;
  int port_ = 0;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace vedette::wire
