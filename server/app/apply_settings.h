// From the options as they are configured to the plain values that execution works with.
#pragma once

#include "server/app/options.h"
#include "server/execution/server_state.h"

namespace vedette {

/// Copies everything that may change at run time. Called at the start and after each CONFIG SET.
void apply_settings(const ServerOptions& options, ServerState& state);

}  // namespace vedette
