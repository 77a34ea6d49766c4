// One option of a server: a declarative row of names, type, bounds, flags and documentation, bound to a
// member of a plain struct. The member's initial value is the option's default, so a default is written down
// once. A row knows how to turn words into the value and the value into text; what CONFIG GET, SET and
// REWRITE, the file and the command line do with the rows is ConfigRegistry's affair (registry.h).
//
// Invariants: what get() prints, set() accepts, and it then prints the same; set() leaves the value alone if
// it fails.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace vedette {

enum OptionFlag : uint32_t {
  kOptionImmutable = 1 << 0,        // settable at start only
  kOptionProtected = 1 << 1,        // CONFIG SET only as enable-protected-configs allows
  kOptionHidden = 1 << 2,           // answers to its exact name, not to a glob
  kOptionSensitive = 1 << 3,        // a secret: no log, slow log or MONITOR shows its value
  kOptionNotWhileLoading = 1 << 4,  // CONFIG SET waits for the end of loading
  kOptionManyWords = 1 << 5,        // takes a list of words, in a file as in one quoted word
  kOptionDirective = 1 << 6,        // a line of the file that is no CONFIG parameter (user, rename-command)
  kOptionNoEffect = 1 << 7,         // accepted, does nothing by design; `note` says why
  kOptionNotBuilt = 1 << 8,         // belongs to a part that this build leaves out: refused, see `note`
  kOptionRereads = 1 << 9,          // names what is read when it is set: setting the same again is a change
};

enum class OptionKind { kBool, kInteger, kOctal, kBytes, kBytesOrPercent, kEnum, kString, kWords };

/// The declarative part of a row.
struct OptionRow {
  std::string_view name;     // as CONFIG GET prints it
  std::string_view aliases;  // further names, separated by blanks
  uint32_t flags = 0;
  std::string_view unit;  // of a number without a unit of its own: "seconds"
  std::string_view doc;   // what it does and why the default is what it is, for conf/*.conf
  std::string_view note;  // why it has no effect or is refused
};

using OptionWords = std::vector<std::string>;

/// A row bound to its value.
struct Option {
  std::string name;
  std::vector<std::string> aliases;
  uint32_t flags = 0;
  OptionKind kind = OptionKind::kString;
  std::string unit;
  std::string doc;
  std::string note;
  std::string domain;  // the values it takes, for the documentation: "0 to 65535", "yes or no"

  /// Takes the words that follow the name. The error's text is the bare reason ("argument must be 'yes' or
  /// 'no'").
  std::function<Status(const OptionWords&)> set;
  /// For a directive whose lines of one file add up (save, user): the second line and on. Empty: set()
  /// replaces.
  std::function<Status(const OptionWords&)> add;
  /// The value as CONFIG GET prints it.
  std::function<std::string()> get;
  /// The value as lines of a file, each without the name; empty to write none.
  std::function<std::vector<std::string>()> lines;
  std::string default_value;  // get() before anything was set

  bool has(OptionFlag flag) const { return flags & flag; }
};

/// A number of bytes, or a share of another number of bytes.
struct BytesOrPercent {
  uint64_t value = 0;
  bool is_percent = false;
  /// The bytes meant, where 100 % are `whole`.
  uint64_t of(uint64_t whole) const { return is_percent ? uint64_t(double(whole) * double(value) / 100) : value; }
};

/// A value of an enumeration and its name. The first name of a value is the one that is printed.
struct EnumName {
  std::string_view name;
  int value = 0;
};

/// Checks a value before it is taken; the error's text is the bare reason.
using StringCheck = Status (*)(std::string_view);

Option bool_option(const OptionRow& row, bool& value);
Option integer_option(const OptionRow& row, int& value, int64_t min, int64_t max);
Option integer_option(const OptionRow& row, int64_t& value, int64_t min, int64_t max);
Option octal_option(const OptionRow& row, int& value, int max);
/// Bytes, with a unit or without; `max` 0 means no bound.
Option bytes_option(const OptionRow& row, uint64_t& value, uint64_t min, uint64_t max);
Option bytes_or_percent_option(const OptionRow& row, BytesOrPercent& value);
Option string_option(const OptionRow& row, std::string& value, StringCheck check = nullptr);
/// `check` sees all words at once and may be empty.
Option words_option(const OptionRow& row, std::vector<std::string>& value, std::function<Status(const OptionWords&)> check = nullptr);
/// An option of its own grammar. Its rewritten form is `lines`, by default the printed value, as one quoted
/// word where it does not take many words.
Option special_option(const OptionRow& row, std::string_view domain, std::function<Status(const OptionWords&)> set,
                      std::function<std::string()> get, std::function<std::vector<std::string>()> lines = nullptr);
/// A directive of the file only: each line goes to `add`.
Option directive(const OptionRow& row, std::string_view domain, std::function<Status(const OptionWords&)> add);

namespace option_detail {
Option enum_option(const OptionRow& row, std::vector<EnumName> names, std::function<void(int)> assign, std::function<int()> current);
}  // namespace option_detail

template <class Enum>
struct EnumValue {
  std::string_view name;
  Enum value;
};

template <class Enum>
Option enum_option(const OptionRow& row, Enum& value, std::initializer_list<EnumValue<Enum>> names) {
  std::vector<EnumName> plain;
  for (const EnumValue<Enum>& name : names) plain.push_back({name.name, int(name.value)});
  return option_detail::enum_option(
      row, std::move(plain), [&value](int number) { value = Enum(number); }, [&value] { return int(value); });
}

/// The shortest exact form with a unit: 268435456 is "256mb", 1000 is "1000".
std::string print_bytes(uint64_t bytes);
/// "argument must be between 0 and 10 inclusive"
Error out_of_bounds(int64_t min, int64_t max);
inline Error wrong_number_of_arguments() { return Error("wrong number of arguments"); }

}  // namespace vedette
