// vedette-server --check-rdb FILE: reads a snapshot through without keeping it, and says what it holds or
// where it is damaged.
#pragma once

#include <cstdio>
#include <string>

namespace vedette {

/// Prints what it finds to `out`. Returns the exit code: 0 if the file is whole, 1 if not.
int check_rdb(const std::string& path, std::FILE* out);

}  // namespace vedette
