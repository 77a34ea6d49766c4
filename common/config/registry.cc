// CONFIG GET and SET over the rows, and what is said of options at the start.
#include "common/config/registry.h"

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/text.h"

namespace vedette {

namespace {

constexpr std::string_view kBadDirective = "Bad directive or wrong number of arguments";

Error set_failed(std::string_view name, std::string_view reason) {
  return failure(fmt::format("CONFIG SET failed (possibly related to argument '{}') - {}", name, reason));
}

bool is_glob(std::string_view pattern) { return pattern.find_first_of("*?[") != std::string_view::npos; }

}  // namespace

OptionWords option_words(const Option& option, std::string_view value) {
  if (!option.has(kOptionManyWords)) return {std::string(value)};
  OptionWords words;
  // Single blanks separate: two in a row enclose an empty word, which the options refuse.
  while (!value.empty()) {
    const size_t blank = value.find(' ');
    words.emplace_back(value.substr(0, blank));
    if (blank == std::string_view::npos) break;
    value.remove_prefix(blank + 1);
    if (value.empty()) words.emplace_back();
  }
  return words;
}

ConfigRegistry::ConfigRegistry(std::vector<OptionGroup> groups) : groups_(std::move(groups)) {
  each([this](const Option& option) {
    bool is_new = by_name_.emplace(to_lower(option.name), &option).second;
    VED_ASSERT(is_new);
    for (const std::string& alias : option.aliases) {
      is_new = by_name_.emplace(to_lower(alias), &option).second;
      VED_ASSERT(is_new);
    }
    VED_ASSERT(option.note.empty() == !(option.flags & (kOptionNoEffect | kOptionNotBuilt)));
  });
}

const Option* ConfigRegistry::find(std::string_view name) const {
  const auto found = by_name_.find(to_lower(name));
  return found == by_name_.end() ? nullptr : found->second;
}

Status ConfigRegistry::load(const ConfigLine& line) {
  VED_ASSERT(!line.words.empty());
  const Option* option = find(line.words[0]);
  if (!option) return Error(std::string(kBadDirective));
  if (option->has(kOptionNotBuilt)) return Error(fmt::format("{}: {}", kBadDirective, option->note));
  OptionWords words(line.words.begin() + 1, line.words.end());
  if (words.size() == 1) words = option_words(*option, words[0]);
  const bool is_first = loaded_.insert(option).second;
  return !is_first && option->add ? option->add(words) : option->set(words);
}

ConfigSink ConfigRegistry::loader() {
  return [this](const ConfigLine& line) { return load(line); };
}

ConfigRegistry::Pairs ConfigRegistry::get(const std::vector<std::string_view>& patterns) const {
  Pairs pairs;
  each([&](const Option& option) {
    if (option.flags & (kOptionDirective | kOptionNotBuilt)) return;
    const auto answer = [&](const std::string& name) {
      for (std::string_view pattern : patterns) {
        const bool matches = is_glob(pattern) ? !option.has(kOptionHidden) && glob_match(pattern, name, true)
                                              : equals_ignoring_case(pattern, name);
        if (!matches) continue;
        pairs.emplace_back(is_glob(pattern) ? name : std::string(pattern), option.get());  // as it was asked for
        return;
      }
    };
    answer(option.name);
    for (const std::string& alias : option.aliases) answer(alias);
  });
  return pairs;
}

Result<std::vector<ConfigRegistry::Change>> ConfigRegistry::checked(const std::vector<std::string_view>& words,
                                                                    const ConfigSetRights& rights) const {
  std::vector<Change> changes;
  bool waits_for_loading = false;
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::string_view name = words[i];
    const Option* option = find(name);
    if (!option || option->flags & (kOptionDirective | kOptionNotBuilt))
      return failure(fmt::format("Unknown option or number of arguments for CONFIG SET - '{}'", name));
    if (option->has(kOptionImmutable)) return set_failed(name, "can't set immutable config");
    if (option->has(kOptionProtected) && !rights.protected_options) return set_failed(name, "can't set protected config");
    for (const Change& other : changes)
      if (equals_ignoring_case(other.asked_name, name)) return set_failed(name, "duplicate parameter");
    waits_for_loading |= rights.loading && option->has(kOptionNotWhileLoading);
    changes.push_back({option, std::string(name), std::string(words[i + 1]), option->get()});
  }
  if (waits_for_loading) return Error("LOADING Redis is loading the dataset in memory");
  return changes;
}

Status ConfigRegistry::set(const std::vector<std::string_view>& words, const ConfigSetRights& rights) {
  if (words.size() % 2) return failure("syntax error");
  auto changes = checked(words, rights);
  if (!changes) return changes.error();
  for (size_t i = 0; i < changes->size(); i++) {
    const Change& change = (*changes)[i];
    Status status = change.option->set(option_words(*change.option, change.value));
    if (status) continue;
    restore(*changes, i);
    return set_failed(to_lower(change.asked_name), status.error().text());
  }
  return apply_hooks(*changes);
}

// Backwards: an option that was set under two names gets its first old value.
void ConfigRegistry::restore(const std::vector<Change>& changes, size_t count) {
  for (size_t i = count; i-- > 0;) {
    const Option& option = *changes[i].option;
    const Status status = option.set(option_words(option, changes[i].old_value));
    VED_ASSERT(status);
  }
}

Status ConfigRegistry::apply_hooks(std::vector<Change>& changes) {
  std::vector<const Hook*> ran;
  for (const Hook& hook : hooks_) {
    const Change* cause = nullptr;
    for (const Change& change : changes)
      if (hook.options.contains(change.option) && (change.option->has(kOptionRereads) || change.option->get() != change.old_value))
        cause = &change;
    if (!cause) continue;
    ran.push_back(&hook);
    const Status status = hook.run();
    if (status) continue;
    restore(changes, changes.size());
    for (const Hook* again : ran)
      if (const Status undone = again->run(); !undone) log_warning("Taking back a failed CONFIG SET failed: {}", undone.error().text());
    return set_failed(to_lower(cause->asked_name), status.error().text());
  }
  return Status::ok();
}

void ConfigRegistry::on_change(const std::vector<std::string_view>& names, std::function<Status()> hook) {
  Hook added;
  for (std::string_view name : names) {
    const Option* option = find(name);
    VED_ASSERT(option);
    added.options.insert(option);
  }
  added.run = std::move(hook);
  hooks_.push_back(std::move(added));
}

void ConfigRegistry::on_any_change(std::function<Status()> hook) {
  Hook added;
  each([&](const Option& option) { added.options.insert(&option); });
  added.run = std::move(hook);
  hooks_.insert(hooks_.begin(), std::move(added));
}

void ConfigRegistry::set_directive_lines(std::string_view name, std::function<std::vector<std::string>()> lines) {
  const Option* option = find(name);
  VED_ASSERT(option && option->has(kOptionDirective));
  directive_lines_[option] = std::move(lines);
}

std::vector<std::string> ConfigRegistry::notices() const {
  std::vector<std::string> lines;
  each([&](const Option& option) {
    if (!option.has(kOptionNoEffect)) return;
    const bool is_set = option.has(kOptionDirective) ? loaded_.contains(&option) : option.get() != option.default_value;
    if (!is_set) return;
    lines.push_back(fmt::format("Option {} is accepted and has no effect: {}", option.name, option.note));
  });
  return lines;
}

bool ConfigRegistry::is_sensitive(std::string_view name) const {
  const Option* option = find(name);
  return !option || option->has(kOptionSensitive);
}

}  // namespace vedette
