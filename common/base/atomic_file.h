// Replacing a file so that whoever reads it, after a crash too, finds the old text or the new one, whole.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace vedette {

/// A temporary file beside it, fsync, rename, fsync of the folder: once this is ok, the text outlives a crash. Keeps the
/// file's mode (a new one gets `new_mode`); follows a symbolic link. On an error (the system's reason) the old text is still what counts, unless the
/// folder alone could not be synced: then either may be found after a crash. Blocks.
Status replace_file(const std::string& path, std::string_view text, unsigned new_mode = 0644);

}  // namespace vedette
