// What execution asks of scripts, which lie in a layer above it (server/scripting): flags before a script runs, what they cost, and
// the libraries of functions, which belong to the dataset.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "server/execution/server_state.h"

namespace vedette {

using Arguments = std::span<const std::string_view>;

struct ScriptFigures {
  uint64_t eval_vm_bytes = 0, function_vm_bytes = 0;  ///< what the interpreters have allocated
  uint64_t script_bytes = 0, library_bytes = 0;       ///< texts and tables beside them
  uint64_t scripts = 0, functions = 0, libraries = 0;
  uint64_t evicted_scripts = 0;  ///< that made room for others
};

/// Libraries that are not in use yet: those of a dataset that is being loaded.
class ScriptLibraries {
 public:
  virtual ~ScriptLibraries() = default;
  virtual Status load(std::string_view code) = 0;
};

class ScriptHost {
 public:
  virtual ~ScriptHost() = default;

  /// The flags by which this call of a command that runs a script is judged: what the script's header declares, else the
  /// command's own.
  virtual uint32_t flags_of(const ServerCommandTable::Entry& command, Arguments args) = 0;
  /// What a script that takes long has others told.
  virtual std::string_view busy_text() const = 0;
  /// The script that stands still ends as soon as it goes on, whatever it has done: nobody will see it.
  virtual void abandon() = 0;

  virtual ScriptFigures figures() const = 0;

  bool allows_all = false;  ///< scripts may call what is not for them: DEBUG SET-DISABLE-DENY-SCRIPTS

  /// The codes of all libraries, in the order in which snapshots have them. Views are good until one changes.
  virtual std::vector<std::string_view> libraries() const = 0;
  /// Adds a library. `replace`: takes the place of one of its name.
  virtual Status load_library(std::string_view code, bool replace) = 0;
  virtual std::unique_ptr<ScriptLibraries> empty_libraries() = 0;
  /// Takes what empty_libraries() has made, and loaded, in the place of all there are.
  virtual void adopt(std::unique_ptr<ScriptLibraries> libraries) = 0;
  virtual void clear_libraries() = 0;
};

}  // namespace vedette
