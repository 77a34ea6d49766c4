// Streams that speak TLS, on loopback: bytes of every size through rooms of every size, readers that do not read, handshakes
// that do not come about, owners that go away.
#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/rng.h"
#include "common/net/listener.h"
#include "common/net/loop.h"
#include "common/net/stream.h"
#include "common/net/tls_context.h"
#include "tests/unit/common/net/test_certificates.h"
#include "tests/unit/seed.h"

using namespace vedette;

namespace {

using Side = TlsContext::Side;

std::shared_ptr<const TlsContext> context(Side side, const TlsSettings& settings = TestCertificates::settings("server")) {
  auto made = TlsContext::make(side, settings);
  REQUIRE(made);
  return *made;
}

// One end of a connection. Reads once a turn into a room of `room_bytes`, as the owners of the program do.
class End : public StreamOwner {
 public:
  End(Loop& loop, Stream::Kind kind)
      : stream(std::make_unique<Stream>(loop, kind, *this)),
        hooks_(
            loop, [] {}, [this] { read_this_turn_ = false; }) {}

  std::span<char> on_room_wanted() override {
    if (read_this_turn_ || !wants) return {};
    room_.resize(room_bytes);
    return room_;
  }
  void on_bytes(size_t size) override {
    CHECK(size > 0);
    read_this_turn_ = true;
    heard.append(room_, 0, size);
    changed();
  }
  void on_end(const char* reason) override {
    end = reason;
    by_peer = stream->ended_by_peer();
    in_tls = stream->failed_in_tls();
    changed();
  }
  void on_written(bool failed) override {
    CHECK(stream);
    written = true;
    if (!failed) send_on();
    changed();
  }
  void on_connected(const std::string& failure) override {
    result = failure;
    in_tls = stream->failed_in_tls();
    if (failure.empty()) stream->start_reading();
    changed();
  }

  // As the host does: what the socket takes at once, and the rest by a write of the loop's.
  void send(std::string bytes) {
    REQUIRE(unsent.empty());
    unsent = std::move(bytes);
    send_on();
  }
  void send_on() {
    if (stream->writing() || unsent_at_ == unsent.size()) return;
    if (in_flight_) unsent_at_ += std::exchange(in_flight_, 0);
    const long wrote = stream->try_write(pieces());
    if (wrote < 0) return;
    unsent_at_ += size_t(wrote);
    if (unsent_at_ == unsent.size()) return;
    stream->write(pieces());
    in_flight_ = pieces_bytes_;
  }
  size_t waiting() const { return unsent.size() - unsent_at_; }

  std::unique_ptr<Stream> stream;
  std::function<void()> changed = [] {};
  size_t room_bytes = 16384, piece_bytes = 1000;
  bool wants = true, written = false, by_peer = false, in_tls = false;
  std::optional<std::string> result, end;
  std::string heard, unsent;

 private:
  std::span<const std::string_view> pieces() {
    constexpr size_t kPieces = 20;
    pieces_.clear();
    pieces_bytes_ = 0;
    for (size_t at = unsent_at_; at < unsent.size() && pieces_.size() < kPieces; at += piece_bytes) {
      pieces_.push_back(std::string_view(unsent).substr(at, piece_bytes));
      pieces_bytes_ += pieces_.back().size();
    }
    return pieces_;
  }

  std::string room_;
  std::vector<std::string_view> pieces_;
  size_t unsent_at_ = 0, in_flight_ = 0, pieces_bytes_ = 0;
  bool read_this_turn_ = false;
  TurnHooks hooks_;
};

struct Host {
  Host(Loop& with, std::shared_ptr<const TlsContext> secret, Stream::Kind kind = Stream::Kind::kTls) : loop(with) {
    auto made = Listener::tcp(
        loop, "127.0.0.1", 0, 64, 0,
        [this, secret](Stream::Kind of, uv_stream_t* waiting) {
          guests.push_back(std::make_unique<End>(loop, of));
          End& guest = *guests.back();
          if (secret) guest.stream->use(secret);
          if (!guest.stream->accept(waiting)) return false;
          if (on_guest) on_guest(guest);
          if (of != Stream::Kind::kTls) guest.stream->start_reading();
          return true;
        },
        kind);
    REQUIRE(made);
    listener = std::move(*made);
    std::signal(SIGPIPE, SIG_IGN);  // as the programs do
  }
  int port() const { return listener->port(); }

  Loop& loop;
  std::function<void(End&)> on_guest;
  std::vector<std::unique_ptr<End>> guests;
  std::unique_ptr<Listener> listener;
};

// Runs the loop until `done`; the test fails if that does not come in time.
void run_until(Loop& loop, std::function<bool()> done) {
  constexpr uint64_t kDeadlineMs = 60000;
  bool late = false;
  Timer deadline(loop);
  deadline.start(kDeadlineMs, 0, [&] { late = true; });
  const auto look = [&] {
    if (late || done()) loop.stop();
  };
  TurnHooks hooks(loop, look, look);  // what happens without an event happens between the two
  if (!done()) loop.run();
  REQUIRE_FALSE(late);
}

std::unique_ptr<End> client_of(Host& host, std::shared_ptr<const TlsContext> with) {
  auto client = std::make_unique<End>(host.loop, Stream::Kind::kTls);
  client->stream->use(std::move(with));
  client->stream->connect("127.0.0.1", host.port());
  return client;
}

std::string noise(Rng& rng, size_t bytes) {
  std::string text(bytes, 0);
  for (char& c : text) c = char(rng.next());
  return text;
}

}  // namespace

TEST_CASE("a TLS stream connects, and plaintext flows both ways, whatever the rooms and the pieces") {
  Rng rng(test_seed("tls stream"));
  for (const size_t room : {size_t(1), size_t(7), size_t(1000), size_t(16384), size_t(65536)})
    for (const size_t piece : {size_t(1), size_t(300), size_t(5000), size_t(200000)}) {
      Loop loop;
      Host host(loop, context(Side::kServer));
      auto client = client_of(host, context(Side::kClient));
      run_until(loop, [&] { return client->result && !host.guests.empty() && host.guests[0]->result; });
      REQUIRE(*client->result == "");
      REQUIRE(*host.guests[0]->result == "");
      End& guest = *host.guests[0];
      client->room_bytes = guest.room_bytes = room;
      client->piece_bytes = guest.piece_bytes = piece;
      const size_t bytes = std::min<size_t>({room * 300, piece * 3000, 300000});
      const std::string question = noise(rng, bytes), answer = noise(rng, bytes);
      client->send(question);
      guest.send(answer);
      run_until(loop, [&] { return guest.heard.size() >= bytes && client->heard.size() >= bytes; });
      CHECK(guest.heard == question);
      CHECK(client->heard == answer);
      CHECK_FALSE(client->end);
    }
}

TEST_CASE("a reader that does not read holds the writer up, and gets everything when it does") {
  Rng rng(test_seed("slow tls reader"));
  Loop loop;
  Host host(loop, context(Side::kServer));
  auto client = client_of(host, context(Side::kClient));
  run_until(loop, [&] { return client->result && !host.guests.empty() && host.guests[0]->result; });
  End& guest = *host.guests[0];
  client->stream->stop_reading();
  guest.piece_bytes = 100000;
  const std::string much = noise(rng, 30 << 20);
  guest.send(much);
  CHECK(guest.waiting() > much.size() / 4);
  size_t before = 0;
  int still = 0;
  while (still < 200) {  // until nothing moves any more
    uv_run(loop.raw(), UV_RUN_NOWAIT);
    still = guest.waiting() == before ? still + 1 : 0;
    before = guest.waiting();
  }
  CHECK(guest.waiting() > 0);
  CHECK(client->heard.empty());
  client->stream->start_reading();
  client->room_bytes = 100000;
  run_until(loop, [&] { return client->heard.size() == much.size(); });
  CHECK(client->heard == much);
}

TEST_CASE("an owner that wants nothing for a while gets it later, without an event of the socket") {
  Loop loop;
  Host host(loop, context(Side::kServer));
  auto client = client_of(host, context(Side::kClient));
  run_until(loop, [&] { return client->result && !host.guests.empty() && host.guests[0]->result; });
  End& guest = *host.guests[0];
  guest.room_bytes = 10;
  client->send(std::string(1000, 'a'));
  run_until(loop, [&] { return guest.heard.size() >= 10; });
  guest.wants = false;
  for (int i = 0; i < 20; i++) uv_run(loop.raw(), UV_RUN_NOWAIT);
  const size_t before = guest.heard.size();
  CHECK(before < 1000);
  guest.stream->stop_reading();
  for (int i = 0; i < 20; i++) uv_run(loop.raw(), UV_RUN_NOWAIT);
  guest.wants = true;
  for (int i = 0; i < 20; i++) uv_run(loop.raw(), UV_RUN_NOWAIT);
  CHECK(guest.heard.size() == before);
  guest.stream->start_reading();
  run_until(loop, [&] { return guest.heard.size() == 1000; });
  CHECK(guest.heard == std::string(1000, 'a'));
}

TEST_CASE("the end of the peer is told behind its last bytes, and is an end by the peer") {
  Loop loop;
  Host host(loop, context(Side::kServer));
  auto client = client_of(host, context(Side::kClient));
  run_until(loop, [&] { return client->result && !host.guests.empty() && host.guests[0]->result; });
  End& guest = *host.guests[0];
  guest.room_bytes = 3;
  client->send("last words");
  client->stream.reset();
  run_until(loop, [&] { return guest.end.has_value(); });
  CHECK(guest.heard == "last words");
  CHECK(*guest.end == "closed by the peer");
  CHECK(guest.by_peer);
  CHECK_FALSE(guest.in_tls);
}

TEST_CASE("the end comes a turn later than the last bytes") {
  Loop loop;
  Host host(loop, context(Side::kServer));
  auto client = client_of(host, context(Side::kClient));
  run_until(loop, [&] { return client->result && !host.guests.empty() && host.guests[0]->result; });
  End& guest = *host.guests[0];
  int turns_between = 0;
  TurnHooks count(
      loop, [] {}, [&] { turns_between += !guest.heard.empty() && !guest.end; });
  client->send("a question");
  client->stream.reset();  // in the same turn: both are there when the guest is read
  run_until(loop, [&] { return guest.end.has_value(); });
  CHECK(guest.heard == "a question");
  CHECK(turns_between >= 1);
}

TEST_CASE("a handshake that fails is told to both sides with its reason") {
  TlsSettings stranger = TestCertificates::settings("stranger");
  stranger.protocols = "TLSv1.2";
  Loop loop;
  Host host(loop, context(Side::kServer));
  auto client = client_of(host, context(Side::kClient, stranger));
  run_until(loop, [&] { return client->result && !host.guests.empty() && host.guests[0]->end; });
  CHECK(client->result->starts_with("127.0.0.1:" + std::to_string(host.port()) + ": TLS handshake: "));
  CHECK(client->result->find("does not trust our certificate") != std::string::npos);
  CHECK(client->in_tls);
  CHECK_FALSE(client->stream->refused());
  CHECK(host.guests[0]->end->starts_with("TLS handshake: the client's certificate does not hold"));
  CHECK_FALSE(host.guests[0]->result);
}

TEST_CASE("a connection that failed in TLS may be tried again on the same stream") {
  Loop loop;
  Host plain(loop, nullptr, Stream::Kind::kTcp), secret(loop, context(Side::kServer));
  plain.on_guest = [](End& guest) {
    const std::string_view words[] = {"-ERR this is a plain server\r\n"};
    guest.stream->try_write(words);
  };
  auto client = client_of(plain, context(Side::kClient));
  run_until(loop, [&] { return client->result.has_value(); });
  CHECK(client->result->find("the answer is not TLS") != std::string::npos);
  client->result.reset();
  client->stream->connect("127.0.0.1", secret.port());
  run_until(loop, [&] { return client->result.has_value(); });
  CHECK(*client->result == "");
  CHECK_FALSE(client->in_tls);
}

TEST_CASE("who never ends its handshake is given up") {
  TlsSettings hasty = TestCertificates::settings("server");
  hasty.handshake_timeout_seconds = 1;
  Loop loop;
  Host host(loop, context(Side::kServer, hasty)), silent(loop, nullptr, Stream::Kind::kTcp);
  End mute(loop, Stream::Kind::kTcp);
  mute.stream->connect("127.0.0.1", host.port());
  auto client = client_of(silent, context(Side::kClient, hasty));
  run_until(loop, [&] { return mute.result && client->result && !host.guests.empty() && host.guests[0]->end; });
  CHECK(host.guests[0]->end->find("tls-handshake-timeout") != std::string::npos);
  CHECK(client->result->find("tls-handshake-timeout") != std::string::npos);
  CHECK(host.guests[0]->in_tls);
}

TEST_CASE("plaintext on a TLS stream, and an end in the middle of the handshake, are told") {
  Loop loop;
  Host host(loop, context(Side::kServer));
  End plain(loop, Stream::Kind::kTcp), hasty(loop, Stream::Kind::kTcp);
  plain.stream->connect("127.0.0.1", host.port());
  run_until(loop, [&] { return plain.result && !host.guests.empty(); });
  plain.send("*1\r\n$4\r\nPING\r\n");
  run_until(loop, [&] { return host.guests[0]->end.has_value(); });
  CHECK(host.guests[0]->end->find("not TLS") != std::string::npos);
  hasty.stream->connect("127.0.0.1", host.port());
  run_until(loop, [&] { return hasty.result && host.guests.size() == 2; });
  hasty.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  run_until(loop, [&] { return hasty.waiting() == 0; });
  hasty.stream.reset();
  run_until(loop, [&] { return host.guests[1]->end.has_value(); });
  CHECK(*host.guests[1]->end == "TLS handshake: closed by the peer");
}

TEST_CASE("a stream may go away at any moment that it tells of") {
  for (int moment = 0; moment < 3; moment++) {
    Loop loop;
    Host host(loop, context(Side::kServer));
    host.on_guest = [moment](End& guest) {
      guest.room_bytes = 5;  // something is always kept
      guest.changed = [&guest, moment] {
        const bool now = moment == 0 ? guest.result.has_value() : moment == 1 ? !guest.heard.empty() : guest.heard.size() > 40;
        if (now) guest.stream.reset();
      };
    };
    auto client = client_of(host, context(Side::kClient));
    run_until(loop, [&] { return client->result.has_value(); });
    client->send(std::string(50, 'x'));
    run_until(loop, [&] { return !host.guests[0]->stream; });
    run_until(loop, [&] { return client->end.has_value(); });
    CHECK(client->by_peer);
  }
}

TEST_CASE("a stream may go away while it shakes hands and while it writes") {
  Rng rng(test_seed("tls stream ends"));
  Loop loop;
  Host host(loop, context(Side::kServer));
  for (int turns = 0; turns < 12; turns++) {
    auto client = client_of(host, context(Side::kClient));
    for (int i = 0; i < turns; i++) uv_run(loop.raw(), UV_RUN_NOWAIT);
    client->stream.reset();
  }
  host.guests.clear();
  auto client = client_of(host, context(Side::kClient));
  run_until(loop, [&] { return client->result && !host.guests.empty() && host.guests.back()->result; });
  client->stream->stop_reading();
  End& guest = *host.guests.back();
  guest.piece_bytes = 1 << 20;
  guest.send(noise(rng, 20 << 20));
  CHECK(guest.stream->writing());
  guest.stream.reset();
  client->stream->start_reading();
  run_until(loop, [&] { return client->end.has_value(); });
  CHECK(client->heard.size() < (20u << 20));
}
