// Each step may fail, and then the temporary file goes.
#include "common/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vedette {
namespace {

Error system_error(int reason = errno) { return Error(std::strerror(reason)); }

// All of `text` is in the file and on the disk.
bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(size_t(n));
  }
  return fsync(file) == 0;
}

// Without this a crash may bring the old file back. A file system that cannot sync a folder says EINVAL, and a folder that may
// be written but not read cannot be opened: neither will get better, and the file itself is on the disk.
Status sync_folder(const std::string& folder) {
  const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno == EACCES ? Status::ok() : Status(system_error());
  const int reason = fsync(directory) == 0 ? 0 : errno;
  close(directory);
  return reason == 0 || reason == EINVAL || reason == ENOTSUP ? Status::ok() : Status(system_error(reason));
}

}  // namespace

Status replace_file(const std::string& path, std::string_view text, unsigned new_mode) {
  char* resolved = realpath(path.c_str(), nullptr);
  const std::string target = resolved ? resolved : path;
  std::free(resolved);
  std::string temporary = target + "-XXXXXX";
  const int file = mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) return system_error();
  struct stat old {};
  auto mode = mode_t(new_mode);
  if (stat(target.c_str(), &old) == 0) {
    mode = old.st_mode & 07777;
    // A file that a service's own user must read stays readable to it when root rewrites it; nobody else may
    // chown.
    if (old.st_uid != geteuid() && fchown(file, old.st_uid, old.st_gid) != 0) mode = old.st_mode & 0777;
  }
  const bool written = fchmod(file, mode) == 0 && write_all(file, text) && rename(temporary.c_str(), target.c_str()) == 0;
  const int reason = errno;
  close(file);
  if (!written) {
    unlink(temporary.c_str());
    return system_error(reason);
  }
  const size_t slash = target.rfind('/');
  return sync_folder(slash == std::string::npos ? "." : slash == 0 ? "/" : target.substr(0, slash));
}

}  // namespace vedette
