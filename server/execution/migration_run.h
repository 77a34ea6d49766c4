// One MIGRATE under way, and one connection to a target. Private to migration.cc and migration_run.cc; the
// rules stand in migration.h.
//
//   kStart       nothing has been done
//   kConnecting  the connection is being made
//   kGreeting    AUTH and SELECT have been sent
//   kMoving      keys go, answers come, in order
//   kOver        answered
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/resp/reply_parser.h"
#include "server/execution/migration.h"
#include "server/replication/link.h"
#include "server/store/entry.h"

namespace vedette {

/// A connection to a target, for one migration after the other.
class MigrationConnection final : public LinkOwner {
 public:
  MigrationConnection(Migrations& all, std::string target);

  // LinkOwner
  void on_link_connected(const std::string& failure) override;
  void on_link_bytes(std::string_view bytes) override;
  bool wants_link_bytes() const override;
  void on_link_closed(const std::string& reason) override;

  const std::string target;  ///< host, port, user and password: what a user of it must agree in
  std::unique_ptr<OutgoingLink> link;
  Migration* user = nullptr;
  bool connected = false;
  int64_t selected_db = -1;  ///< at the target; -1: unknown
  Instant idle_since{};

 private:
  Migrations& all_;
  ReplyParser parser_;
};

class Migration {
  friend class Migrations;

 public:
  Migration(Migrations& all, MigrationRequest request);
  ~Migration();

  void begin();
  void tick(const Now& now);
  /// Sends what can be sent, and ends it when all is done.
  void advance();
  /// Text that stands for the target and what it takes to use a connection to it.
  std::string target() const;
  const MigrationRequest& request() const { return request_; }

  // From the connection.
  void on_connected(const std::string& failure);
  void on_reply(const Reply& reply);
  /// All replies that have come have been told.
  void on_replies_told();
  void on_lost(std::string_view reason) { lose(reason, false); }
  bool wants_replies() const;

 private:
  enum class Step { kStart, kConnecting, kGreeting, kMoving, kOver };
  enum class Order { kRestore, kDelete };
  struct Item {
    std::string key;
    int rounds = 0;          // in which it had changed
    bool at_target = false;  // an older copy of ours
  };
  struct Sent {
    Item item;
    Order order;
    std::unique_ptr<Session> watcher;  // null: a copy
  };

  void connect(bool fresh);
  void greet();
  bool send_next();
  void send_restore(const Entry& entry, const Item& item, int64_t now_ms);
  void on_answer(const Reply& reply);
  void on_restored(Item item, bool changed);
  void on_deleted(Item item);
  void delete_here(const Key& key);
  void propagate_deletions();
  Entry* find(const Key& key, int64_t now_ms) const;
  bool writes_are_paused() const;
  bool is_disturbed() const;
  void note_error(std::string text);
  bool settle(Sent& sent);
  void take_back_all(bool to_send_again);
  void lose(std::string_view reason, bool timed_out);
  void end_with_error(std::string text);
  void end(bool keep_connection);
  void reply_to_client();

  Migrations& all_;
  ServerState& server_;
  MigrationRequest request_;
  Step step_ = Step::kStart;
  MigrationConnection* connection_ = nullptr;
  std::deque<Item> waiting_;
  std::deque<Sent> sent_;
  std::vector<std::string> gone_;  // deleted here, not propagated yet
  int greetings_ = 0;              // replies to come
  bool sent_any_ = false, answered_any_ = false, retried_ = false;
  bool waits_for_claim_ = false;
  bool held_ = false;  // at the last tick no replies were wanted
  const bool was_replica_;
  Instant last_heard_{};
  size_t unsent_ = 0;  // at the last look
  std::string error_;  // the first
  uint64_t write_offset_ = 0;
};

}  // namespace vedette
