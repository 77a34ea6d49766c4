// An outgoing connection: bytes as they come, one read a turn, so that a peer that sends without end does not keep the other
// clients waiting.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/net/stream.h"

namespace vedette {

struct LinkEvents {
  std::function<void(const std::string& failure)> on_connected;
  std::function<void(std::string_view bytes)> on_bytes;
  std::function<bool()> wants_bytes;
  std::function<void(const std::string& reason)> on_closed;
};

/// With `tls`, what is sent and heard goes through TLS; `host` is then whom the certificate may have to name.
/// Not to be destroyed from within its events: disown() it, and destroy it later.
class Link final : public StreamOwner {
 public:
  Link(Loop& loop, const std::string& host, int port, const std::string& source, LinkEvents events,
       std::shared_ptr<const TlsContext> tls = nullptr);
  ~Link() override;

  void send(std::string_view bytes);
  size_t unsent() const { return waiting_.size() + in_flight_.size(); }
  std::string local_address() const { return connected_ ? stream_.local_address() : "?:0"; }
  /// No event is told any more.
  void disown() { disowned_ = true; }
  void set_no_delay(bool on) { stream_.set_no_delay(on); }
  void set_keep_alive(unsigned seconds) { stream_.set_keep_alive(seconds); }

  // StreamOwner
  std::span<char> on_room_wanted() override;
  void on_bytes(size_t size) override;
  void on_end(const char* reason) override;
  void on_written(bool failed) override;
  void on_connected(const std::string& failure) override;

 private:
  static constexpr size_t kRoomBytes = 128 * 1024;
  void before_wait();
  void close(const std::string& reason);

  Stream stream_;
  LinkEvents events_;
  std::unique_ptr<char[]> room_;
  std::string waiting_, in_flight_;
  bool connected_ = false, gone_ = false, disowned_ = false;
  bool read_ = false;  // in this turn
  TurnHooks hooks_;
};

}  // namespace vedette
