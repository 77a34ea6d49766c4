// Reading once a turn, sending what the socket takes.
#include "common/host/link.h"

#include <utility>

namespace vedette {

Link::Link(Loop& loop, const std::string& host, int port, const std::string& source, LinkEvents events,
           std::shared_ptr<const TlsContext> tls)
    : stream_(loop, tls ? Stream::Kind::kTls : Stream::Kind::kTcp, *this),
      events_(std::move(events)),
      room_(new char[kRoomBytes]),
      hooks_(
          loop, [this] { before_wait(); }, [] {}) {
  if (tls) stream_.use(std::move(tls));
  stream_.connect(host, port, source);
}

Link::~Link() = default;

void Link::send(std::string_view bytes) {
  if (gone_) return;
  if (!connected_ || stream_.writing() || !waiting_.empty()) {
    waiting_ += bytes;
    return;
  }
  const long wrote = stream_.try_write({&bytes, 1});
  if (wrote < 0) {
    gone_ = true;  // told by the read that fails too, or before the loop waits: never from within send()
    return;
  }
  if (size_t(wrote) == bytes.size()) return;
  waiting_.assign(bytes.substr(size_t(wrote)));
  on_written(false);
}

void Link::on_written(bool failed) {
  if (failed) return close("the connection broke while sending");
  in_flight_.clear();
  if (waiting_.empty() || stream_.writing()) return;
  in_flight_.swap(waiting_);
  const std::string_view piece = in_flight_;
  stream_.write({&piece, 1});
}

std::span<char> Link::on_room_wanted() {
  if (read_ || disowned_ || !events_.wants_bytes()) return {};
  return {room_.get(), kRoomBytes};
}

void Link::on_bytes(size_t size) {
  read_ = true;
  if (!disowned_) events_.on_bytes({room_.get(), size});
}

void Link::on_end(const char* reason) { close(reason); }

void Link::on_connected(const std::string& failure) {
  connected_ = failure.empty();
  if (connected_) stream_.start_reading();
  if (!disowned_) events_.on_connected(failure);
}

// A socket that is readable while nothing is wanted would keep the loop from waiting.
void Link::before_wait() {
  read_ = false;
  if (disowned_) return;
  if (gone_) return close("the connection broke while sending");
  if (!connected_) return;
  if (events_.wants_bytes()) stream_.start_reading();
  else stream_.stop_reading();
}

void Link::close(const std::string& reason) {
  stream_.stop_reading();
  connected_ = false;
  gone_ = false;
  if (!disowned_) events_.on_closed(reason);
}

}  // namespace vedette
