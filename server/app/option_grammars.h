// The options of vedette-server that have a grammar of their own.
#pragma once

#include <string>
#include <vector>

#include "server/app/options.h"

namespace vedette {

/// `save 900 1 300 10`; lines of a file add up, an empty one forgets those before it.
Option save_option(const OptionRow& row, std::vector<SavePoint>& value);
/// Letters of event classes, kept in the order in which they are printed.
Option keyspace_events_option(const OptionRow& row, std::string& value);
Option percentiles_option(const OptionRow& row, std::vector<double>& value);
/// A set of: default, save, nosave, now, force.
Option shutdown_option(const OptionRow& row, ShutdownChoice& value);
Option oom_score_values_option(const OptionRow& row, std::array<int, 3>& value);
/// `host port`, or `no one`.
Option primary_option(const OptionRow& row, std::string& host, int& port);
/// Beats a second: what is out of 1 to 500 is moved there.
Option hz_option(const OptionRow& row, int& value);
/// A switch that cannot be turned on.
Option always_off_option(const OptionRow& row, bool& value, std::string_view reason);

Status check_proc_title(std::string_view text);
Status check_dbfilename(std::string_view text);
Status check_appendfilename(std::string_view text);
Status check_appenddirname(std::string_view text);
Status check_hostname(std::string_view text);

}  // namespace vedette
