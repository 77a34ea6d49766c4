// Daemon, supervisor, title, limits: each a short talk with the operating system.
#include "common/app/process.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/base/log.h"
#include "common/base/sha256.h"

extern char** environ;

namespace vedette {

void daemonize() {
  if (fork() != 0) _exit(0);
  setsid();
  const int null = open("/dev/null", O_RDWR);
  if (null < 0) return;
  for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
  if (null > 2) close(null);
}

bool write_pid_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (!file) return false;
  const bool written = std::fprintf(file, "%d\n", int(getpid())) > 0;
  return std::fclose(file) == 0 && written;
}

Supervisor::Supervisor(Supervised mode) {
  const char* upstart = std::getenv("UPSTART_JOB");
  const char* systemd = std::getenv("NOTIFY_SOCKET");
  if (mode == Supervised::kAuto) mode = upstart ? Supervised::kUpstart : systemd ? Supervised::kSystemd : Supervised::kNo;
  if (mode == Supervised::kUpstart && !upstart) log_warning("supervised upstart: UPSTART_JOB is not in the environment; going on without");
  if (mode == Supervised::kSystemd && !systemd)
    log_warning("supervised systemd: NOTIFY_SOCKET is not in the environment; going on without");
  if (mode == Supervised::kUpstart && upstart) {
    kind_ = mode;
    raise(SIGSTOP);  // upstart's sign of readiness
  }
  if (mode == Supervised::kSystemd && systemd) kind_ = mode;
}

const char* Supervisor::name() const {
  return kind_ == Supervised::kSystemd ? "systemd" : kind_ == Supervised::kUpstart ? "upstart" : "no";
}

void Supervisor::notify(const std::string& state) const {
  if (kind_ != Supervised::kSystemd) return;
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (!path || std::strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  const size_t length = std::strlen(path);
  std::memcpy(address.sun_path, path, length);
  if (address.sun_path[0] == '@') address.sun_path[0] = 0;  // the abstract namespace
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = socklen_t(offsetof(sockaddr_un, sun_path) + length);
  if (sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size) < 0)
    log_warning("supervised systemd: NOTIFY_SOCKET {}: {}", path, std::strerror(errno));
  close(fd);
}

void ProcessTitle::claim(int argc, char** argv) {
  char* end = argv[0];
  for (int i = 0; i < argc; i++)
    if (argv[i] == end) end += std::strlen(argv[i]) + 1;
  std::vector<char*> moved;
  for (char** variable = environ; *variable; variable++) {
    if (*variable == end) end += std::strlen(*variable) + 1;
    moved.push_back(strdup(*variable));
  }
  moved.push_back(nullptr);
  auto** own = static_cast<char**>(std::malloc(moved.size() * sizeof(char*)));
  std::memcpy(own, moved.data(), moved.size() * sizeof(char*));
  environ = own;  // lives as long as the process
  start_ = argv[0];
  bytes_ = size_t(end - argv[0]);
}

void ProcessTitle::set(const std::string& title) {
  if (bytes_ < 2) return;
  std::memset(start_, 0, bytes_);
  std::memcpy(start_, title.data(), std::min(title.size(), bytes_ - 1));
}

namespace {

// The note that the linker leaves in a binary: a hash of what is in it.
int take_linker_mark(dl_phdr_info* info, size_t, void* to) {
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const char* at = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
    const char* end = at + header.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const char* content = at + sizeof note + ((note.n_namesz + 3) & ~3u);
      if (note.n_type == NT_GNU_BUILD_ID && content + note.n_descsz <= end) {
        static_cast<std::string*>(to)->assign(content, note.n_descsz);
        return 1;
      }
      at = content + ((note.n_descsz + 3) & ~3u);
    }
  }
  return 1;  // the program itself is the first
}

}  // namespace

std::string build_id(std::string_view version) {
  std::string mark;
  dl_iterate_phdr(take_linker_mark, &mark);
  return sha256_hex(std::string(version) + __VERSION__ + mark).substr(0, 16);
}

std::string banner(std::string_view version, const std::string& place, int64_t pid) {
  return fmt::format(
      "\n"
      "         _|_\n"
      "         |#|       Vedette {} ({} bit)\n"
      "         | |       {}\n"
      "        _|_|_      PID: {}\n"
      "  ~~~~~/_____\\~~~~~~~~~~~~~~~~~~~~~~~~~~\n",
      version, sizeof(void*) * 8, place, pid);
}

int64_t fit_open_files(int64_t clients_wanted) {
  constexpr int64_t kReserved = 32;  // listeners, log, files, pipes
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit)) return clients_wanted;
  const auto wanted = rlim_t(clients_wanted + kReserved);
  if (limit.rlim_cur >= wanted) return clients_wanted;
  rlimit raised{wanted, std::max(limit.rlim_max, wanted)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return clients_wanted;
  raised = rlimit{std::min(wanted, limit.rlim_max), limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised)) raised.rlim_cur = limit.rlim_cur;
  return std::max<int64_t>(1, int64_t(raised.rlim_cur) - kReserved);
}

std::string absolute_path(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) ? std::string(resolved) : path;
}

std::string working_directory() {
  char path[4096];
  return getcwd(path, sizeof path) ? path : ".";
}

std::string read_standard_input() {
  std::string text;
  char part[4096];
  size_t n = 0;
  while ((n = std::fread(part, 1, sizeof part, stdin)) > 0) text.append(part, n);
  return text;
}

}  // namespace vedette
