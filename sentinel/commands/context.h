// What a handler sees: its arguments, the reply it owes, and the sentinel. One per call; nothing in it outlives the call.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "common/command/errors.h"
#include "common/resp/reply_writer.h"
#include "sentinel/commands/state.h"

namespace vedette::sentinel {

using Arguments = std::span<const std::string_view>;

class CommandContext {
 public:
  CommandContext(SentinelState& state, Session& caller, const SentinelCommandTable::Entry& entry, Arguments args, const Now& now,
                 const std::string* found_name = nullptr)
      : sentinel(state),
        monitor(state.monitor),
        session(caller),
        command(entry),
        args_(args),
        now_(now),
        reply_(caller.output, caller.resp),
        found_name_(found_name) {}
  CommandContext(const CommandContext&) = delete;
  CommandContext& operator=(const CommandContext&) = delete;

  SentinelState& sentinel;
  Monitor& monitor;
  Session& session;
  const SentinelCommandTable::Entry& command;

  size_t argc() const { return args_.size(); }
  std::string_view arg(size_t i) const { return args_[i]; }
  std::string text(size_t i) const { return std::string(args_[i]); }
  Arguments args() const { return args_; }
  const CommandIndex& commands() const { return sentinel.commands; }
  AccessControl& access() { return *sentinel.access; }
  ReplyWriter& reply() { return reply_; }
  const Now& now() const { return now_; }
  /// How long ago, in milliseconds; 0 if it never was.
  int64_t ms_since(Instant at) const { return at == Instant{} ? 0 : std::max<int64_t>(0, ms_between(at, now_.instant)); }

  /// The reply tells of a state: it may leave when that version is on disk. What changes the state awaits it by itself.
  void await_state(uint64_t version) { awaited_ = std::max(awaited_, version); }
  /// The reply promises nothing about the state that the command has changed.
  void await_nothing() { awaits_changes_ = false; }
  uint64_t awaited_state() const { return awaited_; }
  bool awaits_changes() const { return awaits_changes_; }

  /// The reply: OK when all of the state is on disk, an error if writing it fails.
  void ok_when_saved() {
    when_saved_ = true;
    reply_.ok();
  }
  bool when_saved() const { return when_saved_; }

  /// The address of a name that await_name() has asked for, empty if there is none; null: it has not been asked for.
  const std::string* found_name() const { return found_name_; }
  /// The request is run again when the name has been looked up, for this time it changes nothing and answers nothing.
  void await_name(std::string host) {
    awaited_name_ = std::move(host);
    reply_.none();
  }
  const std::string& awaited_name() const { return awaited_name_; }

  /// What was written are push messages: CLIENT REPLY OFF does not silence them.
  void wrote_pushes() {
    pushes_ = true;
    reply_.none();
  }
  bool pushes() const { return pushes_; }

 private:
  Arguments args_;
  Now now_;
  ReplyWriter reply_;
  uint64_t awaited_ = 0;
  bool awaits_changes_ = true;
  bool pushes_ = false;
  bool when_saved_ = false;
  const std::string* found_name_;
  std::string awaited_name_;
};

namespace errors {

using vedette::errors::not_an_integer;
using vedette::errors::syntax;
using vedette::errors::wrong_argument_count;
using vedette::errors::wrong_subcommand_arguments;
inline Error no_such_primary() { return failure("No such master with that name"); }

}  // namespace errors

/// Names, addresses and passwords become words of lines in files and of messages between sentinels.
inline bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace vedette::sentinel
