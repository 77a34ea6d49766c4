// Whole commands of a sentinel without sockets: a monitor and its node over an outside that only takes notes, and clients
// whose bytes go straight through the executor. The test moves the clock, and says when the state is on disk.
//
//   TestSentinel sentinel;
//   sentinel.watch("m");
//   SentinelClient client(sentinel);
//   CHECK(client("SENTINEL GET-MASTER-ADDR-BY-NAME m") == "[127.0.0.1, 7000]");
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sentinel/commands/executor.h"
#include "tests/session/reply.h"

namespace vedette::sentinel::testing {

class MovedClock final : public Clock {
 public:
  Now now() override { return now_; }
  void advance_ms(int64_t ms) { now_.instant.ns += ms * 1000000, now_.wall.us += ms * 1000; }

 private:
  Now now_{Instant{1000000000000}, WallTime{int64_t(1700000000) * 1000000}};
};

class NotedOutside final : public Outside {
 public:
  explicit NotedOutside(Channels* to) : channels(to) {}
  void open(LinkId link, const Address& to) override { opened.emplace_back(link, to); }
  void close(LinkId) override {}
  void send(LinkId link, std::string_view bytes) override { sent.emplace_back(link, bytes); }
  void write_state(uint64_t version, std::vector<std::string> lines) override { writing = version, state = std::move(lines); }
  void publish(const Publish& event) override {
    if (channels) channels->publish(event.type, event.payload);
  }
  void run_script(const RunScript&) override {}
  void resolve(const std::string& host) override { looked_up.push_back(host); }
  void crash() override {}

  Channels* channels;
  std::vector<std::pair<LinkId, Address>> opened;
  std::vector<std::pair<LinkId, std::string>> sent;
  std::vector<std::string> looked_up;
  uint64_t writing = 0;  ///< the version under way; 0: none
  std::vector<std::string> state;
};

class TestSentinel {
 public:
  static constexpr std::string_view kRunId = "0123456789abcdef0123456789abcdef01234567";

  explicit TestSentinel(const GlobalOptions& options = {});

  /// Watches 127.0.0.1:7000 under this name.
  Group& watch(const std::string& name, int quorum = 1);
  /// A replica of the group, met in the INFO of a state.
  void know_replica(const std::string& group, int port);
  void know_sentinel(const std::string& group, int port, char digit);
  /// All of the state that is to be written is on disk, and what waited for that has gone on.
  void write_state();
  /// The write under way has failed.
  void fail_state();
  /// Two turns of the loop: what waits in the backlog too.
  void turn();

  MovedClock clock;
  Monitor monitor;
  NotedOutside outside{nullptr};
  Node node;
  SentinelState state;
  Executor executor;
};

class SentinelClient {
 public:
  explicit SentinelClient(TestSentinel& sentinel);
  ~SentinelClient();
  SentinelClient(const SentinelClient&) = delete;
  SentinelClient& operator=(const SentinelClient&) = delete;

  /// Sends the words of the line (quoted as in a configuration) as one request, and returns what may leave as text; "" if nothing.
  /// What has to wait for the disk is waited for.
  std::string operator()(std::string_view line);
  void send(std::string_view line);
  void send_bytes(std::string_view bytes);
  /// What may leave now: bytes.
  std::string take_bytes();
  /// One reply of what may leave; "" if there is none.
  std::string take();

  Session session;

 private:
  TestSentinel& sentinel_;
  std::string received_;
};

/// The request as an array of bulk strings.
std::string encode(const std::vector<std::string>& words);

}  // namespace vedette::sentinel::testing
