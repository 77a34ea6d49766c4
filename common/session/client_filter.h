// Which clients CLIENT LIST and CLIENT KILL mean: conditions that must all hold. What every program's sessions can be asked is
// here; a program adds the conditions of its own.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "common/acl/users.h"
#include "common/base/result.h"
#include "common/session/client_registry.h"

namespace vedette {

class ClientFilter {
 public:
  using Test = std::function<bool(const Session&)>;
  /// The test of one condition. A name that it does not know it hands to known_test().
  using MakeTest = std::function<Result<Test>(std::string_view name, std::string_view value)>;
  enum class Purpose { kList, kKill };

  /// Reads the options of a request. The filter views them. `negations`: a condition may have a NOT- form.
  static Result<ClientFilter> parse(std::span<const std::string_view> options, Purpose purpose, bool negations, const MakeTest& make_test);
  /// ADDR, LADDR, NAME, USER and MAXAGE; a syntax error for any other.
  static Result<Test> known_test(std::string_view name, std::string_view value, Instant now, const AclUsers& users);

  /// The clients that match, oldest first; those that are being closed already are none any more. `beside`: one that counts
  /// among them though it is in no registry, or null.
  std::vector<Session*> select(const ClientRegistry& clients, const Session& caller, Session* beside = nullptr) const;

 private:
  struct Condition {
    Test test;
    bool wanted;
  };
  Status parse_ids(std::span<const std::string_view> options, size_t& at, bool wanted, Purpose purpose);
  bool matches(const Session& session) const;

  std::vector<Condition> conditions_;
  bool skip_self_ = false;
};

/// The client whose peer has this address, or null. `beside`: as for ClientFilter::select().
Session* client_at(const ClientRegistry& clients, std::string_view address, Session* beside = nullptr);

/// "maxage should be greater than 0" and the like.
Result<int64_t> positive_seconds(std::string_view name, std::string_view value);

}  // namespace vedette
