// Walks one after another, their streams, and the bookkeeping of readers that come and go.
#include "server/execution/snapshots.h"

#include <algorithm>

#include "server/execution/memory_report.h"
#include "server/execution/script_host.h"
#include "server/execution/server_state.h"
#include "server/snapshot/epoch_walk.h"
#include "server/snapshot/whole_dataset.h"

namespace vedette {
namespace {

// The pause that a delay of a test's option stands for, in microseconds for a key.
double delay_per_key_us(int64_t setting) { return setting < 0 ? 1.0 / double(-setting) : double(setting); }

}  // namespace

RdbWriteOptions rdb_write_options(const ServerState& server) {
  RdbWriteOptions options;
  options.compress = server.settings.snapshot_compression;
  options.checksum = server.settings.snapshot_checksum;
  options.clock = &server.keyspace.access;
  switch (server.settings.eviction_policy) {
    case EvictionPolicy::kAllKeysLru:
    case EvictionPolicy::kVolatileLru: options.use = RdbUse::kIdle; break;
    case EvictionPolicy::kAllKeysLfu:
    case EvictionPolicy::kVolatileLfu: options.use = RdbUse::kFrequency; break;
    default: break;
  }
  return options;
}

static std::unique_ptr<SnapshotEncoder> encoder_of(const ServerState& server, SnapshotForm form, BlockLog& log) {
  if (form == SnapshotForm::kCommands) return make_command_encoder(log);
  RdbWriteOptions options = rdb_write_options(server);
  options.field_expiries = form == SnapshotForm::kRdb;
  return make_rdb_encoder(log, options);
}

/// The bytes of one form, and who reads them.
struct Snapshots::Stream {
  explicit Stream(SnapshotForm of) : form(of) {}

  SnapshotForm form;
  BlockLog log{128 * 1024};
  std::vector<SnapshotReader*> readers;
  SnapshotEncoder* encoder = nullptr;  // the walk's; null when the stream has ended
  uint64_t told = 0;                   // the end of the log when the readers were told last

  bool has(const SnapshotReader* reader) const { return std::find(readers.begin(), readers.end(), reader) != readers.end(); }
  // Without a reader, nobody needs anything.
  uint64_t needed_from() const {
    uint64_t position = log.end();
    for (const SnapshotReader* reader : readers) position = std::min(position, reader->snapshot_position());
    return position;
  }
};

struct Snapshots::Walk {
  Instant began;
  EpochWalk walk;
};

// At once, for those who are made after it and want to add to its head.
Snapshots::Snapshots(ServerState& server) : server_(server) { server.snapshots = this; }
Snapshots::~Snapshots() = default;

SnapshotFacts Snapshots::facts(const Now& now) const {
  SnapshotFacts facts;
  facts.redis_version = kCompatibleVersion;
  facts.created_seconds = now.wall.seconds();
  facts.used_memory = told_memory();
  if (server_.scripts) facts.functions = server_.scripts->libraries();
  if (describe) describe(facts);
  return facts;
}

bool Snapshots::serving() const {
  return walk_ && std::any_of(streams_.begin(), streams_.end(), [](const auto& stream) {
           const auto& readers = stream->readers;
           return stream->encoder &&
                  std::any_of(readers.begin(), readers.end(), [](const SnapshotReader* reader) { return reader->wants_more(); });
         });
}

uint64_t Snapshots::keys_written() const { return walk_ ? walk_->walk.keys_written() : 0; }
uint64_t Snapshots::keys_total() const { return walk_ ? walk_->walk.keys_total() : 0; }

size_t Snapshots::memory_bytes() const {
  size_t bytes = 0;
  for (const auto& stream : streams_) bytes += stream->log.memory_bytes();
  return bytes;
}

void Snapshots::request(SnapshotReader& reader, SnapshotForm form) { waiting_.push_back(Waiting{&reader, form}); }

void Snapshots::withdraw(SnapshotReader& reader) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.reader == &reader; });
  for (const auto& stream : streams_) std::erase(stream->readers, &reader);
  drop_unread();
}

// Streams that have ended go with their last reader; a walk goes when none of its streams has one.
void Snapshots::drop_unread() {
  if (telling_) return;
  std::erase_if(streams_, [](const auto& stream) { return !stream->encoder && stream->readers.empty(); });
  if (!walk_ || walk_->walk.cancelled()) return;
  const bool read = std::any_of(streams_.begin(), streams_.end(),
                                [](const auto& stream) { return stream->encoder && !stream->readers.empty(); });
  if (read) return;
  std::erase_if(streams_, [](const auto& stream) { return stream->encoder != nullptr; });
  walk_->walk.cancel();
}

bool Snapshots::behind() const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [&](const auto& stream) { return stream->encoder && stream->log.end() - stream->needed_from() > window_bytes; });
}

bool Snapshots::too_early(Instant at) const {
  const int64_t delay = server_.settings.key_save_delay_us;
  if (__builtin_expect(delay == 0, 1) || walk_->walk.cancelled()) return false;
  return double(walk_->walk.keys_written()) * delay_per_key_us(delay) > double(us_between(walk_->began, at));
}

// Not in the middle of a script, half of whose work it would hold.
bool Snapshots::may_begin() const { return !waiting_.empty() && !(server_.conditions() & kBusyScript); }

bool Snapshots::ready() const {
  if (!walk_) return may_begin();
  if (walk_->walk.cancelled()) return true;
  // What has changed since the last slice has been written too: a reader that has all that it was told of waits for it.
  if (std::any_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream->encoder && stream->log.end() > stream->told; }))
    return true;
  return !behind() && !(server_.settings.key_save_delay_us && server_.clock && too_early(server_.clock->now().instant));
}

void Snapshots::run_slice(const Now& now, int64_t budget_us) {
  if (!walk_ && may_begin()) begin(now);
  if (walk_) work(now, budget_us);
  drop_unread();
}

Snapshots::Stream& Snapshots::stream_of(SnapshotForm form) {
  for (const auto& stream : streams_)
    if (stream->form == form && stream->encoder) return *stream;
  return *streams_.emplace_back(std::make_unique<Stream>(form));
}

void Snapshots::begin(const Now& now) {
  const auto extents = extents_of(server_.keyspace);
  std::vector<EpochWalk::Output> outputs;
  std::vector<Stream*> begun;
  for (const Waiting& waiting : std::exchange(waiting_, {})) {
    Stream& stream = stream_of(waiting.form);
    stream.readers.push_back(waiting.reader);
    if (stream.encoder) continue;
    begun.push_back(&stream);
    outputs.push_back({&stream.log, encoder_of(server_, waiting.form, stream.log)});
    stream.encoder = outputs.back().encoder.get();
    stream.encoder->begin(facts(now), extents);
  }
  walk_.reset(new Walk{now.instant, EpochWalk(server_.keyspace, std::move(outputs))});
  for (Stream* stream : begun) tell_readers(*stream, [&](SnapshotReader& reader) { reader.on_snapshot_start(stream->log); });
}

void Snapshots::work(const Now& now, int64_t budget_us) {
  if (!behind() && !too_early(now.instant)) step(Instant{now.instant.ns + budget_us * 1000});
  if (walk_->walk.over()) return finish();
  for (size_t i = 0; i < streams_.size(); i++)
    if (streams_[i]->encoder) hand_out(*streams_[i]);
}

void Snapshots::step(Instant end) {
  // The readers do not move during a slice: how far each log may go is known.
  std::vector<std::pair<const BlockLog*, uint64_t>> limits;
  for (const auto& stream : streams_)
    if (stream->encoder) limits.emplace_back(&stream->log, stream->needed_from() + window_bytes);
  walk_->walk.step([&] {
    for (const auto& [log, limit] : limits)
      if (log->end() > limit) return true;
    const Instant at = server_.clock ? server_.clock->now().instant : end;
    return at >= end || too_early(at);
  });
}

void Snapshots::trim() {
  for (const auto& stream : streams_)
    if (!stream->encoder) stream->log.trim(stream->needed_from());
}

void Snapshots::finish() {
  std::vector<Stream*> ended;
  for (const auto& stream : streams_) {
    if (!stream->encoder) continue;
    ended.push_back(stream.get());
    stream->encoder->end();
    hand_out(*stream);
  }
  walk_.reset();
  for (Stream* stream : ended) stream->encoder = nullptr;
  for (Stream* stream : ended) tell_readers(*stream, [](SnapshotReader& reader) { reader.on_snapshot_end(Status::ok()); });
}

void Snapshots::hand_out(Stream& stream) {
  stream.encoder->settle();
  if (stream.log.end() == stream.told) return;
  stream.told = stream.log.end();
  tell_readers(stream, [](SnapshotReader& reader) { reader.on_snapshot_bytes(); });
  stream.log.trim(stream.needed_from());
}

// A reader that is told may withdraw itself or others, and request.
template <class Tell>
void Snapshots::tell_readers(Stream& stream, Tell&& tell) {
  VED_ASSERT(!telling_);
  telling_ = true;
  for (SnapshotReader* reader : std::vector<SnapshotReader*>(stream.readers))
    if (stream.has(reader)) tell(*reader);
  telling_ = false;
}

}  // namespace vedette
