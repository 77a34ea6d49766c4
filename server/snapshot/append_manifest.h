// The table of contents of a multi-part append-only file, and how it changes.
//
// The log of changes is a folder: one base (the dataset as it was at some moment), the increments that were
// logged since, in order, and a manifest that names them. Files that a rewrite has replaced are history until
// they are deleted. One line names one file:
//   file appendonly.aof.1.base.rdb seq 1 type b
// Words are quoted where they need it, lines that begin with # are comments, keys that nobody knows are
// passed over. A set of files is changed by writing a new manifest in place of the old one, so at each moment
// exactly one set is valid.
//
// Everything here is pure: text to manifest, manifest to next manifest. The form is that of Redis 7.
//
// Invariants: the increments' sequence numbers grow; sequence numbers are never used again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace vedette {

enum class AppendFileType : char { kBase = 'b', kHistory = 'h', kIncrement = 'i' };

struct AppendFile {
  std::string name;
  int64_t sequence = 0;
  AppendFileType type = AppendFileType::kIncrement;
  bool operator==(const AppendFile&) const = default;
};

/// Why a manifest cannot be read, and where.
struct ManifestError {
  size_t line_number = 0;
  std::string line;  ///< empty: the whole text is meant
  std::string reason;
};

struct AppendManifest {
  std::optional<AppendFile> base;
  std::vector<AppendFile> increments;
  std::vector<AppendFile> history;                    ///< the newest first
  int64_t base_sequence = 0, increment_sequence = 0;  ///< the last that were used

  bool operator==(const AppendManifest&) const = default;
  /// The files that make up the dataset, in the order they are loaded.
  std::vector<AppendFile> parts() const;

  /// Adds the next increment; `prefix` is the first part of all names (option appendfilename).
  const AppendFile& add_increment(std::string_view prefix);
  /// The name that the next base gets.
  AppendFile next_base(std::string_view prefix, bool as_rdb) const;
  /// A rewrite is done: `new_base` holds what the former base and all increments but the last
  /// `kept_increments` held. These become history.
  void replace_base(const AppendFile& new_base, size_t kept_increments);
};

inline constexpr size_t kManifestLineBytesMax = 1024;

std::string manifest_name(std::string_view prefix);
std::string print_manifest(const AppendManifest& manifest);
/// The manifest in `text`, or what is wrong in `error`.
std::optional<AppendManifest> parse_manifest(std::string_view text, ManifestError& error);

/// The manifest of a folder into which a log from before there were manifests, one file `name`, has been
/// moved.
AppendManifest manifest_of_single_file(std::string_view name);

}  // namespace vedette
