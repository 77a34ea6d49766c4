// Outgoing connections: a name becomes addresses on the thread pool, the addresses are tried one after another.
#include <netdb.h>

#include <cstring>
#include <vector>

#include "common/net/stream.h"

namespace vedette {

// While a name is looked up the request is libuv's: an attempt whose stream goes away then is freed when libuv gives it
// back.
struct Stream::Attempt {
  uv_getaddrinfo_t request{};
  Stream* self;
  bool looking_up = false;
  std::string asked;                             // the host
  std::string where;                             // "host:port"
  sockaddr_storage source{};                     // ss_family 0: none
  std::vector<sockaddr_storage> addresses = {};  // those still to try, the next one last
  std::string failure = {};                      // of the address tried last, or of what was asked for
  int tried = 0, refusals = 0;

  int look_up(Loop& loop, const std::string& host, int port);
  void on_addresses(int status, const addrinfo* found);
};

void Stream::AttemptCloser::operator()(Attempt* attempt) const {
  if (!attempt->looking_up) {
    delete attempt;
    return;
  }
  attempt->self = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&attempt->request));  // too late if a thread has it already: then it ends there
}

// Here, where Attempt is known.
Stream::~Stream() {
  if (tls_) tls_farewell();
}

namespace {

bool parse_address(const std::string& text, sockaddr_storage& address) {
  return uv_ip4_addr(text.c_str(), 0, reinterpret_cast<sockaddr_in*>(&address)) == 0 ||
         uv_ip6_addr(text.c_str(), 0, reinterpret_cast<sockaddr_in6*>(&address)) == 0;
}

// Those that were found, in reverse: the first is taken from the back.
std::vector<sockaddr_storage> to_list(const addrinfo* found) {
  std::vector<sockaddr_storage> list;
  for (; found; found = found->ai_next) {
    if (found->ai_family != AF_INET && found->ai_family != AF_INET6) continue;
    sockaddr_storage address{};
    std::memcpy(&address, found->ai_addr, found->ai_addrlen);
    list.insert(list.begin(), address);
  }
  return list;
}

}  // namespace

void Stream::connect(const std::string& host, int port, const std::string& source) {
  VED_ASSERT(kind_ != Kind::kUnix);
  VED_ASSERT(!attempt_);
  const bool v6 = host.find(':') != std::string::npos;
  attempt_.reset(new Attempt{.self = this, .asked = host, .where = (v6 ? "[" + host + "]:" : host + ":") + std::to_string(port)});
  Attempt& attempt = *attempt_;
  if (!source.empty() && !parse_address(source, attempt.source)) attempt.failure = "the source address " + source + " is no address";
  if (host.find('\0') != std::string::npos) attempt.failure = "this is no name";
  // What needs no look-up takes the same way, so that nothing is ever called back from within this call.
  if (const int code = attempt.look_up(loop_, host, port)) {
    attempt.failure = uv_strerror(code);
    VED_ASSERT(attempt.look_up(loop_, "127.0.0.1", 0) == 0);
  }
}

int Stream::Attempt::look_up(Loop& loop, const std::string& host, int port) {
  request.data = this;
  sockaddr_storage number{};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (parse_address(host, number) ? AI_NUMERICHOST : 0);
  const int code = uv_getaddrinfo(
      loop.raw(), &request,
      [](uv_getaddrinfo_t* ended, int status, addrinfo* found) {
        auto* attempt = static_cast<Attempt*>(ended->data);
        attempt->on_addresses(status, found);
        if (found) uv_freeaddrinfo(found);
        // Both may be the end of the attempt.
        if (attempt->self) attempt->self->try_next_address();
        else delete attempt;
      },
      host.c_str(), std::to_string(port).c_str(), &hints);
  looking_up = code == 0;
  return code;
}

void Stream::Attempt::on_addresses(int status, const addrinfo* found) {
  looking_up = false;
  if (!failure.empty()) return;  // it was wrong from the beginning
  addresses = to_list(found);
  if (addresses.empty()) failure = status ? uv_strerror(status) : "no address of a known family";
}

void Stream::try_next_address() {
  while (!attempt_->addresses.empty()) {
    const sockaddr_storage address = attempt_->addresses.back();
    attempt_->addresses.pop_back();
    // A socket that has failed to connect is of no use any more.
    renew_handle();
    const int code = start_connecting(address);
    if (code == 0) return;
    note_failure(code);
  }
  end_attempt(attempt_->where + ": " + attempt_->failure);
}

int Stream::start_connecting(const sockaddr_storage& address) {
  const sockaddr_storage& source = attempt_->source;
  if (source.ss_family) {
    if (source.ss_family != address.ss_family) return UV_EAFNOSUPPORT;
    if (const int code = uv_tcp_bind(&handle_->tcp, reinterpret_cast<const sockaddr*>(&source), 0)) return code;
  }
  handle_->connect_request.data = handle_.get();
  return uv_tcp_connect(&handle_->connect_request, &handle_->tcp, reinterpret_cast<const sockaddr*>(&address),
                        [](uv_connect_t* request, int status) {
                          Stream* self = static_cast<Handle*>(request->data)->self;
                          if (!self) return;
                          if (status == 0) return self->end_attempt({});
                          self->note_failure(status);
                          self->try_next_address();
                        });
}

void Stream::note_failure(int code) {
  attempt_->failure = uv_strerror(code);
  attempt_->tried++;
  attempt_->refusals += code == UV_ECONNREFUSED || code == UV_ECONNRESET;
}

void Stream::end_attempt(const std::string& failure) {
  refused_ = attempt_->tried > 0 && attempt_->refusals == attempt_->tried;
  const std::string host = std::move(attempt_->asked), where = std::move(attempt_->where);
  attempt_.reset();
  if (failure.empty() && tls_) return tls_begin_connected(host, where);
  if (!failure.empty()) renew_handle();
  owner_.on_connected(failure);  // last: it may destroy this
}

}  // namespace vedette
