// A user: who it is, how it logs in, and what it may do. Rules change it one after the other; compile() makes
// the table that answers most requests in a few instructions. It is larger than all else that is known of
// most users, so only those have it who have logged in.
//
// That table has a route for each command: refused, open, or open if the keys of one range match the patterns
// of one selector. It only ever says "yes" or "ask": whoever is not let through is looked at by all
// selectors, which know the reason too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/acl/matcher.h"
#include "common/acl/selector.h"

namespace vedette {

/// What a user begins with, as acl-pubsub-default says.
struct AclDefaults {
  bool opens_channels = false;
};

class AclUser {
 public:
  /// Off, without a password, and permitted nothing (but perhaps all channels).
  AclUser(const AclCatalog& catalog, std::string name, AclDefaults defaults);
  /// "default": on, without a need for a password, and permitted everything.
  static AclUser make_default(const AclCatalog& catalog);

  const std::string& name() const { return name_; }
  bool is_on() const { return on_; }
  bool needs_no_password() const { return no_password_; }
  bool skips_sanitizing() const { return skip_sanitizing_; }
  /// As 64 hexadecimal digits each.
  const std::vector<std::string>& password_digests() const { return passwords_; }
  /// Its own first.
  const std::vector<AclSelector>& selectors() const { return selectors_; }

  /// Takes a rule of ACL SETUSER; a "(...)" is one rule. On a fault nothing has changed.
  AclFault apply(std::string_view rule, AclDefaults defaults);
  /// The names of its flags: "on", "nopass", "sanitize-payload".
  std::vector<std::string_view> flags() const;
  /// All of it as rules, which make the same user of a new one.
  std::string description() const;

  /// To be called when all rules have been applied, before permits_everything() and permits().
  void compile();
  bool is_compiled() const { return !routes_.empty(); }
  bool permits_everything() const { return permits_everything_; }
  /// Whether the request, whose arguments the command's arity accepts, may run. `id`: of AclCatalog.
  bool permits(int id, std::span<const std::string_view> args) const {
    const Route& route = routes_[size_t(id)];
    if (route.kind == RouteKind::kOneKey && size_t(route.first) < args.size() && matchers_[route.matcher].match(args[size_t(route.first)]))
      return true;
    return route.kind == RouteKind::kOpen || permits_otherwise(route, id, args);
  }
  /// The same with the reason.
  AclDecision decide(AclRequest& request) const;
  /// Whether it may run, and what a selector permits for it, is permitted for all keys.
  bool permits_for_all_keys(AclRequest& request, uint8_t need) const;
  bool permits_channel(std::string_view name, bool is_pattern) const;

 private:
  enum class RouteKind : uint8_t { kRefused, kOpen, kOneKey, kOneRange, kAsk };
  struct Route {
    RouteKind kind = RouteKind::kRefused;
    uint8_t matcher = 0;
    int8_t first = 0, last = 0, step = 1;
  };

  bool range_matches(const Route& route, std::span<const std::string_view> args) const {
    const int argc = int(args.size()), last = route.last < 0 ? argc + route.last : route.last;
    if (last >= argc) return false;
    for (int i = route.first; i <= last; i += route.step)
      if (!matchers_[route.matcher].match(args[size_t(i)])) return false;
    return true;
  }
  bool permits_otherwise(const Route& route, int id, std::span<const std::string_view> args) const;
  Route route_of(int id);
  std::optional<uint8_t> matcher_for(size_t selector, uint8_t need);
  AclFault apply_password_rule(std::string_view rule);
  AclFault add_selector(std::string_view rules, AclDefaults defaults);
  void reset(AclDefaults defaults);

  const AclCatalog* catalog_;
  std::string name_;
  bool on_ = false, no_password_ = false, skip_sanitizing_ = false;
  bool permits_everything_ = false;
  std::vector<std::string> passwords_;
  std::vector<AclSelector> selectors_;
  std::vector<Route> routes_;
  std::vector<AclMatcher> matchers_;
  std::map<std::pair<size_t, uint8_t>, uint8_t> matcher_numbers_;  // by selector and permissions
};

/// The rules with those that open a "(" and those up to its ")" put together. `unmatched`: the last that
/// opens one which is never closed; -1 if there is none.
struct MergedRules {
  std::vector<std::string> rules;
  int unmatched = -1;
};
MergedRules merge_selectors(std::span<const std::string_view> rules);

}  // namespace vedette
