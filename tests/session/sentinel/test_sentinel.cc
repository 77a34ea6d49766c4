// The sentinel and its clients of the tests.
#include "tests/session/sentinel/test_sentinel.h"

#include "common/base/assert.h"
#include "common/base/text.h"

namespace vedette::sentinel::testing {

TestSentinel::TestSentinel(const GlobalOptions& options)
    : monitor(std::string(kRunId), options, Rng(1)), node(monitor, outside), state(monitor, node), executor(state, clock) {
  outside.channels = &state.channels;
  state.access->set_default_password(options.require_pass);
  node.on_written = [this] { executor.written(); };
  node.on_write_failed = [this](uint64_t version) { executor.write_failed(version); };
  node.on_time(clock.now());
  write_state();
}

Group& TestSentinel::watch(const std::string& name, int quorum) {
  VED_ASSERT(monitor.monitor(name, {"127.0.0.1", 7000}, quorum, clock.now()));
  node.settle(clock.now());
  write_state();
  return *monitor.find(name);
}

void TestSentinel::know_replica(const std::string& group, int port) {
  VED_ASSERT(monitor.configure({"known-replica", group, "127.0.0.1", std::to_string(port)}, clock.now()));
  node.settle(clock.now());
  write_state();
}

void TestSentinel::know_sentinel(const std::string& group, int port, char digit) {
  VED_ASSERT(monitor.configure({"known-sentinel", group, "127.0.0.1", std::to_string(port), std::string(40, digit)}, clock.now()));
  node.settle(clock.now());
  write_state();
}

void TestSentinel::write_state() {
  while (true) {
    while (outside.writing > node.written_version()) node.on_state_written(outside.writing, Status::ok(), clock.now());
    if (!executor.has_backlog()) break;
    executor.gather_backlog();
    executor.execute();
  }
}

void TestSentinel::fail_state() { node.on_state_written(outside.writing, Error("disk full"), clock.now()); }

void TestSentinel::turn() {
  executor.execute();
  if (!executor.has_backlog()) return;
  executor.gather_backlog();
  executor.execute();
}

SentinelClient::SentinelClient(TestSentinel& sentinel)
    : session(sentinel.state.clients.next_id(), sentinel.state.chunks, sentinel.clock.now().instant), sentinel_(sentinel) {
  sentinel.state.clients.add(session);
  sentinel.state.access->welcome(session);
}

SentinelClient::~SentinelClient() {
  sentinel_.executor.forget(session);
  sentinel_.state.clients.remove(session);
}

std::string encode(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

void SentinelClient::send_bytes(std::string_view bytes) {
  sentinel_.executor.gather(session, bytes);
  sentinel_.executor.execute();
}

void SentinelClient::send(std::string_view line) {
  const auto words = split_words(line);
  VED_ASSERT(words);
  send_bytes(encode(*words));
}

std::string SentinelClient::take_bytes() {
  if (session.has(kHoldOutput)) return {};
  std::string bytes;
  session.output.for_each_piece([&](const char* data, size_t size) { return bytes.append(data, size), true; });
  session.output.clear();
  return bytes;
}

std::string SentinelClient::take() {
  received_ += take_bytes();
  std::string_view rest = received_;
  const auto reply = vedette::testing::take_reply(rest);
  received_ = std::string(rest);
  return reply ? vedette::testing::to_text(*reply) : "";
}

std::string SentinelClient::operator()(std::string_view line) {
  send(line);
  sentinel_.write_state();
  return take();
}

}  // namespace vedette::sentinel::testing
