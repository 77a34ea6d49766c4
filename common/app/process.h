// What a program does once, before it serves: go to the background, write its pid file, tell the supervisor, set its title,
// raise its limits. Everything here talks to the operating system and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/app/options.h"

namespace vedette {

/// Leaves the terminal and goes on in the background.
void daemonize();
/// True if the file could be written.
bool write_pid_file(const std::string& path);
/// Detects the supervisor and, for one that wants it, tells it "ready" or "stopping" with a status line.
class Supervisor {
 public:
  explicit Supervisor(Supervised mode);
  bool supervised() const { return kind_ != Supervised::kNo; }
  const char* name() const;
  /// `state` is systemd's: "READY=1\nSTATUS=...". Does nothing under others.
  void notify(const std::string& state) const;

 private:
  Supervised kind_ = Supervised::kNo;
};

/// The title that ps shows. `claim` must be called with main's argv before any other thread
/// runs: the title is written over the arguments' and the environment's memory, which is moved away first.
class ProcessTitle {
 public:
  void claim(int argc, char** argv);
  void set(const std::string& title);

 private:
  char* start_ = nullptr;
  size_t bytes_ = 0;
};
/// A sign of this build, 16 hexadecimal digits: of the linker's own mark if there is one, else of version and compiler.
std::string build_id(std::string_view version);

/// The banner that a start on a terminal shows.
std::string banner(std::string_view version, const std::string& mode_and_port, int64_t pid);

/// Raises the limit of open files for maxclients connections and what the server itself needs; returns how many
/// clients there is room for.
int64_t fit_open_files(int64_t clients_wanted);

/// The path from the root; as it is if there is no such file.
std::string absolute_path(const std::string& path);
/// The folder the process is in.
std::string working_directory();
std::string read_standard_input();

}  // namespace vedette
