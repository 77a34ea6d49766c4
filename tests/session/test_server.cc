// The server without sockets that the session tests run on.
#include "tests/session/test_server.h"

#include "common/base/numbers.h"
#include "common/base/text.h"
#include "server/commands/families.h"

namespace vedette::testing {
namespace {

std::string all_as_text(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto reply = take_reply(bytes);
    if (!text.empty()) text += ' ';
    if (!reply) return text + "(torn) " + quoted(bytes);
    text += to_text(*reply);
  }
  return text;
}

}  // namespace

void RecordedEffects::on_effects(const EffectBatch& effects) {
  std::string block;
  for (size_t e = 0; e < effects.size(); e++) {
    const Effect effect = effects[e];
    if (!block.empty()) block += "; ";
    if (effect.db) block += vedette::to_text(int64_t(effect.db)) + ":";
    for (size_t i = 0; i < effect.argv.size(); i++) {
      if (i) block += ' ';
      block += quoted_if_needed(effect.argv[i]);
    }
  }
  if (!text_.empty()) text_ += "; ";
  text_ += effects.size() > 1 ? "{" + block + "}" : block;
}

std::string RecordedEffects::take() {
  std::string text;
  text.swap(text_);
  return text;
}

void RecordedEvents::deliver(const Message& message) {
  if (!text_.empty()) text_ += ' ';
  text_ += message.channel.substr(message.channel.find(':') + 1);
  text_ += ':';
  text_ += message.payload;
}

std::string RecordedEvents::take() {
  std::string text;
  text.swap(text_);
  return text;
}

TestServer::TestServer(uint64_t seed) : state(16, HashKey{seed, ~seed}, seed), executor(state, clock) {
  register_memory_thread();
  state.actions = &actions;
  state.replication = &replication;
  state.migrations = &migrations;
  state.process.run_id = std::string(40, 'a');
  state.process.version = "0.0.0";
  state.process.started = clock.now().instant;
  state.process.started_wall = clock.now().wall;
  add_all_commands(state.commands);
  executor.prepare();
}

TestServer::~TestServer() {
  VED_ASSERT(state.clients.size() == 0);
  state.channels.unsubscribe_all(events_);
}

void TestServer::advance_ms(int64_t ms) {
  clock.advance_us(ms * 1000);
  executor.refresh_now();
}

void TestServer::turn() {
  executor.execute();
  while ((executor.has_backlog() && !executor.stands_still()) || !actions.posted.empty()) {
    std::vector<std::function<void()>> tasks;
    tasks.swap(actions.posted);
    for (const auto& task : tasks) task();
    executor.gather_backlog();
    executor.execute();
  }
  executor.end_turn();
}

RecordedEffects& TestServer::effects() {
  if (state.effect_sinks.empty()) state.effect_sinks.push_back(&effects_);
  return effects_;
}

RecordedEvents& TestServer::events() {
  state.settings.notify_classes |= kNotifyKeyevent | kNotifyAll;
  state.channels.subscribe_pattern(events_, "__keyevent@*");
  return events_;
}

const Entry* TestServer::entry(std::string_view key, int db) const {
  const auto& database = state.keyspace.db(db);
  const Database::Place place = database.find(database.key_of(key));
  return place ? place.item() : nullptr;
}

std::string request_bytes(const std::vector<std::string_view>& argv) {
  std::string bytes = "*" + vedette::to_text(int64_t(argv.size())) + "\r\n";
  for (const std::string_view arg : argv) {
    bytes += "$" + vedette::to_text(int64_t(arg.size())) + "\r\n";
    bytes += arg;
    bytes += "\r\n";
  }
  return bytes;
}

TestClient::TestClient(TestServer& server)
    : session(server.state.clients.next_id(), server.state.chunks, server.executor.now().instant), server_(server) {
  server.state.clients.add(session);
  server.state.access->welcome(session);
}

TestClient::~TestClient() {
  server_.executor.forget(session);
  server_.state.clients.remove(session);
}

std::string TestClient::operator()(std::string_view line) {
  const auto words = split_words(line);
  VED_ASSERT(words);
  return call(std::vector<std::string_view>(words->begin(), words->end()));
}

std::string TestClient::call(std::vector<std::string_view> argv) { return all_as_text(send(request_bytes(argv))); }

std::string TestClient::send(std::string_view bytes) {
  server_.executor.gather(session, bytes);
  server_.turn();
  return pending_bytes();
}

std::string TestClient::pending() { return all_as_text(pending_bytes()); }

std::string TestClient::pending_bytes() {
  std::string bytes;
  session.output.for_each_piece([&](const char* data, size_t size) { return bytes.append(data, size), true; });
  session.output.clear();
  return bytes;
}

}  // namespace vedette::testing
