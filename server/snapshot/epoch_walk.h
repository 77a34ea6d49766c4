// The dataset as it was at one moment, written while it changes.
//
// The walk goes through the databases in the order of hashes, bucket by bucket, in as many slices as its owner likes.
// Between two slices anything may happen to the dataset. What keeps the picture exact is that each entry is written once,
// as it was at the start:
//
//   Behind the walk everything has been written: changes there are nobody's concern.
//   Ahead of it, an entry that is about to change or go is shown to the walk first, which writes it at once and marks it
//   (before_change). One that arrives after the start is marked from its beginning (Database::add). The walk passes
//   over marked entries, and wipes the marks.
//   Positions are hashes, not buckets, so tables may grow and shrink; they belong to the content, not to the number of the
//   database, so SWAPDB moves them along; content that is to be freed (FLUSHALL) is kept here until it has been walked.
//
// A large value is written over several slices. If it is about to change before it is whole, it is finished at once.
// What must be written in between goes to a log beside and follows it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "server/snapshot/snapshot_encoder.h"
#include "server/store/keyspace.h"

namespace vedette {

class EpochWalk final : public ContentWalk {
 public:
  /// One form in which the dataset goes out.
  struct Output {
    BlockLog* log = nullptr;
    std::unique_ptr<SnapshotEncoder> encoder;
  };

  /// The start: the snapshot shows the dataset as it is now. The outputs have begun. No other walk is under way.
  EpochWalk(Keyspace& keyspace, std::vector<Output> outputs);
  /// A walk that is not over wipes its marks first. O(dataset) then.
  ~EpochWalk() override;
  EpochWalk(const EpochWalk&) = delete;
  EpochWalk& operator=(const EpochWalk&) = delete;

  /// Works until `out_of_time` says so (asked after each bucket, and within large values) or the walk is over. True if there
  /// is more to do.
  bool step(const std::function<bool()>& out_of_time);
  /// Writes nothing any more. The marks that it has left are wiped by further steps, which must come to their end before
  /// the next walk may begin.
  void cancel();

  bool over() const { return over_; }
  bool cancelled() const { return cancelled_; }
  /// Keys that the snapshot has, and those of them that have been written.
  uint64_t keys_total() const { return keys_total_; }
  uint64_t keys_written() const { return keys_written_; }
  /// Of those written, how many came out of turn because they were about to change.
  uint64_t pre_images() const { return pre_images_; }

  // ContentWalk
  void before_change(Database& content, Entry& entry) override;
  void keep(Database&& content) override;

 private:
  struct Track {
    Output out;
    int db = -1;              // selected last
    bool unfinished = false;  // has written a part of under_way_
    BlockLog aside_log;       // what came meanwhile
    std::unique_ptr<SnapshotEncoder> aside;
    int aside_db = -1;
  };

  Database* content_of(int origin);
  void walk_bucket(Database& content);
  void finish(Database& content);
  bool write(const Entry& entry, int db, size_t budget_bytes);
  void write_aside(Track& track, const Entry& entry, int db);
  void go_on(size_t budget_bytes);
  void put_aside_into(Track& track);

  Keyspace& keyspace_;
  std::list<Track> tracks_;
  std::list<Database> kept_;
  std::vector<Entry*> bucket_;        // scratch
  const Entry* under_way_ = nullptr;  // of which some output has written a part
  int origin_ = 0;                    // the database being walked, by its number at the start
  int where_ = 0;                     // its number now, if it has not moved again
  bool over_ = false;
  bool cancelled_ = false;
  uint64_t keys_total_ = 0, keys_written_ = 0, pre_images_ = 0;
};

}  // namespace vedette
