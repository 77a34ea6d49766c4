// Binding and listening, for TCP and unix sockets.
#include "common/net/listener.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vedette {
namespace {

Error listen_failure(const std::string& where, int code) { return Error(where + ": " + uv_strerror(code)); }

// "*" is every IPv4 address, "::*" every IPv6 one.
Status resolve(const std::string& host, int port, sockaddr_storage& address) {
  const std::string node = host == "*" ? "0.0.0.0" : host == "::*" ? "::" : host;
  if (uv_ip4_addr(node.c_str(), port, reinterpret_cast<sockaddr_in*>(&address)) == 0) return Status::ok();
  if (uv_ip6_addr(node.c_str(), port, reinterpret_cast<sockaddr_in6*>(&address)) == 0) return Status::ok();
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  if (const int code = getaddrinfo(node.c_str(), std::to_string(port).c_str(), &hints, &found))
    return Error(host + ": " + gai_strerror(code));
  std::memcpy(&address, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return Status::ok();
}

bool set_mark(const uv_handle_t* handle, uint32_t mark) {
  uv_os_fd_t fd = -1;
#ifdef SO_MARK
  return uv_fileno(handle, &fd) == 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
#else
  errno = ENOTSUP;
  return handle && fd >= 0;
#endif
}

}  // namespace

void Listener::Closer::operator()(Handle* handle) const {
  handle->handle.data = nullptr;
  uv_close(&handle->handle, [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

Listener::Listener(Stream::Kind kind, OnConnection on_connection)
    : handle_(new Handle), kind_(kind), on_connection_(std::move(on_connection)) {}

Listener::~Listener() {
  if (!path_.empty()) unlink(path_.c_str());
}

Status Listener::listen(int backlog, const std::string& where) {
  handle_->handle.data = this;
  const int code = uv_listen(&handle_->stream, backlog, [](uv_stream_t* stream, int status) {
    auto* self = static_cast<Listener*>(stream->data);
    if (self && status == 0) self->waiting_ = !self->on_connection_(self->kind_, stream);
  });
  return code ? Status(listen_failure(where, code)) : Status::ok();
}

void Listener::resume() {
  if (waiting_) waiting_ = !on_connection_(kind_, &handle_->stream);
}

Result<std::unique_ptr<Listener>> Listener::tcp(Loop& loop, const std::string& host, int port, int backlog, uint32_t mark,
                                                OnConnection on_connection, Stream::Kind kind) {
  const std::string where = host + ":" + std::to_string(port);
  sockaddr_storage address{};
  if (Status status = resolve(host, port, address); !status) return status.error();
  std::unique_ptr<Listener> listener(new Listener(kind, std::move(on_connection)));
  uv_tcp_t* tcp = &listener->handle_->tcp;
  VED_ASSERT(uv_tcp_init(loop.raw(), tcp) == 0);
  const unsigned flags = address.ss_family == AF_INET6 ? unsigned(UV_TCP_IPV6ONLY) : 0u;
  if (const int code = uv_tcp_bind(tcp, reinterpret_cast<sockaddr*>(&address), flags)) return listen_failure(where, code);
  if (mark && !set_mark(reinterpret_cast<uv_handle_t*>(tcp), mark)) return Error(where + ": socket-mark-id: " + std::strerror(errno));
  if (Status status = listener->listen(backlog, where); !status) return status.error();
  int size = sizeof address;
  uv_tcp_getsockname(tcp, reinterpret_cast<sockaddr*>(&address), &size);
  listener->port_ = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);  // the same place in both families
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::unix_socket(Loop& loop, const std::string& path, unsigned mode, int backlog,
                                                        OnConnection on_connection) {
  std::unique_ptr<Listener> listener(new Listener(Stream::Kind::kUnix, std::move(on_connection)));
  VED_ASSERT(uv_pipe_init(loop.raw(), &listener->handle_->pipe, 0) == 0);
  unlink(path.c_str());
  if (const int code = uv_pipe_bind(&listener->handle_->pipe, path.c_str())) return listen_failure(path, code);
  listener->path_ = path;
  if (Status status = listener->listen(backlog, path); !status) return status.error();
  if (mode) chmod(path.c_str(), mode_t(mode));
  return listener;
}

}  // namespace vedette
