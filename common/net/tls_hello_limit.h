// How long a client's first message may be. OpenSSL makes room for a ClientHello when it is announced, for
// one of 128 KiB too, and nobody knows yet who announces it. So what is announced is looked at before OpenSSL
// sees it: also where the message is cut into records, and where it is said a second time because the server
// has asked for that.
//
// Source: RFC 8446, sections 4 and 5.1, and appendix D.4 for the ChangeCipherSpec between the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vedette {

class TlsHelloLimit {
 public:
  /// An honest one has some hundred bytes, or some thousand with a session's ticket and keys for the time
  /// after quantum computers.
  static constexpr size_t kBytesMax = 8 * 1024;

  /// The next bytes that came from the client. `is_tls13`: that is the version that has been agreed on so
  /// far. False: a longer message is announced.
  [[nodiscard]] bool take(std::string_view bytes, bool is_tls13);

 private:
  void begin_record(bool is_tls13);
  bool take_messages(std::string_view part);

  uint32_t record_left_ = 0, message_left_ = 0;
  uint8_t record_[5], message_[4];  // headers
  uint8_t record_bytes_ = 0, message_bytes_ = 0;
  bool seen_ = false;  // a whole header of a message
  bool watching_ = true;
};

}  // namespace vedette
