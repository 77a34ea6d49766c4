// The order of texts in a human language, as the locale of the process has it.
#pragma once

#include <string>
#include <string_view>

namespace vedette {

/// Takes the locale of this name, or the environment's if it is empty. False, and nothing has changed, if there is none.
/// `differs` says whether it orders texts otherwise than by their bytes.
bool set_collation(const std::string& locale, bool& differs);

/// What orders by its bytes as the text does by the locale. A text ends at a zero byte here.
std::string collation_key(std::string_view text);

}  // namespace vedette
