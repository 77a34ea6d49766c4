// System calls, and their reasons for failing.
#include "server/app/posix_append_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vedette {
namespace {

Error reason() { return Error(std::strerror(errno)); }
Status outcome(int code) { return code == 0 ? Status::ok() : Status(reason()); }

template <class Call>
auto retried(Call call) {
  auto value = call();
  while (value < 0 && errno == EINTR) value = call();
  return value;
}

}  // namespace

Result<int> PosixAppendFiles::open(const std::string& path, Mode mode) {
  int flags = O_CLOEXEC;
  if (mode == Mode::kRead) flags |= O_RDONLY;
  else flags |= O_WRONLY | O_CREAT | (mode == Mode::kAppend ? O_APPEND : O_TRUNC);
  const int fd = retried([&] { return ::open(path.c_str(), flags, 0644); });
  if (fd < 0) return reason();
  return fd;
}

void PosixAppendFiles::close(int fd) { ::close(fd); }

Result<uint64_t> PosixAppendFiles::size(int fd) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) return reason();
  return uint64_t(facts.st_size);
}

Result<size_t> PosixAppendFiles::write(int fd, std::span<const std::string_view> pieces) {
  std::array<iovec, 64> vectors;
  size_t count = 0;
  for (const std::string_view piece : pieces) {
    if (count == vectors.size()) break;
    vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  const ssize_t written = retried(
      [&] { return count == 1 ? ::write(fd, vectors[0].iov_base, vectors[0].iov_len) : writev(fd, vectors.data(), int(count)); });
  if (written < 0) return reason();
  if (written == 0) return Error("nothing could be written");
  return size_t(written);
}

Result<size_t> PosixAppendFiles::read(int fd, char* to, size_t bytes) {
  const ssize_t count = retried([&] { return ::read(fd, to, bytes); });
  if (count < 0) return reason();
  return size_t(count);
}

Status PosixAppendFiles::sync(int fd) {
  return outcome(retried([&] { return fdatasync(fd); }));
}

Status PosixAppendFiles::truncate(int fd, uint64_t size) {
  return outcome(retried([&] { return ftruncate(fd, off_t(size)); }));
}

bool PosixAppendFiles::exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Status PosixAppendFiles::make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0755) == 0) return Status::ok();
  if (errno != EEXIST) return reason();
  struct stat facts;
  if (stat(path.c_str(), &facts) != 0) return reason();
  return S_ISDIR(facts.st_mode) ? Status::ok() : Status(Error("there is a file of that name"));
}

std::vector<std::string> PosixAppendFiles::list_folder(const std::string& path) {
  std::vector<std::string> names;
  DIR* folder = opendir(path.c_str());
  if (!folder) return names;
  while (const dirent* item = readdir(folder)) names.emplace_back(item->d_name);
  closedir(folder);
  return names;
}

Status PosixAppendFiles::sync_folder(const std::string& path) {
  const int fd = retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (fd < 0) return reason();
  // Some file systems cannot sync a folder, and say so in this way.
  Status status = fsync(fd) == 0 || errno == EINVAL ? Status::ok() : Status(reason());
  ::close(fd);
  return status;
}

Status PosixAppendFiles::rename(const std::string& from, const std::string& to) { return outcome(::rename(from.c_str(), to.c_str())); }

Status PosixAppendFiles::remove(const std::string& path) { return outcome(unlink(path.c_str())); }

void PosixAppendFiles::run_elsewhere(Queue queue, std::function<void()> job, std::function<void()> done) {
  of(queue).run(std::move(job), std::move(done));
}

void PosixAppendFiles::give_up() { _exit(1); }

}  // namespace vedette
