// See connection.h.
#include "tests/wire/connection.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "tests/wire/waiting.h"

namespace vedette::wire {
namespace {

constexpr timeval kReplyTimeout{kDeadline.count(), 0};
constexpr int kPollMilliseconds = static_cast<int>(std::chrono::milliseconds(kDeadline).count());

std::string show(const redisReply& reply) {
  const std::string text = reply.str != nullptr ? std::string(reply.str, reply.len) : std::string();
  switch (reply.type) {
    case REDIS_REPLY_STATUS: return "+" + text;
    case REDIS_REPLY_ERROR: return "-" + text;
    case REDIS_REPLY_INTEGER: return ":" + std::to_string(reply.integer);
    case REDIS_REPLY_STRING: return "$" + text;
    case REDIS_REPLY_NIL: return "nil";
    default: break;
  }
  std::string items;
  for (size_t i = 0; i < reply.elements; ++i) items += (i == 0 ? "" : ", ") + show(*reply.element[i]);
  return "[" + items + "]";
}

}  // namespace

void Connection::Free::operator()(redisContext* context) const { redisFree(context); }

Connection::Connection(int port) : context_(redisConnectWithTimeout("127.0.0.1", port, kReplyTimeout)) {
  REQUIRE(context_);
  REQUIRE_MESSAGE(context_->err == 0, context_->errstr);
  redisSetTimeout(context_.get(), kReplyTimeout);
}

Connection::Connection(const std::string& unix_path) : context_(redisConnectUnixWithTimeout(unix_path.c_str(), kReplyTimeout)) {
  REQUIRE(context_);
  REQUIRE_MESSAGE(context_->err == 0, context_->errstr);
  redisSetTimeout(context_.get(), kReplyTimeout);
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;

std::string Connection::call(const Arguments& arguments) {
  append(arguments);
  return receive();
}

std::string Connection::operator()(std::string_view line) {
  std::istringstream words{std::string(line)};
  Arguments arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  return call(arguments);
}

void Connection::append(const Arguments& arguments) {
  std::vector<const char*> words;
  std::vector<size_t> sizes;
  for (const std::string& argument : arguments) {
    words.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(), sizes.data());
}

std::string Connection::receive() {
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK) {
    const bool timed_out = context_->err == REDIS_ERR_IO && errno == EAGAIN;
    REQUIRE_MESSAGE(!timed_out, "no reply within the deadline");
    REQUIRE_MESSAGE(context_->err != REDIS_ERR_PROTOCOL, context_->errstr);
    return "closed";
  }
  auto* whole = static_cast<redisReply*>(reply);
  std::string text = show(*whole);
  freeReplyObject(whole);
  return text;
}

RawConnection::RawConnection(int port, const std::string& host) : fd_(-1) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* address = nullptr;
  REQUIRE(getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &address) == 0);
  fd_ = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int connected = connect(fd_, address->ai_addr, address->ai_addrlen);
  freeaddrinfo(address);
  if (connected != 0) {
    close(fd_);
    fd_ = -1;
  }
  REQUIRE_MESSAGE(connected == 0, "cannot connect to port " << port);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kReplyTimeout, sizeof(kReplyTimeout));
}

RawConnection::~RawConnection() {
  if (fd_ >= 0) close(fd_);
}

bool RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    const bool stuck = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    REQUIRE_MESSAGE(!stuck, "the server neither reads nor hangs up");
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

size_t RawConnection::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

// Reads what has come, waiting for something up to the deadline; false when the server has hung up.
bool RawConnection::fill() {
  pollfd waiting{fd_, POLLIN, 0};
  REQUIRE_MESSAGE(poll(&waiting, 1, kPollMilliseconds) == 1, "nothing came within the deadline");
  char bytes[65536];
  const ssize_t count = recv(fd_, bytes, sizeof(bytes), 0);
  if (count <= 0) return false;
  received_.append(bytes, static_cast<size_t>(count));
  return true;
}

std::string RawConnection::receive_line() {
  size_t end;
  while ((end = received_.find("\r\n")) == std::string::npos) {
    if (!fill()) return "";
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 2);
  return line;
}

std::string RawConnection::receive(size_t count) {
  while (received_.size() < count && fill()) {}
  std::string bytes = received_.substr(0, count);
  received_.erase(0, bytes.size());
  return bytes;
}

std::string RawConnection::receive_until_closed() {
  while (fill()) {}
  return std::move(received_);
}

void RawConnection::finish_sending() { shutdown(fd_, SHUT_WR); }

std::string request(const Arguments& arguments) {
  std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    bytes += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
  }
  return bytes;
}

}  // namespace vedette::wire
