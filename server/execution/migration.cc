// All migrations, the connections that they use one after the other, and the keys that are under way.
#include "server/execution/migration.h"

#include <algorithm>
#include <utility>

#include "server/execution/executor.h"
#include "server/execution/migration_run.h"

namespace vedette {
namespace {

constexpr int64_t kIdleMsMax = 10000;
constexpr size_t kIdleConnectionsMax = 64;

// What a target may answer: lines.
constexpr ReplyLimits kTargetReplies{
    .line_bytes_max = 64 * 1024, .bulk_bytes_max = 64 * 1024, .total_bytes_max = 128 * 1024, .values_max = 16, .depth_max = 2};

}  // namespace

Migrations::Migrations(ServerState& server, Executor& executor)
    : server_(server), executor_(executor), claims_(size_t(server.keyspace.count())) {}

Migrations::~Migrations() {
  *alive_ = false;
  migrations_.clear();
  for (const auto& connection : connections_)
    if (connection->link) connection->link->disown();
}

template <class Work>
void Migrations::later(Work work) {
  server_.actions->post([alive = alive_, work = std::move(work)]() mutable {
    if (*alive) work();
  });
}

void Migrations::start(MigrationRequest request) {
  migrations_.push_back(std::make_unique<Migration>(*this, std::move(request)));
  later([this, migration = migrations_.back().get()] {
    // It ends only after its beginning, unless the server does.
    executor_.refresh_now();
    migration->begin();
  });
}

void Migrations::tick(const Now& now) {
  std::vector<Migration*> all;
  for (const auto& migration : migrations_) all.push_back(migration.get());
  for (Migration* migration : all) migration->tick(now);  // each may end, but no other
  std::vector<MigrationConnection*> old;
  for (const auto& connection : connections_)
    if (!connection->user && ms_between(connection->idle_since, now.instant) >= kIdleMsMax) old.push_back(connection.get());
  for (MigrationConnection* connection : old) drop(*connection);
}

MigrationConnection* Migrations::acquire(Migration& migration, bool fresh) {
  const std::string target = migration.target();
  for (const auto& connection : connections_) {
    if (fresh || connection->user || connection->target != target) continue;
    connection->user = &migration;
    return connection.get();
  }
  auto connection = std::make_unique<MigrationConnection>(*this, target);
  connection->link = server_.actions->connect(LinkUse::kMigration, migration.request().host, migration.request().port, *connection);
  if (!connection->link) return nullptr;
  connection->user = &migration;
  connections_.push_back(std::move(connection));
  return connections_.back().get();
}

void Migrations::keep(MigrationConnection& connection) {
  connection.user = nullptr;
  connection.idle_since = executor_.now().instant;
  MigrationConnection* oldest = nullptr;
  size_t idle = 0;
  for (const auto& other : connections_) {
    if (other->user) continue;
    idle++;
    if (!oldest || other->idle_since < oldest->idle_since) oldest = other.get();
  }
  if (idle > kIdleConnectionsMax) drop(*oldest);
}

// It goes after the event that it may be in the middle of.
void Migrations::drop(MigrationConnection& connection) {
  connection.user = nullptr;
  connection.link->disown();
  const auto it = std::find_if(connections_.begin(), connections_.end(), [&](const auto& other) { return other.get() == &connection; });
  VED_ASSERT(it != connections_.end());
  std::shared_ptr<MigrationConnection> last(std::move(*it));
  connections_.erase(it);
  server_.actions->post([last = std::move(last)]() mutable { last.reset(); });
}

void Migrations::remove(Migration& migration) {
  const auto it = std::find_if(migrations_.begin(), migrations_.end(), [&](const auto& other) { return other.get() == &migration; });
  VED_ASSERT(it != migrations_.end());
  std::shared_ptr<Migration> last(std::move(*it));
  migrations_.erase(it);
  later([last = std::move(last)]() mutable { last.reset(); });
}

bool Migrations::claim(int db, const std::string& key) {
  if (claims_[size_t(db)].insert(key).second) return true;
  somebody_waits_ = true;
  return false;
}

void Migrations::release(int db, const std::string& key) {
  claims_[size_t(db)].erase(key);
  if (!std::exchange(somebody_waits_, false)) return;
  later([this] {
    std::vector<Migration*> waiting;
    for (const auto& migration : migrations_)
      if (migration->waits_for_claim_) waiting.push_back(migration.get());
    for (Migration* migration : waiting) migration->advance();  // each may end, but no other
  });
}

std::unique_ptr<Session> Migrations::new_watcher() {
  if (watchers_.empty()) {
    auto watcher = std::make_unique<Session>(0, server_.chunks, executor_.now().instant);
    watcher->set(kInternal);
    return watcher;
  }
  auto watcher = std::move(watchers_.back());
  watchers_.pop_back();
  watcher->unset(kTransactionStale);
  return watcher;
}

// --- a connection

MigrationConnection::MigrationConnection(Migrations& all, std::string to) : target(std::move(to)), all_(all), parser_(kTargetReplies) {}

void MigrationConnection::on_link_connected(const std::string& failure) {
  all_.executor_.refresh_now();
  if (user) user->on_connected(failure);
}

void MigrationConnection::on_link_bytes(std::string_view bytes) {
  all_.executor_.refresh_now();
  Migration* const hearer = user;
  if (!hearer) return all_.drop(*this);  // nobody has asked anything
  while (!bytes.empty() && user == hearer) {
    const ReplyParser::Outcome outcome = parser_.parse(bytes);
    if (outcome == ReplyParser::Outcome::kBroken) return hearer->on_lost(parser_.fault());
    if (outcome == ReplyParser::Outcome::kReply) hearer->on_reply(parser_.take());
  }
  if (user == hearer) hearer->on_replies_told();
}

// A key that has arrived is deleted here: not in the middle of a script.
bool MigrationConnection::wants_link_bytes() const {
  return !(all_.server_.conditions() & kBusyScript) && (!user || user->wants_replies());
}

void MigrationConnection::on_link_closed(const std::string& reason) {
  all_.executor_.refresh_now();
  if (user) user->on_lost(reason);
  else all_.drop(*this);
}

}  // namespace vedette
