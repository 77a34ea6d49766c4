// The hello: what sentinels tell each other of themselves and of a primary, on a channel of each data node.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sentinel/core/types.h"

namespace vedette::sentinel {

constexpr std::string_view kHelloChannel = "__sentinel__:hello";
constexpr std::string_view kStateChannel = "__vedette__:state";

struct Hello {
  Address sentinel;
  std::string run_id;
  Epoch current_epoch = 0;
  std::string primary_name;
  Address primary;
  Epoch config_epoch = 0;
};

/// "ip,port,runid,epoch,name,ip,port,epoch": exactly eight fields. Nothing if one is no number, a port out of range, a host
/// none (is_host), or the run id not 40 hexadecimal characters.
std::optional<Hello> parse_hello(std::string_view payload);
std::string to_text(const Hello& hello);

}  // namespace vedette::sentinel
