// All options of a server in one table, and what is done with them: loading lines at the start, CONFIG GET,
// SET and REWRITE, the documented configuration file. The texts of refusals are those that clients of the
// protocol know.
//
// The values live in the structs that the options are bound to; whoever must act when a value changes
// registers a hook. Invariant: set() either changes all values it was given, and every hook agreed, or
// changes none.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/config/config_file.h"
#include "common/config/option.h"

namespace vedette {

/// What holds at the moment of a CONFIG SET.
struct ConfigSetRights {
  bool protected_options = false;  // what enable-protected-configs says of this client
  bool loading = false;            // the data set is being loaded
};

/// The options of one part of a server, under a heading of the documented configuration file.
struct OptionGroup {
  std::string title;
  std::vector<Option> options;
};

class ConfigRegistry {
 public:
  explicit ConfigRegistry(std::vector<OptionGroup> groups);

  /// By any of its names, in any case; null if there is none.
  const Option* find(std::string_view name) const;

  /// Takes one line of a configuration. Lines of one directive add up or replace each other over the whole
  /// start, whichever file they come from. The error's text is the bare reason.
  Status load(const ConfigLine& line);
  ConfigSink loader();

  using Pairs = std::vector<std::pair<std::string, std::string>>;
  /// Names and values that match any of the patterns, each name once, in the table's order. A pattern without
  /// glob characters is a name, and finds hidden options too.
  Pairs get(const std::vector<std::string_view>& patterns) const;

  /// CONFIG SET: `words` are names and values. The error is the reply.
  Status set(const std::vector<std::string_view>& words, const ConfigSetRights& rights);

  /// After a CONFIG SET that changes any of `names` (or sets one of kOptionRereads), `hook` runs once, with the new values in place. If it
  /// fails (its error's text is the bare reason), all values go back and the hooks that had run are run
  /// again.
  void on_change(std::initializer_list<std::string_view> names, std::function<Status()> hook) {
    on_change(std::vector<std::string_view>(names), std::move(hook));
  }
  void on_change(const std::vector<std::string_view>& names, std::function<Status()> hook);

  /// Runs after every CONFIG SET that changes anything, before the hooks of single options.
  void on_any_change(std::function<Status()> hook);

  /// The lines of a directive that CONFIG REWRITE writes (users, say); each without the name. Without this
  /// the lines of the file stay as they are.
  void set_directive_lines(std::string_view name, std::function<std::vector<std::string>()> lines);

  /// The text of a configuration file that has the present values: lines whose effect is already right stay
  /// untouched, others change in place, options that differ from their default and have no line are added at
  /// the end
  /// (`all`: every option).
  std::string rewritten(std::string_view old_text, bool all = false);
  /// CONFIG REWRITE. `path` empty: the server has no file. The error is the reply.
  Status rewrite(const std::string& path, bool all = false);

  /// Options that are set to something else than their default and do nothing: one line for the log each.
  std::vector<std::string> notices() const;
  /// Whether a log must hide the words after this name: what no option is called may be a secret's, mistyped.
  bool is_sensitive(std::string_view name) const;
  /// The configuration file that documents every option with its default.
  std::string documentation(std::string_view head) const;

  const std::vector<OptionGroup>& groups() const { return groups_; }

 private:
  struct Hook {
    std::set<const Option*> options;
    std::function<Status()> run;
  };
  struct Change {
    const Option* option;
    std::string asked_name;
    std::string value;
    std::string old_value;
  };

  Result<std::vector<Change>> checked(const std::vector<std::string_view>& words, const ConfigSetRights& rights) const;
  Status apply_hooks(std::vector<Change>& changes);
  void restore(const std::vector<Change>& changes, size_t count);
  bool says_present_value(const Option& option, const std::vector<OptionWords>& lines) const;
  template <class Visit>
  void each(Visit visit) const {
    for (const OptionGroup& group : groups_)
      for (const Option& option : group.options) visit(option);
  }

  std::vector<OptionGroup> groups_;
  std::map<std::string, const Option*, std::less<>> by_name_;  // all names and aliases
  std::set<const Option*> loaded_;                             // met while loading
  std::map<const Option*, std::function<std::vector<std::string>()>> directive_lines_;
  std::vector<Hook> hooks_;
};

/// The words that a CONFIG SET of `value` gives to the option: one, or what lies between the blanks.
OptionWords option_words(const Option& option, std::string_view value);

}  // namespace vedette
