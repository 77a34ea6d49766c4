// A request as rules are asked about it, and what they answer.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/acl/catalog.h"

namespace vedette {

/// Why a request is refused. Of several reasons the one that stands last here is told.
enum class AclDenial : uint8_t { kNone, kCommand, kKey, kAuth, kChannel };

struct AclDecision {
  AclDenial denial = AclDenial::kNone;
  int argument = 0;  ///< of a key or channel: which
  bool is_permitted() const { return denial == AclDenial::kNone; }
};

/// Finds the keys of a request once, however many rules ask for them. A request whose arguments are not as many
/// as the command takes has neither keys nor channels: the command will refuse it.
class AclRequest {
 public:
  AclRequest(const AclCatalog& catalog, const CommandInfo& info, std::span<const std::string_view> arguments)
      : id(catalog.id_of(info, arguments)),
        command(info.accepts_argument_count(arguments.size()) ? catalog[id] : unfitting()),
        args(arguments) {}

  const int id;
  const AclCommand& command;
  const std::span<const std::string_view> args;

  /// None if the arguments do not fit the command: it will refuse them.
  const std::vector<KeyPosition>& keys() {
    if (!keys_) find_keys(*command.info, args, keys_.emplace());
    return *keys_;
  }

 private:
  static const AclCommand& unfitting() {
    static const AclCommand nothing;
    return nothing;
  }

  std::optional<std::vector<KeyPosition>> keys_;
};

}  // namespace vedette
