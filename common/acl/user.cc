// Rules of a user, its description, and its table of routes.
#include "common/acl/user.h"

#include <algorithm>
#include <limits>

#include "common/base/sha256.h"
#include "common/base/text.h"

namespace vedette {
namespace {

constexpr size_t kDigestDigits = 64;

bool is_digest(std::string_view text) { return text.size() == kDigestDigits && text.find_first_not_of("0123456789abcdef") == text.npos; }

bool fits_a_route(const AclKeyRange& range) {
  constexpr int kMax = std::numeric_limits<int8_t>::max();
  return range.first <= kMax && range.last <= kMax && range.last >= -kMax && range.step <= kMax;
}

}  // namespace

AclUser::AclUser(const AclCatalog& catalog, std::string name, AclDefaults defaults) : catalog_(&catalog), name_(std::move(name)) {
  selectors_.emplace_back(catalog, defaults.opens_channels);
}

AclUser AclUser::make_default(const AclCatalog& catalog) {
  AclUser user(catalog, "default", {});
  for (const std::string_view rule : {"on", "nopass", "~*", "&*", "+@all"}) {
    const AclFault fault = user.apply(rule, {});
    VED_ASSERT(fault == AclFault::kNone);
  }
  user.compile();
  return user;
}

AclFault AclUser::apply(std::string_view rule, AclDefaults defaults) {
  const auto is = [rule](std::string_view word) { return equals_ignoring_case(rule, word); };
  if (rule.empty()) return AclFault::kNone;
  if (is("on") || is("off")) {
    on_ = is("on");
  } else if (is("nopass") || is("resetpass")) {
    no_password_ = is("nopass");
    passwords_.clear();
  } else if (is("sanitize-payload") || is("skip-sanitize-payload")) {
    skip_sanitizing_ = is("skip-sanitize-payload");
  } else if (rule.find_first_of("><#!") == 0) {
    return apply_password_rule(rule);
  } else if (rule.front() == '(' && rule.back() == ')') {
    return add_selector(rule.substr(1, rule.size() - 2), defaults);
  } else if (is("clearselectors")) {
    selectors_.erase(selectors_.begin() + 1, selectors_.end());
  } else if (is("reset")) {
    reset(defaults);
  } else {
    return selectors_[0].apply(rule);
  }
  return AclFault::kNone;
}

AclFault AclUser::apply_password_rule(std::string_view rule) {
  const char sign = rule[0];
  const std::string_view text = rule.substr(1);
  const bool is_plain = sign == '>' || sign == '<';
  if (!is_plain && !is_digest(text)) return AclFault::kBadHash;
  const std::string digest = is_plain ? sha256_hex(text) : std::string(text);
  const auto known = std::find(passwords_.begin(), passwords_.end(), digest);
  if (sign == '<' || sign == '!') {
    if (known == passwords_.end()) return AclFault::kNoSuchPassword;
    passwords_.erase(known);
    return AclFault::kNone;
  }
  if (known == passwords_.end()) passwords_.push_back(digest);
  no_password_ = false;
  return AclFault::kNone;
}

// Quotes that are not balanced leave nothing of what they are in, as every server of the protocol has it.
AclFault AclUser::add_selector(std::string_view rules, AclDefaults defaults) {
  AclSelector selector(*catalog_, defaults.opens_channels);
  for (const std::string& rule : split_words(rules).value_or(std::vector<std::string>()))
    if (const AclFault fault = selector.apply(rule); fault != AclFault::kNone) return fault;
  selectors_.push_back(std::move(selector));
  return AclFault::kNone;
}

void AclUser::reset(AclDefaults defaults) {
  on_ = no_password_ = skip_sanitizing_ = false;
  passwords_.clear();
  selectors_.clear();
  selectors_.emplace_back(*catalog_, defaults.opens_channels);
}

std::vector<std::string_view> AclUser::flags() const {
  std::vector<std::string_view> names{on_ ? "on" : "off"};
  if (no_password_) names.push_back("nopass");
  names.push_back(skip_sanitizing_ ? "skip-sanitize-payload" : "sanitize-payload");
  return names;
}

std::string AclUser::description() const {
  std::string text;
  for (const std::string_view flag : flags()) text += std::string(flag) + ' ';
  for (const std::string& digest : passwords_) text += "#" + digest + ' ';
  text += selectors_[0].description();
  for (size_t i = 1; i < selectors_.size(); i++) text += " " + selectors_[i].enclosed_description();
  return text;
}

void AclUser::compile() {
  permits_everything_ = std::any_of(selectors_.begin(), selectors_.end(), [](const AclSelector& one) { return one.permits_everything(); });
  matchers_.clear();
  matcher_numbers_.clear();
  routes_.resize(size_t(catalog_->size()));
  for (int id = 0; id < catalog_->size(); id++) routes_[size_t(id)] = route_of(id);
}

// Nothing if no pattern grants that, or there are too many to have numbers.
std::optional<uint8_t> AclUser::matcher_for(size_t selector, uint8_t need) {
  const auto known = matcher_numbers_.find({selector, need});
  if (known != matcher_numbers_.end()) return known->second;
  AclMatcher made(selectors_[selector].key_patterns(), need);
  if (made.empty() || matchers_.size() > std::numeric_limits<uint8_t>::max()) return std::nullopt;
  const auto number = uint8_t(matchers_.size());
  matchers_.push_back(std::move(made));
  matcher_numbers_.emplace(std::pair(selector, need), number);
  return number;
}

AclUser::Route AclUser::route_of(int id) {
  const AclCommand& command = (*catalog_)[id];
  Route route;
  for (size_t i = 0; i < selectors_.size(); i++) {
    const AclSelector& selector = selectors_[i];
    if (selector.may_permit(id) && route.kind == RouteKind::kRefused) route.kind = RouteKind::kAsk;
    const bool channels_are_open = selector.permits_all_channels() || command.channels == AclCommand::Channels::kNone;
    if (!selector.permits_command(id) || !channels_are_open) continue;
    if (selector.permits_all_keys() || !command.has_keys) return {.kind = RouteKind::kOpen};
    if (route.kind != RouteKind::kAsk || command.ranges.size() != 1 || !fits_a_route(command.ranges[0])) continue;
    const AclKeyRange& range = command.ranges[0];
    if (const auto matcher = matcher_for(i, range.need))
      route = {range.first == range.last ? RouteKind::kOneKey : RouteKind::kOneRange, *matcher, int8_t(range.first), int8_t(range.last),
               int8_t(range.step)};
  }
  return route;
}

bool AclUser::permits_otherwise(const Route& route, int id, std::span<const std::string_view> args) const {
  if (route.kind == RouteKind::kRefused) return false;
  if (route.kind == RouteKind::kOneRange && range_matches(route, args)) return true;
  AclRequest request(*catalog_, *(*catalog_)[id].info, args);
  return decide(request).is_permitted();
}

// Of several selectors that refuse, the reason of the one that came furthest is told.
AclDecision AclUser::decide(AclRequest& request) const {
  AclDecision told{AclDenial::kCommand, 0};
  for (const AclSelector& selector : selectors_) {
    const AclDecision decision = selector.decide(request);
    if (decision.is_permitted()) return decision;
    const bool is_further = decision.denial == told.denial && decision.argument > told.argument;
    if (decision.denial > told.denial || is_further) told = decision;
  }
  return told;
}

bool AclUser::permits_for_all_keys(AclRequest& request, uint8_t need) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const AclSelector& selector) {
    return selector.decide(request).is_permitted() && selector.permits_for_all_keys(need);
  });
}

bool AclUser::permits_channel(std::string_view name, bool is_pattern) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const AclSelector& one) { return one.permits_channel(name, is_pattern); });
}

MergedRules merge_selectors(std::span<const std::string_view> rules) {
  MergedRules merged;
  int opened = -1;
  for (size_t i = 0; i < rules.size(); i++) {
    const std::string_view rule = rules[i];
    if (opened >= 0) {
      merged.rules.back() += " " + std::string(rule);
    } else {
      merged.rules.emplace_back(rule);
    }
    if (rule.starts_with('(')) opened = int(i);
    if (opened >= 0 && rule.ends_with(')')) opened = -1;
  }
  merged.unmatched = opened;
  return merged;
}

}  // namespace vedette
