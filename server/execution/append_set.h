// The files of the log on the disk: a folder with the manifest that names them. Whatever is interrupted at
// whatever moment, the manifest names a set that is whole: a new one is written beside the old one, synced,
// and put in its place.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "server/execution/append_files.h"
#include "server/snapshot/append_manifest.h"

namespace vedette {

/// Where the files are. The folder's path is fixed while the log is on, even if the server's own folder
/// changes.
struct AppendPlace {
  std::string directory;  ///< absolute
  std::string folder;     ///< within `directory`
  std::string prefix;     ///< first part of the files' names
};

class AppendSet {
 public:
  AppendSet(AppendFiles& files, AppendPlace place) : files_(files), place_(std::move(place)) {}

  /// Reads the manifest; without one there is nothing, unless a log from before there were manifests lies in
  /// the directory, which then moves into the folder as the base. The error is for the operator.
  Status read();
  const AppendManifest& manifest() const { return manifest_; }
  bool empty() const { return !manifest_.base && manifest_.increments.empty(); }
  const AppendPlace& place() const { return place_; }
  std::string path(std::string_view name) const { return place_.directory + "/" + place_.folder + "/" + std::string(name); }
  std::string temporary_path(std::string_view name) const { return path("temp-" + std::string(name)); }

  /// Makes `next` the set that is valid. On failure the former one is.
  Status adopt(AppendManifest next);
  /// The same in two steps: what writes the manifest, on any thread, and what takes it as the set when that
  /// went well.
  std::function<Status()> writer_of(const AppendManifest& next) const;
  void accept(AppendManifest next) { manifest_ = std::move(next); }
  Status make_folder();
  /// Deletes what rewrites have replaced, on another thread, and calls `done` when the manifest does not name
  /// it any more.
  void delete_history(std::function<void()> done);
  /// Deletes what interrupted work has left.
  void delete_temporaries();
  Result<uint64_t> size_of(const AppendFile& file) const;

 private:
  std::string folder_path() const { return place_.directory + "/" + place_.folder; }
  std::string manifest_path() const { return path(manifest_name(place_.prefix)); }
  Result<std::string> read_text(const std::string& path);
  bool waits_for_single_file() const;
  Status take_single_file();

  AppendFiles& files_;
  AppendPlace place_;
  AppendManifest manifest_;
};

/// Writes all of `text`. Also used on other threads.
Status write_all(AppendFiles& files, int fd, std::string_view text);

}  // namespace vedette
