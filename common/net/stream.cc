// Reading into memory that the owner names, writing from it.
#include "common/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace vedette {
namespace {

constexpr size_t kPiecesMax = 64;

size_t to_buffers(std::span<const std::string_view> pieces, uv_buf_t (&buffers)[kPiecesMax]) {
  const size_t count = std::min(pieces.size(), kPiecesMax);
  for (size_t i = 0; i < count; i++) buffers[i] = uv_buf_init(const_cast<char*>(pieces[i].data()), unsigned(pieces[i].size()));
  return count;
}

std::string address_text(const sockaddr_storage& address) {
  char host[64] = "?";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    uv_ip4_name(&v4, host, sizeof host);
    return std::string(host) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  uv_ip6_name(&v6, host, sizeof host);
  return "[" + std::string(host) + "]:" + std::to_string(ntohs(v6.sin6_port));
}

bool is_end_by_peer(int code) { return code == UV_EOF || code == UV_ECONNRESET || code == UV_EPIPE; }

std::string pipe_path(const uv_pipe_t* pipe, int (*get)(const uv_pipe_t*, char*, size_t*)) {
  char path[256];
  size_t size = sizeof path;
  return get(pipe, path, &size) == 0 ? std::string(path, size) : std::string();
}

}  // namespace

void Stream::Closer::operator()(Handle* handle) const {
  handle->self = nullptr;
  uv_close(&handle->handle, [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

Stream::Stream(Loop& loop, Kind kind, StreamOwner& owner) : loop_(loop), owner_(owner), kind_(kind) { renew_handle(); }

void Stream::renew_handle() {
  handle_.reset(new Handle);
  Handle* handle = handle_.get();
  const int code = kind_ == Kind::kUnix ? uv_pipe_init(loop_.raw(), &handle->pipe, 0) : uv_tcp_init(loop_.raw(), &handle->tcp);
  VED_ASSERT(code == 0);
  handle->handle.data = handle;
  handle->self = this;
}

bool Stream::accept(uv_stream_t* listener) {
  if (uv_accept(listener, &handle_->stream) != 0) return false;
  if (tls_) tls_begin_accepted();
  return true;
}

void Stream::start_reading() {
  if (reading_) return;
  reading_ = true;
  if (tls_) tls_read_on();
  else start_uv_reading();
}

void Stream::start_uv_reading() {
  uv_read_start(
      &handle_->stream, [](uv_handle_t* handle, size_t, uv_buf_t* buffer) { static_cast<Handle*>(handle->data)->self->on_room(buffer); },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
        if (Stream* self = static_cast<Handle*>(stream->data)->self) self->on_read(size, buffer->base);
      });
}

void Stream::on_room(uv_buf_t* buffer) {
  if (tls_) return tls_on_room(buffer);
  const std::span<char> room = owner_.on_room_wanted();
  *buffer = uv_buf_init(room.data(), unsigned(std::min<size_t>(room.size(), 1u << 30)));
}

void Stream::on_read(ssize_t size, const char* bytes) {
  if (size == 0 || size == UV_ENOBUFS) return;
  if (size < 0) ended_by_peer_ = is_end_by_peer(int(size));
  if (tls_) return tls_on_read(size, bytes);
  if (size > 0) return owner_.on_bytes(size_t(size));
  owner_.on_end(size == UV_EOF ? "closed by the peer" : uv_strerror(int(size)));
}

void Stream::stop_reading() {
  if (!reading_) return;
  reading_ = false;
  if (tls_) tls_stop_reading();
  else uv_read_stop(&handle_->stream);
}

bool Stream::writing() const { return tls_ ? tls_writing() : handle_->writing; }

long Stream::try_write(std::span<const std::string_view> pieces) {
  if (tls_) return tls_try_write(pieces);
  uv_buf_t buffers[kPiecesMax];
  const size_t count = to_buffers(pieces, buffers);
  return try_write_buffers(buffers, count);
}

long Stream::try_write_buffers(const uv_buf_t* buffers, size_t count) {
  const int wrote = uv_try_write(&handle_->stream, buffers, unsigned(count));
  if (wrote == UV_EAGAIN) return 0;
  if (wrote >= 0) return wrote;
  ended_by_peer_ = is_end_by_peer(wrote);
  return -1;
}

void Stream::write(std::span<const std::string_view> pieces) {
  if (tls_) return tls_write(pieces);
  VED_ASSERT(!handle_->writing);
  uv_buf_t buffers[kPiecesMax];
  write_buffers(buffers, to_buffers(pieces, buffers));
}

void Stream::write_buffers(const uv_buf_t* buffers, size_t count) {
  handle_->writing = true;
  handle_->request.data = handle_.get();
  uv_write(&handle_->request, &handle_->stream, buffers, unsigned(count), [](uv_write_t* request, int status) {
    auto* handle = static_cast<Handle*>(request->data);
    handle->writing = false;
    Stream* self = handle->self;
    if (!self) return;
    if (self->tls_) return self->tls_on_written(status < 0);
    self->owner_.on_written(status < 0);
  });
}

void Stream::set_no_delay(bool on) {
  if (kind_ != Kind::kUnix) uv_tcp_nodelay(&handle_->tcp, on);
}

void Stream::set_keep_alive(unsigned seconds) {
  if (kind_ == Kind::kUnix) return;
  uv_tcp_keepalive(&handle_->tcp, seconds > 0, seconds);
  if (seconds == 0) return;
  // Three probes within the time of one interval, as operators know tcp-keepalive.
  const int fd = descriptor(), interval = std::max(1, int(seconds) / 3), probes = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

std::string Stream::peer_address() const {
  if (kind_ == Kind::kUnix) return pipe_path(&handle_->pipe, uv_pipe_getsockname) + ":0";
  sockaddr_storage address{};
  int size = sizeof address;
  if (uv_tcp_getpeername(&handle_->tcp, reinterpret_cast<sockaddr*>(&address), &size)) return "?:0";
  return address_text(address);
}

std::string Stream::local_address() const {
  if (kind_ == Kind::kUnix) return pipe_path(&handle_->pipe, uv_pipe_getsockname) + ":0";
  sockaddr_storage address{};
  int size = sizeof address;
  if (uv_tcp_getsockname(&handle_->tcp, reinterpret_cast<sockaddr*>(&address), &size)) return "?:0";
  return address_text(address);
}

int Stream::descriptor() const {
  uv_os_fd_t fd = -1;
  return uv_fileno(&handle_->handle, &fd) == 0 ? fd : -1;
}

}  // namespace vedette
