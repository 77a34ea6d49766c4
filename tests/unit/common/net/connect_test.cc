// Outgoing connections on loopback: those that come about, those that do not, and those whose owner goes away meanwhile.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/net/listener.h"
#include "common/net/loop.h"
#include "common/net/stream.h"

using namespace vedette;

namespace {

// One end of a connection: keeps what it reads, and tells the test.
class End : public StreamOwner {
 public:
  explicit End(Loop& loop, std::function<void()> changed)
      : stream(std::make_unique<Stream>(loop, Stream::Kind::kTcp, *this)), changed_(std::move(changed)) {}

  std::span<char> on_room_wanted() override { return room_; }
  void on_bytes(size_t size) override {
    heard.append(room_, size);
    changed_();
  }
  void on_end(const char*) override {
    ended = true;
    changed_();
  }
  void on_written(bool) override {}
  void on_connected(const std::string& failure) override {
    CHECK_FALSE(within_call);
    result = failure;
    changed_();
  }

  std::unique_ptr<Stream> stream;
  std::optional<std::string> result;
  std::string heard;
  bool ended = false;
  bool within_call = false;

 private:
  std::function<void()> changed_;
  char room_[64];
};

// Accepts everything and echoes nothing; greets with one word.
struct Host {
  Host(Loop& loop, const std::string& address) {
    auto made = Listener::tcp(loop, address, 0, 16, 0, [this, &loop](Stream::Kind, uv_stream_t* waiting) {
      guests.push_back(std::make_unique<End>(loop, [] {}));
      if (!guests.back()->stream->accept(waiting)) return false;
      const std::string_view greeting[] = {"hello"};
      guests.back()->stream->try_write(greeting);
      return true;
    });
    REQUIRE(made);
    listener = std::move(*made);
  }
  std::vector<std::unique_ptr<End>> guests;
  std::unique_ptr<Listener> listener;
};

int refused_port() {
  Loop loop;
  return Host(loop, "127.0.0.1").listener->port();  // nobody listens there any more
}

std::string result_of(const std::string& host, int port, const std::string& source = {}) {
  Loop loop;
  End end(loop, [&] { loop.stop(); });
  end.within_call = true;
  end.stream->connect(host, port, source);
  end.within_call = false;
  loop.run();
  REQUIRE(end.result);
  return *end.result;
}

}  // namespace

TEST_CASE("a stream connects to an address and to a name, and bytes flow") {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    Loop loop;
    Host server(loop, "127.0.0.1");
    End client(loop, [&] {
      if (client.result && client.result->empty()) client.stream->start_reading();
      if (client.heard == "hello" || !client.result->empty()) loop.stop();
    });
    client.stream->connect(host, server.listener->port());
    loop.run();
    CHECK(client.result == "");
    CHECK(client.heard == "hello");
    CHECK(client.stream->peer_address() == "127.0.0.1:" + std::to_string(server.listener->port()));
  }
}

TEST_CASE("a stream connects from the address it is told") {
  Loop loop;
  Host server(loop, "127.0.0.1");
  End client(loop, [&] { loop.stop(); });
  client.stream->connect("127.0.0.1", server.listener->port(), "127.0.0.2");
  loop.run();
  CHECK(client.result == "");
  CHECK(client.stream->local_address().starts_with("127.0.0.2:"));
}

TEST_CASE("what does not come about is told with its reason, never within the call") {
  const int port = refused_port();
  CHECK(result_of("127.0.0.1", port) == "127.0.0.1:" + std::to_string(port) + ": connection refused");
  CHECK(result_of("::1", port).starts_with("[::1]:" + std::to_string(port) + ": "));
  CHECK(result_of("no-such-host.invalid", 1).starts_with("no-such-host.invalid:1: "));
  CHECK_FALSE(result_of("", 1).empty());
  CHECK_FALSE(result_of(std::string(1000, 'a'), 1).empty());
  CHECK_FALSE(result_of("host name with blanks", 1).empty());
  CHECK_FALSE(result_of(std::string("127.0.0.1\0x", 11), port).empty());
  CHECK(result_of("127.0.0.1", port, "nonsense").find("source address nonsense") != std::string::npos);
  CHECK_FALSE(result_of("127.0.0.1", port, "192.0.2.1").empty());
  CHECK(result_of("127.0.0.1", port, "::1").find("address family") != std::string::npos);
}

TEST_CASE("a stream that has failed may connect again") {
  const int dead = refused_port();
  Loop loop;
  Host server(loop, "127.0.0.1");
  int attempts = 0;
  End client(loop, [&] {
    if (++attempts == 1) {
      CHECK(client.result != "");
      client.stream->connect("127.0.0.1", server.listener->port());
    } else {
      loop.stop();
    }
  });
  client.stream->connect("127.0.0.1", dead);
  loop.run();
  CHECK(client.result == "");
}

TEST_CASE("a stream may go away while its name is looked up or while it connects") {
  Loop loop;
  Host server(loop, "127.0.0.1");
  for (const char* host : {"127.0.0.1", "localhost", "no-such-host.invalid"})
    for (int turns = 0; turns < 4; turns++) {
      End client(loop, [] {});
      client.stream->connect(host, server.listener->port());
      for (int i = 0; i < turns; i++) uv_run(loop.raw(), UV_RUN_NOWAIT);
      const bool told = client.result.has_value();
      client.stream.reset();
      for (int i = 0; i < 3; i++) uv_run(loop.raw(), UV_RUN_NOWAIT);
      CHECK(client.result.has_value() == told);
    }
  // More look-ups than the pool has threads: some of them are cancelled in time, some are not.
  for (int i = 0; i < 50; i++) {
    End client(loop, [] {});
    client.stream->connect("localhost", 1);
  }
}

TEST_CASE("a stream may go away in the moment it is told") {
  const int dead = refused_port();
  Loop loop;
  Host server(loop, "127.0.0.1");
  for (const int port : {dead, server.listener->port()}) {
    End client(loop, [&] {
      client.stream.reset();
      loop.stop();
    });
    client.stream->connect("127.0.0.1", port);
    loop.run();
    CHECK(client.result.has_value());
  }
}
