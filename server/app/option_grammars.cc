// The grammars themselves: reading, printing, and the lines of a file.
#include "server/app/option_grammars.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {

namespace {

OptionRow with_words(OptionRow row) {
  row.flags |= kOptionManyWords;
  return row;
}

// Where a list of words is wanted, one empty word is the empty list.
bool is_empty_list(const OptionWords& words) { return words.empty() || (words.size() == 1 && words[0].empty()); }

Result<std::vector<SavePoint>> parse_save_points(const OptionWords& words) {
  std::vector<SavePoint> points;
  if (is_empty_list(words)) return points;
  const Error invalid("Invalid save parameters");
  if (words.size() % 2) return invalid;
  for (size_t i = 0; i < words.size(); i += 2) {
    const auto seconds = parse_integer(words[i]);
    const auto changes = parse_integer(words[i + 1]);
    if (!seconds || !changes || *seconds < 1 || *changes < 0) return invalid;
    points.push_back({*seconds, *changes});
  }
  return points;
}

Status check_no_path(std::string_view name, std::string_view text, std::string_view kind) {
  if (text.find('/') != std::string_view::npos) return Error(fmt::format("{} can't be a path, just a {}", name, kind));
  return Status::ok();
}

Status check_name(std::string_view name, std::string_view text, std::string_view kind) {
  if (text.empty()) return Error(fmt::format("{} can't be empty", name));
  return check_no_path(name, text, kind);
}

}  // namespace

Option save_option(const OptionRow& row, std::vector<SavePoint>& value) {
  const auto set = [&value](const OptionWords& words) -> Status {
    auto points = parse_save_points(words);
    if (!points) return points.error();
    value = std::move(*points);
    return Status::ok();
  };
  const auto print = [&value](std::string_view between) {
    std::string text;
    for (const SavePoint& point : value) text += fmt::format("{}{} {}", text.empty() ? "" : between, point.seconds, point.changes);
    return text;
  };
  const auto lines = [&value]() -> std::vector<std::string> {
    if (value.empty()) return {"\"\""};
    std::vector<std::string> points;
    for (const SavePoint& point : value) points.push_back(fmt::format("{} {}", point.seconds, point.changes));
    return points;
  };
  Option option = special_option(
      with_words(row), "pairs of seconds and changes, or \"\" for none", set, [print] { return print(" "); }, lines);
  option.add = [&value](const OptionWords& words) -> Status {
    auto points = parse_save_points(words);
    if (!points) return points.error();
    if (points->empty()) value.clear();
    value.insert(value.end(), points->begin(), points->end());
    return Status::ok();
  };
  return option;
}

Option keyspace_events_option(const OptionRow& row, std::string& value) {
  // All but key misses (m) and new keys (n) are what 'A' stands for.
  constexpr std::string_view kAll = "g$lshzxetd";
  const auto set = [&value, kAll](const OptionWords& words) -> Status {
    std::string asked = words[0];
    for (char c : asked)
      if (c != 'A' && kAll.find(c) == std::string_view::npos && std::string_view("nKEm").find(c) == std::string_view::npos)
        return Error("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    if (asked.find('A') != std::string::npos) asked += kAll;
    std::string classes;
    for (char c : kAll)
      if (asked.find(c) != std::string::npos) classes += c;
    if (classes == kAll) classes = "A";
    for (char c : {'n', 'K', 'E', 'm'})
      if (asked.find(c) != std::string::npos) classes += c;
    value = classes;
    return Status::ok();
  };
  return special_option(
      row, "letters, or \"\" for none", set, [&value] { return value; }, [&value] { return std::vector{quoted(value)}; });
}

Option percentiles_option(const OptionRow& row, std::vector<double>& value) {
  const auto set = [&value](const OptionWords& words) -> Status {
    std::vector<double> percentiles;
    for (const std::string& word : is_empty_list(words) ? OptionWords() : words) {
      const auto number = parse_double(word);
      if (!number) return Error("Invalid latency-tracking-info-percentiles parameters");
      if (*number < 0 || *number > 100) return Error("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
      percentiles.push_back(*number == 0 ? 0 : *number);  // no minus before a zero
    }
    value = std::move(percentiles);
    return Status::ok();
  };
  return special_option(with_words(row), "numbers from 0 to 100, or \"\" for none", set,
                        [&value] { return fmt::format("{}", fmt::join(value, " ")); });
}

Option shutdown_option(const OptionRow& row, ShutdownChoice& value) {
  const auto set = [&value](const OptionWords& words) -> Status {
    ShutdownChoice choice;
    bool is_known = !words.empty();
    for (const std::string& word : words) {
      if (equals_ignoring_case(word, "save")) choice.save = true;
      else if (equals_ignoring_case(word, "nosave")) choice.nosave = true;
      else if (equals_ignoring_case(word, "now")) choice.now = true;
      else if (equals_ignoring_case(word, "force")) choice.force = true;
      else is_known &= equals_ignoring_case(word, "default");
    }
    if (!is_known) return Error("argument(s) must be one of the following: default, save, nosave, now, force");
    if (choice.save && choice.nosave) return Error("shutdown options SAVE and NOSAVE can't be used simultaneously");
    value = choice;
    return Status::ok();
  };
  const auto get = [&value]() -> std::string {
    std::string text;
    if (value.save) text += " save";
    if (value.nosave) text += " nosave";
    if (value.now) text += " now";
    if (value.force) text += " force";
    return text.empty() ? "default" : text.substr(1);
  };
  return special_option(with_words(row), "default, or some of: save, nosave, now, force", set, get);
}

Option oom_score_values_option(const OptionRow& row, std::array<int, 3>& value) {
  const auto set = [&value](const OptionWords& words) -> Status {
    if (words.size() != value.size()) return wrong_number_of_arguments();
    std::array<int, 3> values{};
    for (size_t i = 0; i < values.size(); i++) {
      const auto number = parse_integer(words[i]);
      if (!number || *number < -2000 || *number > 2000)
        return Error("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
      values[i] = int(*number);
    }
    value = values;
    return Status::ok();
  };
  return special_option(with_words(row), "three integers from -2000 to 2000", set,
                        [&value] { return fmt::format("{}", fmt::join(value, " ")); });
}

Option primary_option(const OptionRow& row, std::string& host, int& port) {
  const auto set = [&host, &port](const OptionWords& words) -> Status {
    const bool no_one = words.size() == 2 && equals_ignoring_case(words[0], "no") && equals_ignoring_case(words[1], "one");
    if (is_empty_list(words) || no_one) {
      host.clear();
      port = 0;
      return Status::ok();
    }
    if (words.size() != 2) return wrong_number_of_arguments();
    const auto number = parse_integer(words[1]);
    if (!number || *number < 0 || *number > 65535) return Error("Invalid master port");
    for (const unsigned char c : words[0])
      if (c <= ' ' || c == '"' || c == 0x7f) return Error("Invalid master host");
    host = words[0];
    port = int(*number);
    return Status::ok();
  };
  const auto get = [&host, &port] { return host.empty() ? std::string() : fmt::format("{} {}", host, port); };
  const auto lines = [get]() -> std::vector<std::string> {
    if (const std::string value = get(); !value.empty()) return {value};
    return {};
  };
  return special_option(with_words(row), "host and port", set, get, lines);
}

Option hz_option(const OptionRow& row, int& value) {
  Option option = integer_option(row, value, 0, std::numeric_limits<int>::max());
  option.domain = "1 to 500";
  option.set = [&value, set = option.set](const OptionWords& words) -> Status {
    Status status = set(words);
    if (status) value = std::min(std::max(value, 1), 500);
    return status;
  };
  return option;
}

Option always_off_option(const OptionRow& row, bool& value, std::string_view reason) {
  Option option = bool_option(row, value);
  option.set = [&value, set = option.set, reason = std::string(reason)](const OptionWords& words) -> Status {
    if (Status status = set(words); !status) return status;
    if (!value) return Status::ok();
    value = false;
    return Error(reason);
  };
  option.domain = "no";
  return option;
}

Status check_proc_title(std::string_view text) {
  const Error invalid("template format is invalid or contains unknown variables");
  if (text.empty()) return invalid;
  while (!text.empty()) {
    const size_t open = text.find('{');
    if (open == std::string_view::npos) return Status::ok();
    const size_t close = text.find('}', open);
    if (close == std::string_view::npos) return invalid;
    const std::string_view name = text.substr(open + 1, close - open - 1);
    bool is_known = false;
    for (std::string_view known : {"title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"})
      is_known |= known == name;
    if (!is_known) return invalid;
    text.remove_prefix(close + 1);
  }
  return Status::ok();
}

Status check_dbfilename(std::string_view text) { return check_no_path("dbfilename", text, "filename"); }
Status check_appendfilename(std::string_view text) { return check_name("appendfilename", text, "filename"); }
Status check_appenddirname(std::string_view text) { return check_name("appenddirname", text, "dirname"); }

Status check_hostname(std::string_view text) {
  if (text.size() >= 256) return Error("Hostnames must be less than 256 characters");
  for (char c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.')
      return Error("Hostnames may only contain alphanumeric characters, hyphens or dots");
  return Status::ok();
}

}  // namespace vedette
