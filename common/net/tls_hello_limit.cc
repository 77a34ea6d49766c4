// Follows records and messages by their headers alone.
#include "common/net/tls_hello_limit.h"

#include <algorithm>

namespace vedette {
namespace {

constexpr uint8_t kChangeCipherSpec = 20, kHandshake = 22, kClientHello = 1;

}  // namespace

bool TlsHelloLimit::take(std::string_view bytes, bool is_tls13) {
  while (watching_ && !bytes.empty()) {
    if (record_left_ == 0) {
      record_[record_bytes_++] = uint8_t(bytes.front());
      bytes.remove_prefix(1);
      if (record_bytes_ == sizeof record_) begin_record(is_tls13);
      continue;
    }
    const std::string_view part = bytes.substr(0, record_left_);
    if (record_[0] == kHandshake && !take_messages(part)) return false;
    bytes.remove_prefix(part.size());
    record_left_ -= uint32_t(part.size());
  }
  return true;
}

// What is enciphered is no first message any more. Before TLS 1.3 that is what follows a ChangeCipherSpec.
void TlsHelloLimit::begin_record(bool is_tls13) {
  record_bytes_ = 0;
  record_left_ = uint32_t(record_[3]) << 8 | record_[4];
  const bool ends = record_[0] == kChangeCipherSpec && seen_ && !is_tls13;
  if (ends || record_[0] < kChangeCipherSpec || record_[0] > kHandshake) watching_ = false;
}

bool TlsHelloLimit::take_messages(std::string_view part) {
  while (!part.empty()) {
    if (message_left_ > 0) {
      const size_t size = std::min<size_t>(message_left_, part.size());
      part.remove_prefix(size);
      message_left_ -= uint32_t(size);
      continue;
    }
    message_[message_bytes_++] = uint8_t(part.front());
    part.remove_prefix(1);
    if (message_bytes_ < sizeof message_) continue;
    message_bytes_ = 0;
    seen_ = true;
    message_left_ = uint32_t(message_[1]) << 16 | uint32_t(message_[2]) << 8 | message_[3];
    if (message_[0] != kClientHello) watching_ = false;
    if (!watching_) return true;
    if (message_left_ > kBytesMax) return false;
  }
  return true;
}

}  // namespace vedette
