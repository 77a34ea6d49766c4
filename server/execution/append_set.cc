// Reading and replacing the manifest.
#include "server/execution/append_set.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "common/base/log.h"

namespace vedette {

Status write_all(AppendFiles& files, int fd, std::string_view text) {
  while (!text.empty()) {
    const Result<size_t> written = files.write(fd, {&text, 1});
    if (!written) return written.error();
    text.remove_prefix(*written);
  }
  return Status::ok();
}

Result<std::string> AppendSet::read_text(const std::string& path) {
  const Result<int> fd = files_.open(path, AppendFiles::Mode::kRead);
  if (!fd) return Error(fmt::format("{}: {}", path, fd.error().text()));
  std::string text;
  char part[4096];
  for (;;) {
    const Result<size_t> count = files_.read(*fd, part, sizeof part);
    if (!count || !*count) {
      files_.close(*fd);
      if (count) return text;
      return Error(fmt::format("{}: {}", path, count.error().text()));
    }
    text.append(part, *count);
  }
}

Status AppendSet::read() {
  manifest_ = {};
  if (!files_.exists(folder_path())) {
    log_notice("The folder {} of the append-only file does not exist yet", folder_path());
  } else if (!files_.exists(manifest_path())) {
    log_notice("There is no append-only file yet: no {}", manifest_path());
  } else {
    const Result<std::string> text = read_text(manifest_path());
    if (!text) return Error(fmt::format("The manifest of the append-only file cannot be read: {}", text.error().text()));
    ManifestError error;
    auto manifest = parse_manifest(*text, error);
    if (!manifest) return Error(fmt::format("{}, line {}: '{}': {}", manifest_path(), error.line_number, error.line, error.reason));
    manifest_ = std::move(*manifest);
  }
  return waits_for_single_file() ? take_single_file() : Status::ok();
}

bool AppendSet::waits_for_single_file() const {
  if (!files_.exists(place_.directory + "/" + place_.prefix)) return false;
  if (empty()) return true;
  // A move that was interrupted: the manifest has been written, the file has not been moved.
  return manifest_.base && manifest_.increments.empty() && manifest_.base->name == place_.prefix && !files_.exists(path(place_.prefix));
}

Status AppendSet::take_single_file() {
  const std::string from = place_.directory + "/" + place_.prefix;
  if (Status status = make_folder(); !status) return status;
  if (Status status = adopt(manifest_of_single_file(place_.prefix)); !status) return status;
  if (Status status = files_.rename(from, path(place_.prefix)); !status)
    return Error(fmt::format("The old append-only file {} cannot be moved to {}: {}", from, folder_path(), status.error().text()));
  log_notice("The old append-only file {} was moved to {}", from, folder_path());
  return files_.sync_folder(folder_path());
}

Status AppendSet::make_folder() {
  if (Status status = files_.make_folder(folder_path()); !status)
    return Error(fmt::format("The folder {} of the append-only file cannot be made: {}", folder_path(), status.error().text()));
  return Status::ok();
}

std::function<Status()> AppendSet::writer_of(const AppendManifest& next) const {
  return [&files = files_, temporary = temporary_path(manifest_name(place_.prefix)), path = manifest_path(), folder = folder_path(),
          text = print_manifest(next)]() -> Status {
    const auto problem = [&](const Error& error) {
      return Error(fmt::format("The manifest of the append-only file cannot be written in {}: {}", folder, error.text()));
    };
    const Result<int> fd = files.open(temporary, AppendFiles::Mode::kReplace);
    if (!fd) return problem(fd.error());
    Status status = write_all(files, *fd, text);
    if (status) status = files.sync(*fd);
    files.close(*fd);
    if (status) status = files.rename(temporary, path);
    if (!status) return problem(status.error());
    // The new manifest is in place. Should a power cut bring back the old one, that set is still there:
    // history is deleted only after this.
    if (status = files.sync_folder(folder); !status) log_warning("{}: {}", folder, status.error().text());
    return Status::ok();
  };
}

Status AppendSet::adopt(AppendManifest next) {
  Status status = writer_of(next)();
  if (status) accept(std::move(next));
  return status;
}

void AppendSet::delete_history(std::function<void()> done) {
  std::vector<std::string> paths;
  for (const AppendFile& file : manifest_.history) {
    log_notice("Deleting the append-only file {}, which is not needed any more", file.name);
    paths.push_back(path(file.name));
  }
  manifest_.history.clear();
  auto status = std::make_shared<Status>();
  files_.run_elsewhere(
      AppendFiles::Queue::kBase,
      [&files = files_, paths = std::move(paths), write = writer_of(manifest_), status] {
        for (const std::string& path : paths) (void)files.remove(path).is_ok();
        *status = write();
      },
      [status, done = std::move(done)] {
        if (!*status) log_warning("{}", status->error().text());
        done();
      });
}

void AppendSet::delete_temporaries() {
  for (const std::string& name : files_.list_folder(folder_path())) {
    if (!name.starts_with("temp-") || name.find(".aof") == name.npos) continue;
    log_notice("Deleting {}, which interrupted work has left", path(name));
    if (Status status = files_.remove(path(name)); !status) log_warning("{}: {}", path(name), status.error().text());
  }
}

Result<uint64_t> AppendSet::size_of(const AppendFile& file) const {
  const auto problem = [&](const Error& error) {
    return Error(fmt::format("The append-only file {} cannot be read: {}", path(file.name), error.text()));
  };
  const Result<int> fd = files_.open(path(file.name), AppendFiles::Mode::kRead);
  if (!fd) return problem(fd.error());
  Result<uint64_t> size = files_.size(*fd);
  files_.close(*fd);
  if (!size) return problem(size.error());
  return size;
}

}  // namespace vedette
