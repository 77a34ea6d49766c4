// What clients say of themselves: connection and library names. They are shown in one line with other fields, so they
// hold no blanks and no control characters.
#pragma once

#include <algorithm>
#include <string_view>

#include "common/base/result.h"
#include "common/session/session.h"

namespace vedette {

inline bool fits_a_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

inline Status check_client_name(std::string_view name) {
  if (!fits_a_line(name)) return failure("Client names cannot contain spaces, newlines or special characters.");
  return Status::ok();
}

}  // namespace vedette
