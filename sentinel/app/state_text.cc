// Lines with a checksum, and the comparison of three lists of directives.
#include "sentinel/app/state_text.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "common/base/sha256.h"
#include "sentinel/app/directives.h"

namespace vedette::sentinel {
namespace {

constexpr std::string_view kMagic = "vedette-sentinel-state ";
constexpr std::string_view kVersion = "1";
constexpr std::string_view kConfigured = "configured ", kState = "state ", kChecksum = "sha256 ";
constexpr size_t kChecksumLine = 7 + 64 + 1;

Error at_line(size_t number, std::string_view what) { return Error(fmt::format("line {}: {}", number, what)); }

size_t count_lines(std::string_view text) {
  size_t lines = 0;
  for (const char c : text) lines += c == '\n';
  return lines;
}

using Lines = std::vector<std::string>;
using ByKey = std::map<std::string, std::vector<Words>>;

ByKey by_key(const Lines& lines) {
  ByKey map;
  for (const std::string& line : lines)
    if (Words words = words_of(line); !words.empty()) map[directive_key(words)].push_back(std::move(words));
  return map;
}

const std::vector<Words>& lines_of(const ByKey& map, const std::string& key) {
  static const std::vector<Words> kNone;
  const auto found = map.find(key);
  return found == map.end() ? kNone : found->second;
}

// A directive whose place is in the order of `order`, which is that of a list of lines.
void append_key(Lines& out, std::set<std::string>& done, const std::string& key, const std::vector<Words>& lines) {
  if (!done.insert(key).second) return;
  for (const Words& words : lines) out.push_back(join_words(words));
}

class Merge {
 public:
  Merge(const Lines& configured, const StateContent& saved)
      : configured_(configured), now_(by_key(configured)), then_(by_key(saved.configured)), state_(by_key(saved.state)), saved_(saved) {}

  Lines run() {
    find_groups();
    for (const Lines* lines : {&configured_, &saved_.state})
      for (const std::string& line : *lines) take(words_of(line));
    return std::move(out_);
  }

 private:
  bool edited(const std::string& key) const { return lines_of(now_, key) != lines_of(then_, key); }

  void find_groups() {
    for (const ByKey* map : {&now_, &then_})
      for (const auto& [key, lines] : *map)
        if (edited(key)) edited_groups_.insert(directive_group(lines.front()));
    edited_groups_.erase("");
    for (const auto& [key, lines] : now_) {
      const std::string group = directive_group(lines.front());
      if (group.empty() || key != "monitor " + group) continue;
      // Gone by SENTINEL REMOVE, unless the operator has touched it since.
      const bool removed = !state_.contains(key);
      if (removed && edited_groups_.contains(group)) fresh_.insert(group);
      if (removed && !edited_groups_.contains(group)) dropped_.insert(group);
      if (!removed && edited(key) && moved(group)) moved_.insert(group);
    }
    for (const auto& [key, lines] : then_) {
      const std::string group = directive_group(lines.front());
      if (key == "monitor " + group && !now_.contains(key)) dropped_.insert(group);
    }
  }

  // The configuration names another primary than it did.
  bool moved(const std::string& group) const {
    const std::string key = "monitor " + group;
    const auto address = [&](const ByKey& map) {
      const auto& lines = lines_of(map, key);
      return lines.empty() || lines.front().size() < 4 ? Words() : Words{lines.front()[2], lines.front()[3]};
    };
    return address(now_) != address(then_);
  }

  void take(const Words& words) {
    if (words.empty()) return;
    const std::string key = directive_key(words), group = directive_group(words);
    if (!group.empty() && dropped_.contains(group)) return;
    if (fresh_.contains(group)) return append_key(out_, done_, key, lines_of(now_, key));
    if (is_learned_directive(words[0])) return take_learned(words, key, group);
    if (key == "monitor " + group && edited(key) && !moved_.contains(group) && state_.contains(key)) return take_quorum(key);
    append_key(out_, done_, key, lines_of(edited(key) ? now_ : state_, key));
  }

  // What was learned of another primary is of no use; a vote that was given stays given.
  void take_learned(const Words& words, const std::string& key, const std::string& group) {
    const bool of_old = moved_.contains(group) && words[0] != "leader-epoch";
    append_key(out_, done_, key, of_old ? std::vector<Words>() : lines_of(state_.contains(key) ? state_ : now_, key));
  }

  // The quorum was edited; where the primary is meanwhile is the state's.
  void take_quorum(const std::string& key) {
    Words line = lines_of(state_, key).front();
    const Words& wanted = lines_of(now_, key).front();
    if (line.size() > 4 && wanted.size() > 4) line[4] = wanted[4];
    append_key(out_, done_, key, {line});
  }

  const Lines& configured_;
  ByKey now_, then_, state_;
  const StateContent& saved_;
  std::set<std::string> edited_groups_, dropped_, fresh_, moved_, done_;
  Lines out_;
};

}  // namespace

std::string to_state_text(const StateContent& content) {
  std::string text = fmt::format("{}{}\n", kMagic, kVersion);
  for (const std::string& line : content.configured) text += fmt::format("{}{}\n", kConfigured, line);
  for (const std::string& line : content.state) text += fmt::format("{}{}\n", kState, line);
  return text + fmt::format("{}{}\n", kChecksum, sha256_hex(text));
}

Result<StateContent> parse_state_text(std::string_view text) {
  const size_t first_end = text.find('\n');
  const std::string_view first = text.substr(0, first_end);
  if (text.empty()) return at_line(1, "the file is empty");
  if (!first.starts_with(kMagic)) return at_line(1, "this is no state of a sentinel, or its beginning has been damaged");
  const size_t lines = count_lines(text);
  if (first_end == std::string_view::npos || text.back() != '\n' || text.size() < kChecksumLine + first.size() + 1)
    return at_line(lines + 1, "the file ends before its checksum: it has been cut");
  const size_t body = text.size() - kChecksumLine;
  const std::string_view last = text.substr(body);
  if (text[body - 1] != '\n' || !last.starts_with(kChecksum))
    return at_line(lines, "there is no checksum at the end: the file has been cut or damaged");
  if (last.substr(kChecksum.size(), 64) != sha256_hex(text.substr(0, body)))
    return at_line(lines, "the checksum is not that of the lines before it: the file has been damaged");
  if (first.substr(kMagic.size()) != kVersion)
    return at_line(1, fmt::format("the form is of version {}, and this program knows {}", first.substr(kMagic.size()), kVersion));
  StateContent content;
  size_t number = 1;
  for (text = text.substr(first_end + 1, body - first_end - 1); !text.empty();) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    number++;
    if (line.starts_with(kConfigured)) content.configured.emplace_back(line.substr(kConfigured.size()));
    else if (line.starts_with(kState)) content.state.emplace_back(line.substr(kState.size()));
    else return at_line(number, "neither 'configured' nor 'state'");
    text.remove_prefix(end + 1);
  }
  return content;
}

std::vector<std::string> merge_state(const std::vector<std::string>& configured, const StateContent& saved) {
  return Merge(configured, saved).run();
}

}  // namespace vedette::sentinel
