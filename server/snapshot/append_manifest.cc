// Lines to files and back; the steps of a rewrite.
#include "server/snapshot/append_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/text.h"

namespace vedette {
namespace {

constexpr const char* kInvalid = "Invalid AOF manifest file format";

// Sequence numbers are positive; whatever else stands there is none.
int64_t parse_sequence(std::string_view text) {
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && value > 0 ? value : 0;
}

bool is_file_name(std::string_view text) {
  return !text.empty() && text.find('/') == text.npos && text.find('\0') == text.npos && text != "." && text != "..";
}

// The file that `line` names; else null and `reason`.
std::optional<AppendFile> parse_line(std::string_view line, const char*& reason) {
  reason = kInvalid;
  const auto words = split_words(line);
  if (!words || words->size() < 6 || words->size() % 2) return std::nullopt;
  AppendFile file;
  char type = 0;
  for (size_t i = 0; i < words->size(); i += 2) {
    const std::string &key = (*words)[i], &value = (*words)[i + 1];
    if (equals_ignoring_case(key, "file")) {
      if (!is_file_name(value)) {
        reason = "File can't be a path, just a filename";
        return std::nullopt;
      }
      file.name = value;
    } else if (equals_ignoring_case(key, "seq")) {
      file.sequence = parse_sequence(value);
    } else if (equals_ignoring_case(key, "type")) {
      type = value.empty() ? '\0' : value[0];
    }
  }
  if (file.name.empty() || !file.sequence || !type) return std::nullopt;
  if (type != 'b' && type != 'h' && type != 'i') {
    reason = "Unknown AOF file type";
    return std::nullopt;
  }
  file.type = AppendFileType(type);
  return file;
}

// Null, or what forbids `file` beside the others.
const char* add(AppendManifest& manifest, const AppendFile& file) {
  switch (file.type) {
    case AppendFileType::kBase:
      if (manifest.base) return "Found duplicate base file information";
      manifest.base = file;
      manifest.base_sequence = file.sequence;
      return nullptr;
    case AppendFileType::kHistory: manifest.history.push_back(file); return nullptr;
    case AppendFileType::kIncrement:
      if (file.sequence <= manifest.increment_sequence) return "Found a non-monotonic sequence number";
      manifest.increments.push_back(file);
      manifest.increment_sequence = file.sequence;
      return nullptr;
  }
  return nullptr;
}

}  // namespace

std::string manifest_name(std::string_view prefix) { return fmt::format("{}.manifest", prefix); }

std::vector<AppendFile> AppendManifest::parts() const {
  std::vector<AppendFile> files;
  if (base) files.push_back(*base);
  files.insert(files.end(), increments.begin(), increments.end());
  return files;
}

const AppendFile& AppendManifest::add_increment(std::string_view prefix) {
  increment_sequence++;
  increments.push_back({fmt::format("{}.{}.incr.aof", prefix, increment_sequence), increment_sequence, AppendFileType::kIncrement});
  return increments.back();
}

AppendFile AppendManifest::next_base(std::string_view prefix, bool as_rdb) const {
  const int64_t sequence = base_sequence + 1;
  return {fmt::format("{}.{}.base.{}", prefix, sequence, as_rdb ? "rdb" : "aof"), sequence, AppendFileType::kBase};
}

void AppendManifest::replace_base(const AppendFile& new_base, size_t kept_increments) {
  VED_ASSERT(kept_increments <= increments.size());
  VED_ASSERT(new_base.sequence > base_sequence);
  const auto become_history = [&](AppendFile file) {
    file.type = AppendFileType::kHistory;
    history.insert(history.begin(), std::move(file));
  };
  if (base) become_history(*base);
  const auto kept = increments.end() - long(kept_increments);
  std::for_each(increments.begin(), kept, become_history);
  increments.erase(increments.begin(), kept);
  base = new_base;
  base_sequence = new_base.sequence;
}

std::string print_manifest(const AppendManifest& manifest) {
  std::string text;
  const auto print = [&](const AppendFile& file) {
    text += fmt::format("file {} seq {} type {}\n", quoted_if_needed(file.name), file.sequence, char(file.type));
  };
  if (manifest.base) print(*manifest.base);
  for (const AppendFile& file : manifest.history) print(file);
  for (const AppendFile& file : manifest.increments) print(file);
  return text;
}

std::optional<AppendManifest> parse_manifest(std::string_view text, ManifestError& error) {
  error = {};
  AppendManifest manifest;
  const auto refuse = [&](std::string_view line, const char* reason) {
    error.line = line.substr(0, kManifestLineBytesMax);
    error.reason = reason;
    return std::nullopt;
  };
  if (text.empty()) return refuse("", "Found an empty AOF manifest");
  while (!text.empty()) {
    error.line_number++;
    const size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    const bool is_comment = text[0] == '#';
    // A line without an end was not written whole.
    if (!is_comment && (end == text.npos || end >= kManifestLineBytesMax))
      return refuse(line, "The AOF manifest file contains too long line");
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (is_comment) continue;
    const char* reason = nullptr;
    const auto file = parse_line(line, reason);
    if (!file) return refuse(line, reason);
    if ((reason = add(manifest, *file))) return refuse(line, reason);
  }
  return manifest;
}

AppendManifest manifest_of_single_file(std::string_view name) {
  AppendManifest manifest;
  manifest.base = AppendFile{std::string(name), 1, AppendFileType::kBase};
  manifest.base_sequence = 1;
  return manifest;
}

}  // namespace vedette
