// A stream in an RDB, as Redis 7.0 writes it (STREAM_LISTPACKS_2):
//
//   blocks: count, then for each its first id (a string of 16 bytes, big-endian) and its listpack (a string)
//   entries now, last id, first id, greatest deleted id, entries ever added        (5.0: the first two only)
//   groups: count, then for each
//     name, last id, entries read (not in 5.0)
//     pending: count, then for each id (16 bytes), time of delivery (int64), deliveries
//     consumers: count, then for each
//       name, time seen (int64), time active (int64, from 7.2 on)
//       pending: count, then for each id (16 bytes)
//
// What was given back to a group is pending for no consumer, which none of these forms knows. It is written as pending for a
// consumer without a name since time 0, and read back from there; to other servers it is just that.
#include "server/snapshot/stream_forms.h"

#include <bit>
#include <cstring>

#include "common/base/numbers.h"
#include "server/snapshot/command_text.h"
#include "server/store/packed.h"
#include "server/store/stream_value.h"

namespace vedette {
namespace {

constexpr size_t kIdBytes = 16;
constexpr std::string_view kNobody{};

using Place = StreamPendings::Place;

uint64_t big_endian(uint64_t number) { return __builtin_bswap64(number); }
static_assert(std::endian::native == std::endian::little);

struct RawId {
  char bytes[kIdBytes];
  explicit RawId(const StreamId& id) {
    const uint64_t parts[] = {big_endian(id.ms), big_endian(id.seq)};
    std::memcpy(bytes, parts, sizeof parts);
  }
  operator std::string_view() const { return {bytes, kIdBytes}; }  // NOLINT: bytes are a view of themselves
};

StreamId id_of(const char* bytes) {
  uint64_t parts[2];
  std::memcpy(parts, bytes, sizeof parts);
  return {big_endian(parts[0]), big_endian(parts[1])};
}

void write_id(BlockLog& out, const StreamId& id) {
  write_rdb_length(out, id.ms);
  write_rdb_length(out, id.seq);
}
void write_time(BlockLog& out, int64_t ms) { out.append({reinterpret_cast<const char*>(&ms), sizeof ms}); }

size_t count_of_nobody(const StreamGroup& group) {
  size_t owned = 0;
  for (const auto& consumer : group.consumers) owned += consumer->pending.size();
  return group.pending.size() - owned;
}

// Where writing stands: `done` holds the indexes of the group and of its consumer under way, `cursor` is a place.
enum Step : int { kBegin, kBlocks, kGroup, kGroupPending, kConsumer, kConsumerPending, kNobodyPending };

size_t group_index(const ValueProgress& progress) { return size_t(progress.done >> 32); }
size_t consumer_index(const ValueProgress& progress) { return size_t(uint32_t(progress.done)); }
void go_to_next_group(ValueProgress& progress) { progress.done = uint64_t(group_index(progress) + 1) << 32; }

class Writer {
 public:
  Writer(const StreamValue& stream, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget)
      : stream_(stream), out_(out), options_(options), progress_(progress), begin_(out.end()), budget_(budget) {}

  bool run() {
    if (progress_.step == kBegin) {
      write_rdb_length(out_, stream_.blocks().size());
      go_to(kBlocks);
    }
    while (!finished_ && out_.end() - begin_ < budget_) step();
    if (finished_) progress_.reset();
    return finished_;
  }

 private:
  const StreamGroup& group() const { return stream_.groups[group_index(progress_)]; }
  void go_to(Step step) { progress_.step = step, progress_.cursor = 0; }
  void step() {
    switch (progress_.step) {
      case kBlocks: return blocks();
      case kGroup: return begin_group();
      case kGroupPending: return group_pending();
      case kConsumer: return begin_consumer();
      case kConsumerPending: return consumer_pending();
      default: return nobody_pending();
    }
  }

  void blocks() {
    const StreamBlocks& all = stream_.blocks();
    const auto place = StreamBlocks::Place::of_number(progress_.cursor);
    if (const StreamBlock* block = all.at(place)) {
      write_rdb_string(out_, RawId(block->first), false);
      write_rdb_string(out_, block->pack(), options_.compress);
      progress_.cursor = all.next(place).as_number();
      return;
    }
    write_rdb_length(out_, stream_.length());
    write_id(out_, stream_.last_id);
    write_id(out_, stream_.first_id());
    write_id(out_, stream_.max_deleted_id);
    write_rdb_length(out_, stream_.entries_added);
    write_rdb_length(out_, stream_.groups.size());
    go_to(kGroup);
  }

  void begin_group() {
    if (group_index(progress_) == stream_.groups.size()) {
      finished_ = true;
      return;
    }
    write_rdb_string(out_, group().name, options_.compress);
    write_id(out_, group().last_id);
    write_rdb_length(out_, uint64_t(group().entries_read));
    write_rdb_length(out_, group().pending.size());
    go_to(kGroupPending);
  }

  void group_pending() {
    const auto place = Place::of_number(progress_.cursor);
    if (const StreamPending* pending = group().pending.at(place)) {
      out_.append(RawId(pending->id));
      write_time(out_, pending->delivered_ms);
      write_rdb_length(out_, pending->deliveries);
      progress_.cursor = group().pending.next(place).as_number();
      return;
    }
    // A real consumer without a name takes what is nobody's to itself.
    const bool nobody = count_of_nobody(group()) > 0 && !group().find_consumer(kNobody);
    write_rdb_length(out_, group().consumers.size() + nobody);
    go_to(kConsumer);
  }

  void begin_consumer() {
    if (consumer_index(progress_) < group().consumers.size()) {
      const StreamConsumer& consumer = *group().consumers[consumer_index(progress_)];
      write_rdb_string(out_, consumer.name, options_.compress);
      write_time(out_, consumer.seen_ms);
      write_rdb_length(out_, consumer.pending.size() + (consumer.name == kNobody ? count_of_nobody(group()) : 0));
      return go_to(kConsumerPending);
    }
    const size_t nobodys = count_of_nobody(group());
    if (nobodys > 0 && !group().find_consumer(kNobody)) {
      write_rdb_string(out_, kNobody, false);
      write_time(out_, 0);
      write_rdb_length(out_, nobodys);
      return go_to(kNobodyPending);
    }
    next_group();
  }

  void consumer_pending() {
    const StreamConsumer& consumer = *group().consumers[consumer_index(progress_)];
    const auto place = Place::of_number(progress_.cursor);
    if (const StreamPending* pending = consumer.pending.at(place)) {
      out_.append(RawId(pending->id));
      progress_.cursor = consumer.pending.next(place).as_number();
      return;
    }
    progress_.done++;
    go_to(consumer.name == kNobody ? kNobodyPending : kConsumer);
  }

  void nobody_pending() {
    auto place = Place::of_number(progress_.cursor);
    const StreamPendings& all = group().pending;
    while (all.at(place) && all.at(place)->owner) place = all.next(place);
    if (const StreamPending* pending = all.at(place)) {
      out_.append(RawId(pending->id));
      progress_.cursor = all.next(place).as_number();
      return;
    }
    if (group().find_consumer(kNobody)) go_to(kConsumer);
    else next_group();
  }

  void next_group() {
    go_to_next_group(progress_);
    go_to(kGroup);
  }

  const StreamValue& stream_;
  BlockLog& out_;
  const ValueWriteOptions& options_;
  ValueProgress& progress_;
  const uint64_t begin_;
  const size_t budget_;
  bool finished_ = false;
};

// What is read of a stream, and what is still to come; kept as bytes in the reading's scratch.
struct Reading {
  enum Part : uint8_t { kBlocks, kTail, kGroup, kGroupPending, kConsumers, kConsumer, kConsumerPending } part = kBlocks;
  uint64_t left = 0;  // of the list under way
  uint64_t groups_left = 0, consumers_left = 0;
  uint64_t owned = 0;  // of the group's pending entries, those that have found their consumer
  StreamGroup* group = nullptr;
  StreamConsumer* consumer = nullptr;
};

class Reader {
 public:
  Reader(RdbInput& input, ValueReading& reading, StreamValue& stream, Reading& state)
      : input_(input), reading_(reading), stream_(stream), state_(state), version_(version_of(reading.code)) {}

  ReadOutcome run() {
    ReadOutcome outcome = ReadOutcome::kDone;
    while (outcome == ReadOutcome::kDone && !finished_) {
      const char* before = input_.at;
      outcome = step();
      if (outcome == ReadOutcome::kMore) {
        // A step is taken whole or not at all.
        input_.wanted += size_t(input_.at - before);
        input_.at = before;
      }
    }
    return outcome;
  }

 private:
  static int version_of(uint8_t code) {
    if (code == uint8_t(RdbType::kStreamListpacks)) return 1;
    return code == uint8_t(RdbType::kStreamListpacks2) ? 2 : 3;
  }
  ReadOutcome fail(const char* what) {
    reading_.error = what;
    return ReadOutcome::kFailed;
  }
  // Takes one after the other, as long as all is there.
  template <class... Values>
  ReadOutcome lengths(Values&... values) {
    ReadOutcome outcome = ReadOutcome::kDone;
    ((outcome = outcome == ReadOutcome::kDone ? read_rdb_length(input_, values, reading_.error) : outcome), ...);
    return outcome;
  }
  ReadOutcome raw(char* to, size_t size) {
    if (input_.size() < size) {
      input_.wanted = size;
      return ReadOutcome::kMore;
    }
    std::memcpy(to, input_.at, size);
    input_.at += size;
    return ReadOutcome::kDone;
  }
  ReadOutcome time(int64_t& ms) { return raw(reinterpret_cast<char*>(&ms), sizeof ms); }

  ReadOutcome step() {
    switch (state_.part) {
      case Reading::kBlocks: return block();
      case Reading::kTail: return tail();
      case Reading::kGroup: return group();
      case Reading::kGroupPending: return group_pending();
      case Reading::kConsumers: return consumers();
      case Reading::kConsumer: return consumer();
      default: return consumer_pending();
    }
  }

  ReadOutcome block() {
    if (state_.left == 0) {
      state_.part = Reading::kTail;
      return ReadOutcome::kDone;
    }
    std::string id_scratch, pack_scratch;
    std::string_view id_bytes, pack;
    ReadOutcome outcome = read_rdb_string(input_, id_scratch, id_bytes, reading_.error);
    if (outcome == ReadOutcome::kDone) outcome = read_rdb_string(input_, pack_scratch, pack, reading_.error);
    if (outcome != ReadOutcome::kDone) return outcome;
    if (id_bytes.size() != kIdBytes) return fail("a stream's block has no id of 16 bytes");
    const StreamId first = id_of(id_bytes.data());
    const auto facts = check_stream_block(first, pack);
    if (!facts) return fail("Stream listpack integrity check failed");
    if (!stream_.adopt_block(first, pack, *facts)) return fail("a stream's blocks are not in order");
    state_.left--;
    return ReadOutcome::kDone;
  }

  ReadOutcome tail() {
    uint64_t length = 0, groups = 0;
    StreamId last, first, max_deleted;
    uint64_t added = 0;
    ReadOutcome outcome = lengths(length, last.ms, last.seq);
    if (version_ > 1 && outcome == ReadOutcome::kDone) outcome = lengths(first.ms, first.seq, max_deleted.ms, max_deleted.seq, added);
    else added = length;
    if (outcome == ReadOutcome::kDone) outcome = lengths(groups);
    if (outcome != ReadOutcome::kDone) return outcome;
    if (length != stream_.length()) return fail("a stream has another number of entries than it says");
    if (stream_.last_stored_id() > last) return fail("a stream has entries after its last id");
    stream_.last_id = last;
    stream_.max_deleted_id = max_deleted;
    stream_.entries_added = added;
    state_.groups_left = groups;
    state_.part = Reading::kGroup;
    return ReadOutcome::kDone;
  }

  ReadOutcome group() {
    if (state_.groups_left == 0) {
      finished_ = true;
      return ReadOutcome::kDone;
    }
    std::string scratch;
    std::string_view name;
    StreamId last;
    uint64_t read = 0, pending = 0;
    ReadOutcome outcome = read_rdb_string(input_, scratch, name, reading_.error);
    if (outcome == ReadOutcome::kDone) outcome = lengths(last.ms, last.seq);
    if (outcome == ReadOutcome::kDone && version_ > 1) outcome = lengths(read);
    if (outcome == ReadOutcome::kDone) outcome = lengths(pending);
    if (outcome != ReadOutcome::kDone) return outcome;
    if (version_ == 1) read = stream_.added_up_to(last).value_or(uint64_t(kEntriesReadUnknown));
    state_.group = stream_.groups.create(name, last, int64_t(read));
    if (!state_.group) return fail("Duplicated consumer group name");
    state_.groups_left--;
    state_.left = pending;
    state_.owned = 0;
    state_.part = Reading::kGroupPending;
    return ReadOutcome::kDone;
  }

  ReadOutcome group_pending() {
    if (state_.left == 0) {
      state_.part = Reading::kConsumers;
      return ReadOutcome::kDone;
    }
    char id[kIdBytes];
    StreamPending pending{};
    ReadOutcome outcome = raw(id, sizeof id);
    if (outcome == ReadOutcome::kDone) outcome = time(pending.delivered_ms);
    if (outcome == ReadOutcome::kDone) outcome = lengths(pending.deliveries);
    if (outcome != ReadOutcome::kDone) return outcome;
    pending.id = id_of(id);
    if (state_.group->pending.find(pending.id)) return fail("Duplicated global PEL entry");
    stream_.groups.add_pending(*state_.group, nullptr, pending);
    state_.left--;
    return ReadOutcome::kDone;
  }

  ReadOutcome consumers() {
    const ReadOutcome outcome = lengths(state_.consumers_left);
    if (outcome == ReadOutcome::kDone) state_.part = Reading::kConsumer;
    return outcome;
  }

  ReadOutcome consumer() {
    if (state_.consumers_left == 0) {
      if (state_.owned != state_.group->pending.size()) return fail("NACK entry without a consumer");
      state_.part = Reading::kGroup;
      return ReadOutcome::kDone;
    }
    std::string scratch;
    std::string_view name;
    int64_t seen = 0, active = 0;
    uint64_t pending = 0;
    ReadOutcome outcome = read_rdb_string(input_, scratch, name, reading_.error);
    if (outcome == ReadOutcome::kDone) outcome = time(seen);
    if (outcome == ReadOutcome::kDone && version_ > 2) outcome = time(active);
    if (outcome == ReadOutcome::kDone) outcome = lengths(pending);
    if (outcome != ReadOutcome::kDone) return outcome;
    state_.consumer = stream_.groups.create_consumer(*state_.group, name, seen);
    if (!state_.consumer) return fail("Duplicate stream consumer detected");
    state_.consumer->active_ms = version_ > 2 ? active : seen;  // the best guess there is
    state_.consumers_left--;
    state_.left = pending;
    state_.part = Reading::kConsumerPending;
    return ReadOutcome::kDone;
  }

  ReadOutcome consumer_pending() {
    if (state_.left == 0) {
      // One without a name that was never seen stood for nobody.
      if (state_.consumer->name == kNobody && state_.consumer->seen_ms == 0 && state_.consumer->pending.empty())
        stream_.groups.remove_consumer(*state_.group, *state_.consumer);
      state_.part = Reading::kConsumer;
      return ReadOutcome::kDone;
    }
    char id[kIdBytes];
    const ReadOutcome outcome = raw(id, sizeof id);
    if (outcome != ReadOutcome::kDone) return outcome;
    StreamPending* pending = state_.group->pending.find(id_of(id));
    if (!pending) return fail("Consumer entry not found in group global PEL");
    if (pending->owner) return fail("Duplicated consumer PEL entry loading a stream consumer group");
    // Nobody's entries could be named twice here: the count of owned ones does not add up then.
    if (!(state_.consumer->name == kNobody && pending->delivered_ms == 0)) stream_.groups.give(*pending, state_.consumer);
    state_.owned++;
    state_.left--;
    return ReadOutcome::kDone;
  }

  RdbInput& input_;
  ValueReading& reading_;
  StreamValue& stream_;
  Reading& state_;
  const int version_;
  bool finished_ = false;
};

}  // namespace

namespace {

enum PrintStep : int { kPrintBlocks, kPrintGroup, kPrintConsumers, kPrintPending };

// Tells a stream as commands: its entries block by block, then what they do not tell of it, then its groups.
class Printer {
 public:
  Printer(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget)
      : key_(entry.key()), stream_(stream_of(entry)), out_(out), progress_(progress), begin_(out.end()), budget_(budget) {}

  bool run() {
    while (!finished_ && out_.end() - begin_ < budget_) step();
    if (finished_) progress_.reset();
    return finished_;
  }

 private:
  using Words = std::initializer_list<std::string_view>;

  const StreamGroup& group() const { return stream_.groups[group_index(progress_)]; }
  void go_to(PrintStep step) { progress_.step = step, progress_.cursor = 0; }
  void step() {
    switch (progress_.step) {
      case kPrintBlocks: return blocks();
      case kPrintGroup: return begin_group();
      case kPrintConsumers: return consumers();
      default: return pending();
    }
  }

  void begin(size_t words) {
    char* to = out_.reserve(kArgumentFrame);
    char* end = to;
    *end++ = '*';
    end += print_unsigned(end, words);
    out_.commit(size_t(put_text(end, "\r\n") - to));
  }
  void command(Words words) {
    begin(words.size());
    for (const std::string_view word : words) append_argument(out_, word);
  }
  struct Number {
    char digits[20];
    size_t size;
    explicit Number(uint64_t number) : size(print_unsigned(digits, number)) {}
    explicit Number(int64_t number) : size(print_integer(digits, number)) {}
    operator std::string_view() const { return {digits, size}; }  // NOLINT: a text is a view of itself
  };

  void blocks() {
    const StreamBlocks& all = stream_.blocks();
    const auto place = StreamBlocks::Place::of_number(progress_.cursor);
    if (const StreamBlock* block = all.at(place)) {
      StreamBlockReader reader(*block);
      for (bool more = reader.to_first(); more; more = reader.next())
        if (!reader.is_deleted()) entry(reader);
      progress_.cursor = all.next(place).as_number();
      return;
    }
    // A stream without entries is made by adding one that is trimmed at once.
    if (stream_.empty()) {
      StreamId id = stream_.last_id;
      if (id.is_zero()) id.advance();
      command({"XADD", key_, "MAXLEN", "0", StreamIdText(id), "x", "y"});
    }
    command({"XSETID", key_, StreamIdText(stream_.last_id), "ENTRIESADDED", Number(stream_.entries_added), "MAXDELETEDID",
             StreamIdText(stream_.max_deleted_id)});
    go_to(kPrintGroup);
  }

  void entry(const StreamBlockReader& reader) {
    begin(3 + 2 * reader.fields());
    append_argument(out_, "XADD");
    append_argument(out_, key_);
    append_argument(out_, StreamIdText(reader.id()));
    reader.for_each_field([this](std::string_view field, std::string_view value) {
      append_argument(out_, field);
      append_argument(out_, value);
    });
  }

  void begin_group() {
    if (group_index(progress_) == stream_.groups.size()) {
      finished_ = true;
      return;
    }
    command({"XGROUP", "CREATE", key_, group().name, StreamIdText(group().last_id), "ENTRIESREAD", Number(group().entries_read)});
    go_to(kPrintConsumers);
  }

  // Those for whom something is pending come with it.
  void consumers() {
    if (progress_.cursor == group().consumers.size()) return go_to(kPrintPending);
    const StreamConsumer& consumer = *group().consumers[progress_.cursor++];
    if (consumer.pending.empty()) command({"XGROUP", "CREATECONSUMER", key_, group().name, consumer.name});
  }

  void pending() {
    const auto place = Place::of_number(progress_.cursor);
    const StreamPending* pending = group().pending.at(place);
    if (!pending) {
      go_to_next_group(progress_);
      return go_to(kPrintGroup);
    }
    const StreamIdText id(pending->id);
    const Number deliveries(pending->deliveries);
    if (pending->owner)
      command({"XCLAIM", key_, group().name, pending->owner->name, "0", id, "TIME", Number(pending->delivered_ms), "RETRYCOUNT", deliveries,
               "JUSTID", "FORCE"});
    else command({"XNACK", key_, group().name, "FAIL", "IDS", "1", id, "RETRYCOUNT", deliveries, "FORCE"});
    progress_.cursor = group().pending.next(place).as_number();
  }

  const std::string_view key_;
  const StreamValue& stream_;
  BlockLog& out_;
  ValueProgress& progress_;
  const uint64_t begin_;
  const size_t budget_;
  bool finished_ = false;
};

}  // namespace

bool print_stream_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget) {
  return Printer(entry, out, progress, budget).run();
}

RdbType stream_rdb_type(const Entry&) { return RdbType::kStreamListpacks2; }

bool write_stream_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget) {
  return Writer(stream_of(entry), out, options, progress, budget).run();
}

ReadOutcome read_stream_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  Reading state;
  if (!reading.entry) {
    const ReadOutcome outcome = read_rdb_length(input, state.left, reading.error);
    if (outcome != ReadOutcome::kDone) return outcome;
    reading.entry = make_large_entry(key, ValueType::kStream, new StreamValue, reading.expiry_ms);
  } else {
    std::memcpy(&state, reading.scratch.data(), sizeof state);
  }
  const ReadOutcome outcome = Reader(input, reading, stream_of(*reading.entry), state).run();
  reading.scratch.assign(reinterpret_cast<const char*>(&state), sizeof state);
  return outcome;
}

}  // namespace vedette
