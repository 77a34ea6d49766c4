// One connection's TLS as a machine of bytes: what came from the peer goes in and plaintext comes out, plaintext goes in and what
// shall be sent to the peer comes out. No socket, no clock, no waiting: whoever owns it moves the bytes.
//
//   kHandshake   keys are being agreed on; nothing is deciphered or enciphered yet
//   kOpen        both directions carry plaintext
//   kEnded       the peer has said that nothing more comes
//   kFailed      failure() says why; outgoing() may still hold a last word for the peer
//
// Nothing is copied but what OpenSSL copies: it takes the peer's bytes from where they lie, and writes plaintext where it is
// wanted. A channel that waits holds no buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/net/tls_context.h"

struct ssl_st;
struct bio_st;
struct bio_method_st;

namespace vedette {

class TlsChannel {
 public:
  enum class State : uint8_t { kHandshake, kOpen, kEnded, kFailed };

  /// The side is the context's. `host` (of a client): the name or address that is connected to.
  explicit TlsChannel(std::shared_ptr<const TlsContext> context, const std::string& host = {});
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  State state() const { return state_; }
  /// Why it failed, for operators.
  const std::string& failure() const { return failure_; }
  /// "TLSv1.3, TLS_AES_256_GCM_SHA384"; of an open channel.
  std::string description() const;

  /// A client's first words. A server speaks when it has been spoken to.
  void begin();

  /// Takes bytes of the peer's from the front of `bytes`, until they are used up or `room` is full, and says how much plaintext
  /// is in the room now. What is left of `bytes` is to be given again, with more behind it. Plaintext comes from kOpen on: the
  /// call that ends the handshake may leave some for the next.
  size_t receive(std::string_view& bytes, std::span<char> room);
  /// Plaintext that had no room: the next receive() gives it without further bytes.
  bool holds_plaintext() const;
  /// Bytes of a record that is not whole yet: so much more plaintext than bytes may the next receive() give.
  size_t held_bytes() const { return held_; }

  /// Appends `plain`, enciphered, to `to`. kOpen or kEnded only. False: the channel has failed.
  bool encipher(std::string_view plain, std::string& to);

  /// What the channel has to say by itself: handshake, alerts, new keys. Goes to the peer before anything that is enciphered
  /// later; whoever sends it clears it.
  std::string& outgoing() { return outgoing_; }

  /// Says to the peer that nothing more comes, if the handshake has been completed.
  void close();

 private:
  static bio_method_st* bio_method();
  static int on_read(bio_st* bio, char* to, int size);
  static int on_write(bio_st* bio, const char* from, int size);
  static long on_control(bio_st* bio, int command, long number, void* pointer);

  void shake_hands();
  void fail(int code);

  std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_;
  std::string_view input_;            // of the receive() under way
  std::string* target_ = &outgoing_;  // where what OpenSSL writes goes
  std::string outgoing_, failure_;
  size_t held_ = 0;
  int16_t first_byte_ = -1;  // of all that came
  State state_ = State::kHandshake;
};

}  // namespace vedette
