// The walk: bucket by bucket, out of turn where something is about to change.
#include "server/snapshot/epoch_walk.h"

#include <algorithm>

#include "server/snapshot/whole_dataset.h"

namespace vedette {
namespace {

constexpr size_t kValueSliceBytes = 64 * 1024;  // of a large value between two looks at the clock
constexpr uint64_t kPassed = Database::Table::kCursors;

}  // namespace

EpochWalk::EpochWalk(Keyspace& keyspace, std::vector<Output> outputs) : keyspace_(keyspace) {
  for (Output& output : outputs) tracks_.emplace_back().out = std::move(output);
  for (int i = 0; i < keyspace.count(); i++) {
    Database& content = keyspace.db(i);
    VED_ASSERT(content.walk().origin < 0);
    if (content.size() == 0) continue;
    content.walk() = WalkPosition{this, 0, i};
    keys_total_ += content.size();
  }
}

EpochWalk::~EpochWalk() {
  cancel();
  step([] { return false; });
}

bool EpochWalk::step(const std::function<bool()>& out_of_time) {
  while (!over_) {
    if (under_way_) {
      go_on(kValueSliceBytes);
    } else if (Database* content = content_of(origin_)) {
      walk_bucket(*content);
    } else {
      over_ = ++origin_ >= keyspace_.count();
      continue;
    }
    if (out_of_time()) break;
  }
  return !over_;
}

void EpochWalk::cancel() {
  if (cancelled_ || over_) return;
  cancelled_ = true;
  under_way_ = nullptr;
  for (Database& content : kept_) {
    content.walk() = {};
    keyspace_.discard(std::move(content));
  }
  kept_.clear();
  for (int i = 0; i < keyspace_.count(); i++) keyspace_.db(i).walk().walk = nullptr;
}

// None: the database was empty, or has been passed, or (after cancel()) was emptied, its marks being gone with it.
Database* EpochWalk::content_of(int origin) {
  const auto is_it = [origin](const Database& content) { return content.walk().origin == origin; };
  if (is_it(keyspace_.db(where_))) return &keyspace_.db(where_);
  for (where_ = 0; where_ < keyspace_.count(); where_++)
    if (is_it(keyspace_.db(where_))) return &keyspace_.db(where_);
  where_ = 0;
  const auto kept = std::find_if(kept_.begin(), kept_.end(), is_it);
  return kept == kept_.end() ? nullptr : &*kept;
}

void EpochWalk::walk_bucket(Database& content) {
  WalkPosition& position = content.walk();
  fetch_entries_ahead(content.table(), position.cursor);
  bucket_.clear();
  const uint64_t next = content.table().scan(position.cursor, [this](Entry& entry, bool) { bucket_.push_back(&entry); });
  for (size_t i = 0; !cancelled_ && i < bucket_.size(); i++) {
    if (bucket_[i]->walked() || write(*bucket_[i], position.origin, kValueSliceBytes)) continue;
    // The walk comes back to this bucket: what is done must tell so.
    under_way_ = bucket_[i];
    for (size_t done = 0; done <= i; done++) bucket_[done]->set_walked(true);
    return;
  }
  for (Entry* entry : bucket_)
    if (entry->walked()) entry->set_walked(false);
  position.cursor = next ? next : kPassed;
  if (!next) finish(content);
}

void EpochWalk::finish(Database& content) {
  content.walk() = {};
  const auto kept = std::find_if(kept_.begin(), kept_.end(), [&](const Database& one) { return &one == &content; });
  if (kept == kept_.end()) return;
  keyspace_.discard(std::move(*kept));
  kept_.erase(kept);
}

bool EpochWalk::write(const Entry& entry, int db, size_t budget_bytes) {
  bool whole = true;
  for (Track& track : tracks_) {
    if (track.unfinished) {
      write_aside(track, entry, db);
      continue;
    }
    if (track.db != db) track.out.encoder->select(track.db = db);
    if (track.out.encoder->entry(entry, budget_bytes)) continue;
    track.unfinished = true;
    whole = false;
  }
  keys_written_++;
  return whole;
}

void EpochWalk::write_aside(Track& track, const Entry& entry, int db) {
  if (!track.aside) {
    track.aside = track.out.encoder->beside(track.aside_log);
    track.aside->hurry(true);
  }
  if (track.aside_db != db) track.aside->select(track.aside_db = db);
  track.aside->entry(entry, SnapshotEncoder::kNoBudget);
}

void EpochWalk::go_on(size_t budget_bytes) {
  bool whole = true;
  for (Track& track : tracks_) {
    if (!track.unfinished) continue;
    if (track.out.encoder->go_on(budget_bytes)) {
      track.unfinished = false;
      if (track.aside) put_aside_into(track);
    } else {
      whole = false;
    }
  }
  if (whole) under_way_ = nullptr;
}

void EpochWalk::put_aside_into(Track& track) {
  track.aside_log.for_each_piece(track.aside_log.begin(), [&](const char* bytes, size_t size) {
    track.out.log->append({bytes, size});
    return true;
  });
  track.aside.reset();
  track.aside_log.restart(0);
  track.db = std::exchange(track.aside_db, -1);
}

void EpochWalk::before_change(Database& content, Entry& entry) {
  if (&entry != under_way_ && entry.walked()) return;
  for (Track& track : tracks_) track.out.encoder->hurry(true);
  if (&entry == under_way_) {
    go_on(SnapshotEncoder::kNoBudget);
  } else {
    write(entry, content.walk().origin, SnapshotEncoder::kNoBudget);
    entry.set_walked(true);
    pre_images_++;
  }
  for (Track& track : tracks_) track.out.encoder->hurry(false);
}

void EpochWalk::keep(Database&& content) {
  VED_ASSERT(content.walk().walk == this && !cancelled_);
  kept_.push_back(std::move(content));
}

}  // namespace vedette
