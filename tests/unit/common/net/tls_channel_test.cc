// Two channels against each other, through a wire that cuts the bytes where it likes.
#include "common/net/tls_channel.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <vector>

#include "common/base/rng.h"
#include "tests/unit/common/net/test_certificates.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

using Side = TlsContext::Side;
using State = TlsChannel::State;

std::shared_ptr<const TlsContext> context(Side side, const TlsSettings& settings) {
  auto made = TlsContext::make(side, settings);
  REQUIRE(made);
  return *made;
}

// A channel with its owner: what waits to be read by it, what it has read.
struct End {
  explicit End(std::shared_ptr<const TlsContext> with, const std::string& host = {}) : channel(std::move(with), host) {}

  void take(std::string_view bytes, size_t room_bytes) {
    waiting += bytes;
    std::string room(room_bytes, '?');
    for (;;) {
      std::string_view left = waiting;
      const State before = channel.state();
      const size_t got = channel.receive(left, room);
      read.append(room, 0, got);
      const bool moved = left.size() < waiting.size() || got > 0 || channel.state() != before;
      waiting.erase(0, waiting.size() - left.size());
      if (!moved) return;
    }
  }
  void say(std::string_view plain) {
    REQUIRE(channel.outgoing().empty());
    REQUIRE(channel.encipher(plain, channel.outgoing()));
  }

  TlsChannel channel;
  std::string waiting, read;
};

struct Pair {
  Pair(const TlsSettings& server_settings, const TlsSettings& client_settings, const std::string& host = {})
      : server(context(Side::kServer, server_settings)), client(context(Side::kClient, client_settings), host) {
    client.channel.begin();
  }
  explicit Pair(const TlsSettings& both) : Pair(both, both) {}

  // Until both are silent. Pieces of up to `piece_max` bytes, rooms of `room_bytes`.
  void run(size_t piece_max = 100000, size_t room_bytes = 100000, Rng* rng = nullptr) {
    while (!client.channel.outgoing().empty() || !server.channel.outgoing().empty()) {
      carry(client, server, piece_max, room_bytes, rng);
      carry(server, client, piece_max, room_bytes, rng);
    }
  }
  bool open() const { return client.channel.state() == State::kOpen && server.channel.state() == State::kOpen; }

  End server, client;

 private:
  static void carry(End& from, End& to, size_t piece_max, size_t room_bytes, Rng* rng) {
    std::string bytes;
    bytes.swap(from.channel.outgoing());
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = rng ? 1 + rng->below(piece_max) : piece_max;
      to.take(std::string_view(bytes).substr(at, size), room_bytes);
      at += size;
    }
  }
};

bool says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  MESSAGE("missing '" << part << "' in: " << text);
  return false;
}

TlsSettings with_versions(const std::string& protocols) {
  TlsSettings settings = TestCertificates::settings("server");
  settings.protocols = protocols;
  return settings;
}

}  // namespace

TEST_CASE("two channels agree and carry plaintext both ways, in every version") {
  for (const char* version : {"TLSv1.2", "TLSv1.3", ""}) {
    Pair pair(with_versions(version));
    CHECK(pair.client.channel.state() == State::kHandshake);
    pair.run();
    REQUIRE(pair.open());
    CHECK(says(pair.server.channel.description(), version));
    pair.client.say("a question");
    pair.run();
    CHECK(pair.server.read == "a question");
    pair.server.say("an answer");
    pair.run();
    CHECK(pair.client.read == "an answer");
    CHECK(pair.server.channel.held_bytes() == 0);
  }
}

TEST_CASE("what goes over the wire is not the plaintext") {
  Pair pair(TestCertificates::settings("server"));
  pair.run();
  pair.client.say("a secret that is long enough to be seen");
  CHECK(pair.client.channel.outgoing().find("secret") == std::string::npos);
  CHECK(pair.client.channel.outgoing().size() > 39);
}

TEST_CASE("bytes cut anywhere and rooms of any size give the same plaintext") {
  Rng rng(test_seed("tls channel"));
  for (int turn = 0; turn < 60; turn++) {
    Pair pair(with_versions(turn % 2 ? "TLSv1.2" : "TLSv1.3"));
    const size_t piece_max = 1 + rng.below(turn % 3 ? 40 : 5000), room = 1 + rng.below(turn % 5 ? 200 : 40000);
    pair.run(piece_max, room, &rng);
    REQUIRE(pair.open());
    std::string sent;
    for (int message = 0; message < 5; message++) {
      std::string text(1 + rng.below(40000), 'x');
      for (char& c : text) c = char(rng.next());
      pair.client.say(text);
      pair.run(piece_max, room, &rng);
      sent += text;
    }
    CHECK(pair.server.read == sent);
    CHECK_FALSE(pair.server.channel.holds_plaintext());
  }
}

TEST_CASE("plaintext beyond the room is kept, and bytes beyond it are left") {
  Pair pair(TestCertificates::settings("server"));
  pair.run();
  pair.client.say("first record");
  std::string bytes;
  bytes.swap(pair.client.channel.outgoing());
  pair.client.say("second record");
  bytes += pair.client.channel.outgoing();
  char room[5];
  std::string_view left = bytes;
  CHECK(pair.server.channel.receive(left, room) == 5);
  CHECK(pair.server.channel.holds_plaintext());
  CHECK_FALSE(left.empty());
  CHECK(pair.server.channel.receive(left, {}) == 0);
  std::string read(room, 5);
  while (const size_t got = pair.server.channel.receive(left, room)) read.append(room, got);
  CHECK(read == "first recordsecond record");
  CHECK(left.empty());
  CHECK_FALSE(pair.server.channel.holds_plaintext());
}

TEST_CASE("the call that ends the handshake leaves what came behind it") {
  Pair pair(TestCertificates::settings("server"));
  pair.server.take(pair.client.channel.outgoing(), 10);
  pair.client.channel.outgoing().clear();
  pair.client.take(pair.server.channel.outgoing(), 10);
  pair.server.channel.outgoing().clear();
  REQUIRE(pair.client.channel.state() == State::kOpen);
  REQUIRE(pair.client.channel.encipher("PING", pair.client.channel.outgoing()));
  std::string_view left = pair.client.channel.outgoing();
  CHECK(pair.server.channel.receive(left, {}) == 0);
  CHECK(pair.server.channel.state() == State::kOpen);
  char room[100];
  const size_t got = pair.server.channel.receive(left, room);
  CHECK(std::string_view(room, got) == "PING");
}

TEST_CASE("the end of one direction is told, behind everything that came before it") {
  Pair pair(TestCertificates::settings("server"));
  pair.run();
  pair.client.say("last words");
  pair.client.channel.close();
  pair.run();
  CHECK(pair.server.read == "last words");
  CHECK(pair.server.channel.state() == State::kEnded);
  CHECK(pair.client.channel.state() == State::kOpen);
  pair.server.say("still an answer");
  pair.run();
  CHECK(pair.client.read == "still an answer");
  Pair young(TestCertificates::settings("server"));
  young.server.channel.close();  // before any handshake there is nobody to be told
  CHECK(young.server.channel.outgoing().empty());
}

TEST_CASE("who shows no certificate is refused, let in, or not asked") {
  TlsSettings server = TestCertificates::settings("server"), client;
  client.ca_cert_file = server.ca_cert_file;
  for (const char* version : {"TLSv1.2", "TLSv1.3"}) {
    server.protocols = version;
    server.auth_clients = TlsAuthClients::kYes;
    Pair refused(server, client);
    refused.run();
    CHECK(refused.server.channel.state() == State::kFailed);
    CHECK(says(refused.server.channel.failure(), "tls-auth-clients"));
    CHECK(refused.client.channel.state() == State::kFailed);
    CHECK(says(refused.client.channel.failure(), "tls-client-cert-file"));
    for (const TlsAuthClients choice : {TlsAuthClients::kNo, TlsAuthClients::kOptional}) {
      server.auth_clients = choice;
      Pair welcome(server, client);
      welcome.run();
      CHECK(welcome.open());
    }
  }
}

TEST_CASE("a certificate of another authority, or whose time is over, is refused with its reason on both sides") {
  const TlsSettings good = TestCertificates::settings("server");
  const auto failures = [&](const std::string& server_name, const std::string& client_name) {
    TlsSettings server = TestCertificates::settings(server_name), client = TestCertificates::settings(client_name);
    server.protocols = "TLSv1.2";  // where a client hears of it before it thinks that all is well
    Pair pair(server, client);
    pair.run();
    CHECK(pair.server.channel.state() == State::kFailed);
    CHECK(pair.client.channel.state() == State::kFailed);
    return std::make_pair(pair.server.channel.failure(), pair.client.channel.failure());
  };
  const auto strange_server = failures("stranger", "client");
  CHECK(says(strange_server.second, "the server's certificate does not hold"));
  CHECK(says(strange_server.second, "tls-ca-cert-file"));
  CHECK(says(strange_server.first, "unknown ca"));
  const auto strange_client = failures("server", "stranger");
  CHECK(says(strange_client.first, "the client's certificate does not hold"));
  CHECK(says(strange_client.second, "the peer does not trust our certificate"));
  const auto old_server = failures("expired", "client");
  CHECK(says(old_server.second, "certificate has expired"));
  CHECK(says(old_server.first, "expired"));
  const auto old_client = failures("server", "expired");
  CHECK(says(old_client.first, "certificate has expired"));
}

TEST_CASE("names are checked where it is asked for, of hosts and of addresses") {
  TlsSettings settings = TestCertificates::settings("server"), other = TestCertificates::settings("other-name");
  const auto result = [](const TlsSettings& server, const TlsSettings& client, const std::string& host) {
    Pair pair(server, client, host);
    pair.run();
    return pair.client.channel.state() == State::kOpen ? "open" : pair.client.channel.failure();
  };
  CHECK(result(other, settings, "localhost") == "open");
  settings.verify_names = true;
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
    CHECK(result(settings, settings, host) == "open");
    CHECK(says(result(other, settings, host), "tls-verify-names"));
  }
  CHECK(says(result(settings, settings, "127.0.0.2"), "mismatch"));
  CHECK(result(other, settings, "elsewhere.example") == "open");
}

TEST_CASE("plaintext where TLS is expected is called by its name") {
  Pair pair(TestCertificates::settings("server"));
  pair.server.take("*1\r\n$4\r\nPING\r\n", 100);
  CHECK(pair.server.channel.state() == State::kFailed);
  CHECK(says(pair.server.channel.failure(), "not TLS"));
  CHECK(pair.server.channel.outgoing().empty());
  pair.client.take("-ERR unknown command\r\n", 100);
  CHECK(pair.client.channel.state() == State::kFailed);
  CHECK(says(pair.client.channel.failure(), "tls-port"));
}

TEST_CASE("sides without a version or a cipher in common say what to change") {
  Pair versions(with_versions("TLSv1.3"), with_versions("TLSv1.2"));
  versions.run();
  CHECK(says(versions.server.channel.failure(), "tls-protocols"));
  CHECK(says(versions.client.channel.failure(), "tls-protocols"));
  TlsSettings server = with_versions("TLSv1.2"), client = with_versions("TLSv1.2");
  server.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  client.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
  Pair ciphers(server, client);
  ciphers.run();
  CHECK(says(ciphers.server.channel.failure(), "tls-ciphers"));
}

TEST_CASE("changed, repeated and invented records end the channel, never the process") {
  Rng rng(test_seed("tls channel"));
  int failed = 0;
  for (int turn = 0; turn < 200; turn++) {
    Pair pair(with_versions(turn % 2 ? "TLSv1.2" : "TLSv1.3"));
    pair.run();
    pair.client.say("some plaintext");
    std::string bytes;
    bytes.swap(pair.client.channel.outgoing());
    if (turn % 4 == 0) bytes += bytes;
    else bytes[rng.below(bytes.size())] ^= char(1 + rng.below(255));
    pair.server.take(bytes, 100);
    pair.server.take(std::string(70000, '\x17'), 100);
    CHECK((pair.server.read.empty() || pair.server.read == "some plaintext"));
    failed += pair.server.channel.state() == State::kFailed;
    CHECK_FALSE(pair.server.channel.failure().empty());
  }
  CHECK(failed == 200);
}

TEST_CASE("a handshake that is changed on its way is refused") {
  Rng rng(test_seed("tls channel"));
  for (int turn = 0; turn < 100; turn++) {
    Pair pair(with_versions(turn % 2 ? "TLSv1.2" : "TLSv1.3"));
    std::string hello;
    hello.swap(pair.client.channel.outgoing());
    constexpr size_t kHeaderBytes = 5;  // of the first record, whose version means nothing
    hello[kHeaderBytes + rng.below(hello.size() - kHeaderBytes)] ^= char(1 + rng.below(255));
    pair.server.take(hello, 100);
    pair.run();
    CHECK_FALSE(pair.open());
    CHECK(pair.server.read.empty());
  }
}

// OpenSSL's own client, since a channel never asks for it.
TEST_CASE("a new handshake within a connection is refused with a warning, and nothing else happens") {
  constexpr char kAlertRecord = 21;
  TlsSettings settings = with_versions("TLSv1.2");
  End server(context(Side::kServer, settings));
  const auto client_context = context(Side::kClient, settings);
  SSL_CTX_clear_options(client_context->raw(), SSL_OP_NO_RENEGOTIATION);
  SSL* client = SSL_new(client_context->raw());
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(client, in, out);
  SSL_set_connect_state(client);
  const auto ask = [&] {
    char bytes[20000];
    const int code = SSL_do_handshake(client);
    const int size = BIO_read(out, bytes, sizeof bytes);
    if (size > 0) server.take({bytes, size_t(size)}, 100);
    return code;
  };
  while (ask() != 1) {
    BIO_write(in, server.channel.outgoing().data(), int(server.channel.outgoing().size()));
    server.channel.outgoing().clear();
  }
  REQUIRE(server.channel.state() == State::kOpen);
  server.channel.outgoing().clear();
  REQUIRE(SSL_renegotiate(client) == 1);
  CHECK(ask() != 1);
  CHECK(server.channel.state() == State::kOpen);
  CHECK(server.channel.outgoing().size() < 60);
  CHECK(server.channel.outgoing().front() == kAlertRecord);
  CHECK(server.read.empty());
  SSL_free(client);
}

TEST_CASE("a channel that waits holds no buffer") {
  Pair pair(TestCertificates::settings("server"));
  pair.run();
  pair.client.say(std::string(20000, 'x'));
  pair.run();
  CHECK(pair.server.read.size() == 20000);
  CHECK(pair.server.channel.outgoing().capacity() < 100);
  CHECK(pair.server.channel.held_bytes() == 0);
}
