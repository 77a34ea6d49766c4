// Links on loopback: that come up, that are refused, that the other side ends, that are closed meanwhile.
#include "sentinel/app/links.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "common/net/listener.h"
#include "tests/unit/common/net/test_certificates.h"

using namespace vedette;
using namespace vedette::sentinel;

namespace {

// Sends back what it reads; closes when it reads "end".
class Echo final : public StreamOwner {
 public:
  explicit Echo(Loop& loop, Stream::Kind kind = Stream::Kind::kTcp) : stream(std::make_unique<Stream>(loop, kind, *this)) {}
  std::span<char> on_room_wanted() override { return room_; }
  void on_bytes(size_t size) override {
    const std::string_view piece(room_, size);
    if (piece == "end") return stream.reset();
    stream->try_write({&piece, 1});
  }
  void on_end(const char*) override { stream->stop_reading(); }
  void on_written(bool) override {}
  std::unique_ptr<Stream> stream;

 private:
  char room_[256];
};

struct Fixture : LinkListener {
  Fixture() {
    auto made = Listener::tcp(loop, "127.0.0.1", 0, 64, 0, [this](Stream::Kind, uv_stream_t* waiting) {
      guests.push_back(std::make_unique<Echo>(loop));
      if (guests.back()->stream->accept(waiting)) guests.back()->stream->start_reading();
      return true;
    });
    REQUIRE(made);
    listener = std::move(*made);
  }
  void run_until(std::function<bool()> condition) {
    done = std::move(condition);
    deadline.start(10000, 0, [this] {
      FAIL_CHECK("nothing more happens");
      loop.stop();
    });
    if (!done()) loop.run();
    deadline.stop();
  }
  void look() {
    if (done && done()) loop.stop();
  }
  void on_link_up(LinkId link, const std::string& local_host) override {
    ups[link] = local_host;
    if (on_up) on_up(link);
    look();
  }
  void on_link_bytes(LinkId link, std::string_view bytes) override {
    heard[link] += bytes;
    if (on_heard) on_heard(link);
    look();
  }
  void on_link_down(const Closed& event) override {
    CHECK_FALSE(event.reason.empty());
    downs[event.link] = std::string(event.refused ? "refused" : "") + (event.reset ? "reset" : "") + (event.tls ? "tls" : "");
    look();
  }

  Loop loop;
  Timer deadline{loop};
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Echo>> guests;
  Links links{loop, *this};
  TurnHooks hooks{loop, [this] { links.flush(); }, [] {}};
  std::map<LinkId, std::string> ups, heard, downs;
  std::function<bool()> done;
  std::function<void(LinkId)> on_up, on_heard;
};

}  // namespace

TEST_CASE("many links share a room, and each hears its own") {
  Fixture f;
  for (LinkId id = 1; id <= 50; id++) {
    f.links.open(id, {"127.0.0.1", f.listener->port()});
    f.links.send(id, "early " + std::to_string(id));  // before it is up
  }
  f.on_up = [&](LinkId id) { f.links.send(id, " and late"); };
  f.run_until([&] {
    size_t whole = 0;
    for (const auto& [id, text] : f.heard) whole += text == "early " + std::to_string(id) + " and late";
    return whole == 50;
  });
  CHECK(f.ups.size() == 50);
  CHECK(f.ups[7] == "127.0.0.1");
  CHECK(f.links.size() == 50);
  f.links.close_all();
  CHECK(f.links.size() == 0);
}

TEST_CASE("a port where nobody listens refuses; a name that does not exist does not") {
  Fixture f;
  auto other = Listener::tcp(f.loop, "127.0.0.1", 0, 1, 0, [](Stream::Kind, uv_stream_t*) { return false; });
  REQUIRE(other);
  const int port = (*other)->port();
  other->reset();
  f.links.open(1, {"127.0.0.1", port});
  f.links.open(2, {"no such name", port});
  f.run_until([&] { return f.downs.size() == 2; });
  CHECK(f.downs[1] == "refused");
  CHECK(f.downs[2] == "");
  CHECK(f.ups.empty());
  CHECK(f.links.size() == 0);
}

TEST_CASE("a connection that the other side ends is told as such, once") {
  Fixture f;
  f.links.open(1, {"127.0.0.1", f.listener->port()});
  f.links.send(1, "end");
  f.run_until([&] { return f.downs.contains(1); });
  CHECK(f.downs[1] == "reset");
  CHECK(f.links.size() == 0);
  f.links.send(1, "x");  // to nobody
  f.links.close(1);
}

TEST_CASE("a link that finds no TLS where it speaks TLS says so, and where it finds it carries bytes") {
  Fixture f;
  const auto client = TlsContext::make(TlsContext::Side::kClient, TestCertificates::settings("client"));
  const auto server = TlsContext::make(TlsContext::Side::kServer, TestCertificates::settings("server"));
  REQUIRE(client);
  REQUIRE(server);
  f.links.settings.tls = *client;
  f.links.open(1, {"127.0.0.1", f.listener->port()});  // it echoes the first words of the handshake
  f.run_until([&] { return f.downs.contains(1); });
  CHECK(f.downs[1] == "tls");
  std::vector<std::unique_ptr<Echo>> guests;
  auto secret = Listener::tcp(
      f.loop, "127.0.0.1", 0, 64, 0,
      [&](Stream::Kind kind, uv_stream_t* waiting) {
        guests.push_back(std::make_unique<Echo>(f.loop, kind));
        guests.back()->stream->use(*server);
        if (guests.back()->stream->accept(waiting)) guests.back()->stream->start_reading();
        return true;
      },
      Stream::Kind::kTls);
  REQUIRE(secret);
  f.links.open(2, {"127.0.0.1", (*secret)->port()});
  f.links.send(2, "hello");
  f.run_until([&] { return f.heard[2] == "hello"; });
  CHECK(f.ups[2] == "127.0.0.1");
  f.links.send(2, "end");
  f.run_until([&] { return f.downs.contains(2); });
  CHECK(f.downs[2] == "reset");
  f.links.close_all();
}

TEST_CASE("a link that is closed, at any moment, is not heard of any more") {
  Fixture f;
  for (LinkId id = 1; id <= 3; id++) f.links.open(id, {"127.0.0.1", f.listener->port()});
  f.links.close(1);  // while it is being opened
  f.on_up = [&](LinkId id) { id == 2 ? f.links.close(2) : f.links.send(3, "x"); };
  f.on_heard = [&](LinkId id) {
    f.links.close(id);  // within its own bytes
    f.links.open(4, {"127.0.0.1", f.listener->port()});
  };
  f.run_until([&] { return f.ups.contains(4); });
  CHECK_FALSE(f.ups.contains(1));
  CHECK(f.ups.contains(2));
  CHECK(f.heard.size() == 1);
  CHECK(f.downs.empty());
  CHECK(f.links.size() == 1);
}

TEST_CASE("a link comes from the source address that was asked for") {
  Fixture f;
  f.links.settings.source = "127.0.0.9";
  f.links.open(1, {"127.0.0.1", f.listener->port()});
  f.run_until([&] { return f.ups.contains(1); });
  CHECK(f.ups[1] == "127.0.0.9");
}
