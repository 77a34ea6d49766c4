// MIGRATE: keys move (or are copied) to another server, while this one goes on serving.
//
// The caller is suspended, everybody else is not. So what a blocking server has for free must be made here:
// that no change of a key is lost between its dump and the moment when the target has it. The rules:
//
//   1. A key is *claimed* from its dump to the target's answer: no other migration dumps it meanwhile; who wants
//      to, waits. So never do two copies of different age race to one target.
//   2. A key that moves is *watched* for the same time, as by WATCH, with a session of its own. If the target
//      answers OK and nothing has changed, it is deleted here, in the same moment: then the key has moved.
//   3. If it has changed, it is sent again with REPLACE: what the target holds is our own older copy. If it has
//      been deleted here, the target is told to delete that copy. After some rounds that is given up, with an
//      error: the key stays here, and so does the older copy there.
//   4. Whatever fails, a key is deleted here only by rule 2. A key whose answer never came may exist in both
//      places.
//
// What no source can rule out: a target that hangs until the timeout, and afterwards executes what it had
// received, later than a second MIGRATE of the same key by another connection.
//
// A copy (COPY) is the value at the moment of its dump; it needs no watch.
//
// Few keys are under way at a time, so that many keys cost neither memory nor the others' time: the next is
// dumped when answers come. Nothing is sent before the target has accepted AUTH and SELECT, lest keys end in
// the wrong database. What the target refuses is told to the caller (the first refusal), the other keys go
// on. The timeout bounds the target's silence in each step. Nothing is deleted while writes are paused: the
// answers are left unread until then.
//
// The caller may be gone before the end: what was asked for is done all the same. If this server's role
// changes, or its dataset is replaced, the migration ends with an error.
//
// Connections are kept for some seconds for the next MIGRATE to the same target with the same user and
// password, who need not present itself again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "server/execution/server_state.h"

namespace vedette {

class Executor;
class Migration;
class MigrationConnection;

struct MigrationRequest {
  std::string host;
  int port = 0;
  std::string user, password;
  bool authenticate = false;
  int64_t target_db = 0;
  int64_t timeout_ms = 0;
  bool copy = false, replace = false;
  int db = 0;
  std::vector<std::string> keys;  ///< no key twice
  ClientId client = 0;            ///< who waits, suspended
  bool silent = false;            ///< the client wants no reply
};

class Migrations {
 public:
  Migrations(ServerState& server, Executor& executor);
  ~Migrations();
  Migrations(const Migrations&) = delete;
  Migrations& operator=(const Migrations&) = delete;

  /// Begins after the present turn; answers and resumes the client when it is over.
  void start(MigrationRequest request);
  /// Ends what has been silent for too long, and connections that nobody uses.
  void tick(const Now& now);
  /// Open connections to targets, in use or kept.
  size_t connections() const { return connections_.size(); }
  size_t under_way() const { return migrations_.size(); }

 private:
  friend class Migration;
  friend class MigrationConnection;
  /// A connection to the target for `migration`'s use: one that is kept, unless it must be `fresh`. Null:
  /// there is no network.
  MigrationConnection* acquire(Migration& migration, bool fresh);
  void keep(MigrationConnection& connection);
  void drop(MigrationConnection& connection);
  void remove(Migration& migration);
  /// Runs `work` after the present event, unless this has gone by then.
  template <class Work>
  void later(Work work);
  bool claim(int db, const std::string& key);
  void release(int db, const std::string& key);
  std::unique_ptr<Session> new_watcher();

  ServerState& server_;
  Executor& executor_;
  std::vector<std::unique_ptr<Migration>> migrations_;
  std::vector<std::unique_ptr<MigrationConnection>> connections_;
  std::vector<std::unordered_set<std::string>> claims_;  // by database: keys under way
  bool somebody_waits_ = false;                          // for a claim
  std::vector<std::unique_ptr<Session>> watchers_;       // not in use
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vedette
