// Which clients CLIENT LIST and CLIENT KILL mean: conditions that must all hold. Most have a NOT- form.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "server/execution/context.h"

namespace vedette {

class ClientFilter {
 public:
  /// Reads the options from argument `first` on. The filter views the arguments.
  static Result<ClientFilter> parse(const CommandContext& ctx, size_t first, bool skip_self, std::string_view bad_id);

  bool matches(const Session& session) const;
  bool skips_self() const { return skip_self_; }

  /// The clients that match, oldest first; those that are being closed already are none any more.
  std::vector<Session*> select(const CommandContext& ctx) const;

 private:
  using Test = std::function<bool(const Session&)>;
  struct Condition {
    Test test;
    bool wanted;
  };
  static Result<Test> make_test(const CommandContext& ctx, std::string_view name, std::string_view value);
  Status parse_ids(const CommandContext& ctx, size_t& at, bool wanted, std::string_view bad_id);

  std::vector<Condition> conditions_;
  bool skip_self_ = false;
};

}  // namespace vedette
