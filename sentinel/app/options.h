// Every option of vedette-sentinel that is not a `sentinel ...` directive: values in plain structs, and the rows that name,
// bound and document them. The directives are the monitor's; here is only their documentation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/app/options.h"
#include "common/app/tls_options.h"
#include "common/app/user_options.h"
#include "common/config/registry.h"

namespace vedette::sentinel {

struct SentinelOptions {
  // Out of the box a sentinel is reached by its fellows on other hosts, as everybody who runs several expects.
  struct Network : ListenOptions {
    Network() {
      port = 26379;
      protected_mode = false;
    }
    std::string bind_source_addr;
    int64_t maxclients = 10000;
    OutputBufferLimits output_buffer_limits = kDefaultOutputBufferLimits;
  };
  struct Process : LogOptions {
    bool daemonize = false;
    Supervised supervised = Supervised::kNo;
    std::string pidfile;
    std::string dir;
    bool always_show_logo = false;
    bool crash_log_enabled = true;
    bool set_proc_title = true;
  };
  Network network;
  TlsOptions tls;
  Process process;
  UserOptions security;
};

/// The last group is what is accepted for other programs' sake. Without `sentinel` itself: whoever reads a file takes those lines out before (configuration.h).
std::vector<OptionGroup> sentinel_option_groups(SentinelOptions& options);

/// A `sentinel ...` directive as conf/sentinel.conf tells of it.
struct DirectiveDoc {
  std::string_view name;     ///< without "sentinel"
  std::string_view usage;    ///< the words after the name
  std::string_view unit;     ///< empty: none
  std::string_view initial;  ///< the default, in words
  std::string_view doc;      ///< what it does, and why the default is what it is
  std::string_view example;  ///< the words of the example's line after the name; empty: the line is shown as a comment
  bool learned = false;      ///< written by the program
};
const std::vector<DirectiveDoc>& directive_docs();

/// The text of conf/sentinel.conf: one of three hosts.
std::string documented_configuration();

}  // namespace vedette::sentinel
