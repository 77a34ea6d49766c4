#include "common/base/collation.h"

#include <clocale>
#include <cstring>

namespace vedette {

bool set_collation(const std::string& locale, bool& differs) {
  const char* name = std::setlocale(LC_COLLATE, locale.c_str());
  if (!name) return false;
  differs = std::strcmp(name, "C") != 0 && std::strcmp(name, "POSIX") != 0;
  return true;
}

std::string collation_key(std::string_view text) {
  const std::string terminated(text);
  std::string key(4 * terminated.size() + 1, '\0');
  size_t size = std::strxfrm(key.data(), terminated.c_str(), key.size());
  if (size >= key.size()) {
    key.resize(size + 1);
    size = std::strxfrm(key.data(), terminated.c_str(), key.size());
  }
  key.resize(size);
  return key;
}

}  // namespace vedette
