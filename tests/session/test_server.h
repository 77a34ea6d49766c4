// Whole commands without sockets: a server's state and executor on a clock that the test moves, and clients
// whose bytes go straight through the executor. Everything is seeded, so a test that fails fails again.
//
//   TestServer server;
//   TestClient client(server);
//   CHECK(client("SET k v EX 10") == "OK");
//   server.advance_ms(10001);
//   CHECK(client("GET k") == "nil");
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/execution/executor.h"
#include "server/execution/migration.h"
#include "server/execution/replication.h"
#include "server/scripting/scripting.h"
#include "tests/session/reply.h"

namespace vedette::testing {

class SimulatedClock final : public Clock {
 public:
  Now now() override {
    if (us_per_look) advance_us(us_per_look);
    return now_;
  }
  void advance_us(int64_t us) { now_.instant.ns += us * 1000, now_.wall.us += us; }

  int64_t us_per_look = 0;  ///< so much time passes with every look at it

 private:
  Now now_{Instant{1000000000}, WallTime{int64_t(1700000000) * 1000000}};
};

/// Notes what replicas and the log would see, one text a command: "SET k v PXAT 1700000010000", with "1:"
/// before it if the database is 1. The effects of one command or transaction that belong together stand in
/// "{a; b}".
class RecordedEffects final : public EffectSink {
 public:
  void on_effects(const EffectBatch& effects) override;
  /// What came since the last call, separated by "; ".
  std::string take();

 private:
  std::string text_;
};

/// Notes keyspace events: "set:k expire:k", in the order they were published.
class RecordedEvents final : public Subscriber {
 public:
  void deliver(const Message& message) override;
  /// What came since the last call.
  std::string take();

 private:
  std::string text_;
};

/// Notes what handlers asked the app for.
class RecordedActions final : public ServerActions {
 public:
  void shutdown(const ShutdownRequest& request) override { shutdowns.push_back(request); }
  bool abort_shutdown() override {
    const bool any = !shutdowns.empty();
    shutdowns.clear();
    return any;
  }
  void sleep_us(int64_t us) override { slept_us += us; }
  void post(std::function<void()> task) override { posted.push_back(std::move(task)); }
  void run_elsewhere(std::function<void()> job, std::function<void()> done) override {
    posted.push_back([job = std::move(job), done = std::move(done)] {
      job();
      done();
    });
  }

  std::unique_ptr<OutgoingLink> connect(LinkUse, const std::string& host, int port, LinkOwner& owner) override {
    return on_connect ? on_connect(host, port, owner) : nullptr;
  }

  std::function<std::unique_ptr<OutgoingLink>(const std::string& host, int port, LinkOwner& owner)> on_connect;
  std::vector<ShutdownRequest> shutdowns;
  int64_t slept_us = 0;
  std::vector<std::function<void()>> posted;  ///< run by TestServer::turn()
};

class TestServer {
 public:
  explicit TestServer(uint64_t seed = 1);
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer();

  void advance_ms(int64_t ms);
  int64_t now_ms() const { return executor.now().wall.ms(); }
  /// Runs what is ready: gathered requests, backlogs, posted work; as often as there is any. A script that takes long gets one
  /// slice.
  void turn();
  /// Starts (or goes on) recording; see RecordedEffects.
  RecordedEffects& effects();
  /// Configures keyspace events of all classes that are in A and starts (or goes on) recording them.
  RecordedEvents& events();
  /// The live or expired entry of a key, past every rule; null if there is none.
  const Entry* entry(std::string_view key, int db = 0) const;

  SimulatedClock clock;
  ServerState state;
  Executor executor;
  Scripting scripting{state, executor};
  RecordedActions actions;
  Snapshots snapshots{state};
  Replication replication{state, executor};
  Migrations migrations{state, executor};

 private:
  RecordedEffects effects_;
  RecordedEvents events_;
};

class TestClient {
 public:
  explicit TestClient(TestServer& server);
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  ~TestClient();

  /// Sends the words of `line` (quoted as in an inline request) as one request; the reply as text (reply.h).
  std::string operator()(std::string_view line);
  /// The same with arguments of any bytes.
  std::string operator()(std::initializer_list<std::string_view> argv) { return call(argv); }
  std::string call(std::vector<std::string_view> argv);
  /// Sends bytes as they are; returns the bytes of all output so far.
  std::string send(std::string_view bytes);
  /// Output that came since the last look: push messages, replies after a suspension. As text, separated by
  /// blanks.
  std::string pending();
  std::string pending_bytes();

  Session session;

 private:
  TestServer& server_;
};

/// The bytes of a request.
std::string request_bytes(const std::vector<std::string_view>& argv);

}  // namespace vedette::testing
