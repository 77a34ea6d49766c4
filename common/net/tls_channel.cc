// OpenSSL between two ends of memory: its reads take from the bytes at hand, its writes append to a string.
#include "common/net/tls_channel.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

#include "common/net/tls_reasons.h"

namespace vedette {
namespace {

bool is_address(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
}

// Names alone may be told to the peer, and an address is looked for in another part of the certificate.
void aim_at(SSL* ssl, const std::string& host, bool verify) {
  if (host.empty()) return;
  const bool address = is_address(host);
  if (!address) SSL_set_tlsext_host_name(ssl, host.c_str());
  if (!verify) return;
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
  const int taken = address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                            : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
  VED_ASSERT(taken == 1);
}

}  // namespace

bio_method_st* TlsChannel::bio_method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bytes at hand");
    VED_ASSERT(method);
    BIO_meth_set_read(method, on_read);
    BIO_meth_set_write(method, on_write);
    BIO_meth_set_ctrl(method, on_control);
    return method;
  }();
  return kMethod;
}

int TlsChannel::on_read(bio_st* bio, char* to, int size) {
  auto* self = static_cast<TlsChannel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const size_t taken = std::min(self->input_.size(), size_t(std::max(size, 0)));
  if (taken == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(to, self->input_.data(), taken);
  self->input_.remove_prefix(taken);
  self->held_ += taken;
  return int(taken);
}

int TlsChannel::on_write(bio_st* bio, const char* from, int size) {
  auto* self = static_cast<TlsChannel*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  self->target_->append(from, size_t(size));
  return size;
}

long TlsChannel::on_control(bio_st*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

TlsChannel::TlsChannel(std::shared_ptr<const TlsContext> context, const std::string& host)
    : context_(std::move(context)), ssl_(SSL_new(context_->raw())) {
  VED_ASSERT(ssl_);
  BIO* bio = BIO_new(bio_method());
  VED_ASSERT(bio);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  if (context_->side() == TlsContext::Side::kServer) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
    aim_at(ssl_, host, context_->verifies_names());
  }
}

TlsChannel::~TlsChannel() { SSL_free(ssl_); }

std::string TlsChannel::description() const { return fmt::format("{}, {}", SSL_get_version(ssl_), SSL_get_cipher_name(ssl_)); }

void TlsChannel::begin() {
  VED_ASSERT(context_->side() == TlsContext::Side::kClient);
  if (state_ == State::kHandshake) shake_hands();
}

void TlsChannel::shake_hands() {
  ERR_clear_error();
  const int code = SSL_do_handshake(ssl_);
  if (code == 1) {
    state_ = State::kOpen;
    held_ = 0;
    return;
  }
  if (const int error = SSL_get_error(ssl_, code); error != SSL_ERROR_WANT_READ) fail(error);
}

size_t TlsChannel::receive(std::string_view& bytes, std::span<char> room) {
  if (first_byte_ < 0 && !bytes.empty()) first_byte_ = static_cast<unsigned char>(bytes.front());
  input_ = bytes;
  if (state_ == State::kHandshake && !input_.empty()) shake_hands();
  size_t got = 0;
  while (state_ == State::kOpen && got < room.size() && (!input_.empty() || SSL_pending(ssl_) > 0)) {
    ERR_clear_error();
    size_t size = 0;
    if (SSL_read_ex(ssl_, room.data() + got, room.size() - got, &size) == 1) {
      got += size;
      held_ = 0;
      continue;
    }
    const int error = SSL_get_error(ssl_, 0);
    if (error == SSL_ERROR_ZERO_RETURN) state_ = State::kEnded;
    else if (error != SSL_ERROR_WANT_READ) fail(error);
  }
  bytes = state_ == State::kEnded || state_ == State::kFailed ? std::string_view() : input_;
  input_ = {};
  return got;
}

bool TlsChannel::holds_plaintext() const { return state_ == State::kOpen && SSL_pending(ssl_) > 0; }

bool TlsChannel::encipher(std::string_view plain, std::string& to) {
  VED_ASSERT(state_ == State::kOpen || state_ == State::kEnded);
  if (plain.empty()) return true;
  ERR_clear_error();
  target_ = &to;
  size_t written = 0;
  const int code = SSL_write_ex(ssl_, plain.data(), plain.size(), &written);
  target_ = &outgoing_;
  if (code != 1) {
    fail(SSL_get_error(ssl_, code));
    return false;
  }
  VED_ASSERT(written == plain.size());  // a string takes everything
  return true;
}

void TlsChannel::close() {
  if (state_ != State::kOpen && state_ != State::kEnded) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsChannel::fail(int code) {
  state_ = State::kFailed;
  failure_ = tls_failure(ssl_, context_->side() == TlsContext::Side::kServer, first_byte_);
  if (code == SSL_ERROR_WANT_WRITE || code == SSL_ERROR_WANT_X509_LOOKUP) failure_ = "OpenSSL waits for what it cannot get";
}

}  // namespace vedette
