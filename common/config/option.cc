// Each kind of option: its text, its bounds, its refusals.
#include "common/config/option.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {

namespace {

Option described(const OptionRow& row, OptionKind kind, std::string_view domain) {
  Option option;
  option.name = row.name;
  if (!row.aliases.empty()) option.aliases = *split_words(row.aliases);
  option.flags = row.flags;
  option.kind = kind;
  option.unit = row.unit;
  option.doc = row.doc;
  option.note = row.note;
  option.domain = domain;
  return option;
}

// Fills in what follows from get(): the default, and a rewritten form where the caller has none of its own.
Option finished(Option option) {
  option.default_value = option.get();
  if (!option.lines) option.lines = [get = option.get]() -> std::vector<std::string> { return {quoted_if_needed(get())}; };
  return option;
}

// Most options take exactly one word.
std::function<Status(const OptionWords&)> one_word(std::function<Status(const std::string&)> set) {
  return [set = std::move(set)](const OptionWords& words) -> Status {
    if (words.size() != 1) return wrong_number_of_arguments();
    return set(words[0]);
  };
}

template <class Integer>
Option bound_integer(const OptionRow& row, Integer& value, int64_t min, int64_t max) {
  VED_ASSERT(min <= value && value <= max);
  VED_ASSERT(min >= std::numeric_limits<Integer>::min() && max <= std::numeric_limits<Integer>::max());
  std::string domain = max == std::numeric_limits<Integer>::max() ? fmt::format("{} or more", min) : fmt::format("{} to {}", min, max);
  if (min == std::numeric_limits<Integer>::min()) domain = "an integer";
  Option option = described(row, OptionKind::kInteger, domain);
  option.set = one_word([&value, min, max](const std::string& text) -> Status {
    const auto number = parse_integer(text);
    if (!number) return Error("argument couldn't be parsed into an integer");
    if (*number < min || *number > max) return out_of_bounds(min, max);
    value = Integer(*number);
    return Status::ok();
  });
  option.get = [&value] { return to_text(int64_t(value)); };
  return finished(std::move(option));
}

}  // namespace

Error out_of_bounds(int64_t min, int64_t max) { return Error(fmt::format("argument must be between {} and {} inclusive", min, max)); }

std::string print_bytes(uint64_t bytes) {
  for (const auto& [unit, size] : {std::pair{"gb", 30}, {"mb", 20}, {"kb", 10}})
    if (bytes && bytes % (uint64_t(1) << size) == 0) return fmt::format("{}{}", bytes >> size, unit);
  return fmt::format("{}", bytes);
}

Option bool_option(const OptionRow& row, bool& value) {
  Option option = described(row, OptionKind::kBool, "yes or no");
  option.set = one_word([&value](const std::string& text) -> Status {
    const bool yes = equals_ignoring_case(text, "yes");
    if (!yes && !equals_ignoring_case(text, "no")) return Error("argument must be 'yes' or 'no'");
    value = yes;
    return Status::ok();
  });
  option.get = [&value] { return std::string(value ? "yes" : "no"); };
  return finished(std::move(option));
}

Option integer_option(const OptionRow& row, int& value, int64_t min, int64_t max) { return bound_integer(row, value, min, max); }
Option integer_option(const OptionRow& row, int64_t& value, int64_t min, int64_t max) { return bound_integer(row, value, min, max); }

Option octal_option(const OptionRow& row, int& value, int max) {
  Option option = described(row, OptionKind::kOctal, fmt::format("0 to {:o}, octal", max));
  option.set = one_word([&value, max](const std::string& text) -> Status {
    int number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
    if (code != std::errc() || end != text.data() + text.size()) return Error("argument couldn't be parsed as an octal number");
    if (number < 0 || number > max) return Error(fmt::format("argument must be between 0 and {:o} inclusive", max));
    value = number;
    return Status::ok();
  });
  option.get = [&value] { return fmt::format("{:o}", value); };
  return finished(std::move(option));
}

Option bytes_option(const OptionRow& row, uint64_t& value, uint64_t min, uint64_t max) {
  VED_ASSERT(value >= min && (!max || value <= max));
  // A bound that only the width of a machine word sets tells an operator nothing.
  const bool bounded = max && max < uint64_t(std::numeric_limits<int64_t>::max());
  Option option = described(row, OptionKind::kBytes,
                            bounded ? fmt::format("{} to {} bytes", print_bytes(min), print_bytes(max))
                            : min   ? fmt::format("{} bytes or more", print_bytes(min))
                                    : "bytes, as 1000, 1k, 1kb, 1m, 1mb, 1g or 1gb");
  option.set = one_word([&value, min, max](const std::string& text) -> Status {
    const auto bytes = text.empty() ? std::optional<uint64_t>(0) : parse_bytes(text);  // no number is zero, as elsewhere
    if (!bytes) return Error("argument must be a memory value");
    if (*bytes < min || (max && *bytes > max)) return out_of_bounds(int64_t(min), int64_t(max));
    value = *bytes;
    return Status::ok();
  });
  option.get = [&value] { return fmt::format("{}", value); };
  option.lines = [&value] { return std::vector{print_bytes(value)}; };
  return finished(std::move(option));
}

Option bytes_or_percent_option(const OptionRow& row, BytesOrPercent& value) {
  Option option = described(row, OptionKind::kBytesOrPercent, "bytes, or a share as 5%");
  option.set = one_word([&value](const std::string& text) -> Status {
    const bool is_percent = text.ends_with('%');
    const auto number = is_percent ? parse_unsigned(std::string_view(text).substr(0, text.size() - 1)) : parse_bytes(text);
    if (!number) return Error("argument must be a memory or percent value");
    if (is_percent && *number > 100) return Error("percentage argument must be less or equal to 100");
    value = {*number, is_percent && *number > 0};
    return Status::ok();
  });
  option.get = [&value] { return fmt::format("{}{}", value.value, value.is_percent ? "%" : ""); };
  option.lines = [&value] { return std::vector{value.is_percent ? fmt::format("{}%", value.value) : print_bytes(value.value)}; };
  return finished(std::move(option));
}

Option string_option(const OptionRow& row, std::string& value, StringCheck check) {
  Option option = described(row, OptionKind::kString, "a text");
  option.set = one_word([&value, check](const std::string& text) -> Status {
    if (check)
      if (Status status = check(text); !status) return status;
    value = text;
    return Status::ok();
  });
  option.get = [&value] { return value; };
  // The empty text is how a text that is not set prints: an option whose default it is needs no line then.
  const bool unset_by_default = value.empty();
  option.lines = [&value, unset_by_default]() -> std::vector<std::string> {
    if (value.empty() && unset_by_default) return {};
    return {quoted(value)};
  };
  return finished(std::move(option));
}

Option words_option(const OptionRow& row, std::vector<std::string>& value, std::function<Status(const OptionWords&)> check) {
  OptionRow many = row;
  many.flags |= kOptionManyWords;
  Option option = described(many, OptionKind::kWords, "words, or \"\" for none");
  option.set = [&value, check = std::move(check)](const OptionWords& words) -> Status {
    if (check)
      if (Status status = check(words); !status) return status;
    value = words;
    return Status::ok();
  };
  option.get = [&value] { return fmt::format("{}", fmt::join(value, " ")); };
  option.lines = [&value]() -> std::vector<std::string> {
    if (value.empty()) return {"\"\""};
    std::string line;
    for (const std::string& word : value) line += (line.empty() ? "" : " ") + quoted_if_needed(word);
    return {line};
  };
  return finished(std::move(option));
}

Option special_option(const OptionRow& row, std::string_view domain, std::function<Status(const OptionWords&)> set,
                      std::function<std::string()> get, std::function<std::vector<std::string>()> lines) {
  Option option = described(row, OptionKind::kWords, domain);
  option.set = option.has(kOptionManyWords) ? std::move(set)
                                            : one_word([set = std::move(set)](const std::string& word) { return set({word}); });
  option.get = std::move(get);
  option.lines = std::move(lines);
  if (!option.lines && option.has(kOptionManyWords))
    option.lines = [get = option.get]() -> std::vector<std::string> {
      const std::string value = get();
      return {value.empty() ? "\"\"" : value};
    };
  return finished(std::move(option));
}

Option directive(const OptionRow& row, std::string_view domain, std::function<Status(const OptionWords&)> add) {
  OptionRow only_a_line = row;
  only_a_line.flags |= kOptionDirective | kOptionImmutable;
  Option option = described(only_a_line, OptionKind::kWords, domain);
  option.set = add;
  option.add = std::move(add);
  option.get = [] { return std::string(); };
  option.lines = [] { return std::vector<std::string>(); };
  return finished(std::move(option));
}

namespace option_detail {

Option enum_option(const OptionRow& row, std::vector<EnumName> names, std::function<void(int)> assign, std::function<int()> current) {
  std::string listed;
  for (const EnumName& name : names) listed += (listed.empty() ? "" : ", ") + std::string(name.name);
  Option option = described(row, OptionKind::kEnum, listed);
  const auto known = std::make_shared<const std::vector<EnumName>>(std::move(names));
  option.set = one_word([known, listed, assign = std::move(assign)](const std::string& text) -> Status {
    for (const EnumName& name : *known) {
      if (!equals_ignoring_case(name.name, text)) continue;
      assign(name.value);
      return Status::ok();
    }
    return Error("argument(s) must be one of the following: " + listed);
  });
  option.get = [known, current = std::move(current)]() -> std::string {
    for (const EnumName& name : *known)
      if (name.value == current()) return std::string(name.name);
    VED_ASSERT(!"an option holds a value that has no name");
    return "";
  };
  return finished(std::move(option));
}

}  // namespace option_detail

}  // namespace vedette
