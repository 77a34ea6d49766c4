// Names of the words, and what is an address.
#include "sentinel/core/types.h"

#include <arpa/inet.h>

namespace vedette::sentinel {

bool is_ip_address(std::string_view host) {
  unsigned char bytes[sizeof(in6_addr)];
  const std::string text(host);
  return host.find('\0') == host.npos && (inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1);
}

bool is_host(std::string_view host) {
  constexpr size_t kNameMax = 255;
  if (is_ip_address(host)) return true;
  bool letters = false;
  for (const char c : host) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_') return false;
    letters |= letter;
  }
  // Of digits and dots alone it would be an address, and a wrong one.
  return letters && host.size() <= kNameMax;
}

std::string_view wire_name(Kind kind) {
  switch (kind) {
    case Kind::kPrimary: return "master";
    case Kind::kReplica: return "slave";
    case Kind::kSentinel: break;
  }
  return "sentinel";
}

}  // namespace vedette::sentinel
