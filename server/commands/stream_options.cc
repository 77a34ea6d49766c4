// Reading ids and options, writing entries.
#include "server/commands/stream_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "common/base/text.h"

namespace vedette {

namespace errors {

Error no_such_group(std::string_view key, std::string_view group) {
  return Error(fmt::format("NOGROUP No such consumer group '{}' for key name '{}'", shown_word(group), shown_word(key)));
}

Error no_such_key_or_group(std::string_view key, std::string_view group, std::string_view behind) {
  return Error(fmt::format("NOGROUP No such key '{}' or consumer group '{}'{}", shown_word(key), shown_word(group), behind));
}

}  // namespace errors

namespace {

constexpr size_t kIdTextMax = 127;
constexpr size_t kTrimmedAtOnce = 100, kTrimmedAtOnceDefault = 10000, kTrimmedAtOnceMax = 1000000;

// What is no canonical number may still be one to the C library, as it is to all servers of the protocol.
std::optional<uint64_t> id_number(std::string_view text) {
  if (const auto number = parse_unsigned(text)) return number;
  if (text.empty() || parse_integer(text)) return std::nullopt;  // empty, or negative
  char copy[kIdTextMax + 1];
  copy[text.copy(copy, kIdTextMax)] = '\0';
  char* end = nullptr;
  errno = 0;
  const uint64_t number = std::strtoull(copy, &end, 10);
  if (errno != 0 || *end != '\0') return std::nullopt;
  return number;
}

struct AddedId {
  StreamId id;
  bool seq_given = true;
};

std::optional<AddedId> parse_id(std::string_view text, uint64_t missing_seq, bool takes_star) {
  if (text.size() > kIdTextMax) return std::nullopt;
  text = text.substr(0, text.find('\0'));
  const size_t dash = text.find('-');
  const auto ms = id_number(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return AddedId{{*ms, missing_seq}};
  const std::string_view behind = text.substr(dash + 1);
  if (takes_star && behind == "*") return AddedId{{*ms, 0}, false};
  const auto seq = id_number(behind);
  if (!seq) return std::nullopt;
  return AddedId{{*ms, *seq}};
}

Result<StreamId> parse_range_bound(std::string_view text, uint64_t missing_seq, bool& exclusive) {
  exclusive = text.size() > 1 && text[0] == '(';
  const auto id = exclusive ? parse_stream_id(text.substr(1), missing_seq) : parse_stream_bound(text, missing_seq);
  if (!id) return errors::invalid_stream_id();
  return *id;
}

}  // namespace

std::optional<StreamId> parse_stream_id(std::string_view text, uint64_t missing_seq) {
  const auto parsed = parse_id(text, missing_seq, false);
  if (!parsed) return std::nullopt;
  return parsed->id;
}

std::optional<StreamId> parse_stream_bound(std::string_view text, uint64_t missing_seq) {
  const std::string_view shown = text.size() > kIdTextMax ? text : shown_word(text);
  if (shown == "-") return StreamId{};
  if (shown == "+") return kStreamIdMax;
  return parse_stream_id(text, missing_seq);
}

Result<StreamId> parse_range_start(std::string_view text) {
  bool exclusive = false;
  Result<StreamId> id = parse_range_bound(text, 0, exclusive);
  if (id && exclusive && !id->advance()) return failure("invalid start ID for the interval");
  return id;
}

Result<StreamId> parse_range_end(std::string_view text) {
  bool exclusive = false;
  Result<StreamId> id = parse_range_bound(text, UINT64_MAX, exclusive);
  if (id && exclusive && !id->retreat()) return failure("invalid end ID for the interval");
  return id;
}

Result<std::vector<StreamId>> parse_stream_ids(const CommandContext& ctx, size_t first, size_t last) {
  std::vector<StreamId> ids;
  ids.reserve(last - first);
  for (size_t i = first; i < last; i++) {
    const auto id = parse_stream_id(ctx.arg(i));
    if (!id) return errors::invalid_stream_id();
    ids.push_back(*id);
  }
  return ids;
}

std::optional<StreamReferences> reference_word(std::string_view word) {
  if (equals_ignoring_case(word, "KEEPREF")) return StreamReferences::kKeep;
  if (equals_ignoring_case(word, "DELREF")) return StreamReferences::kDrop;
  if (equals_ignoring_case(word, "ACKED")) return StreamReferences::kAcked;
  return std::nullopt;
}

namespace {

// Reads the words before the id of XADD, or after the key of XTRIM.
class AddOptionsParser {
 public:
  AddOptionsParser(const CommandContext& ctx, bool adds) : ctx_(ctx), adds_(adds) {}

  Result<StreamAddOptions> parse() {
    while (at_ < ctx_.argc() && options_.id_at == 0)
      if (Status status = take_one(); !status) return status.error();
    if (Status status = settle(); !status) return status.error();
    return options_;
  }

 private:
  size_t behind() const { return ctx_.argc() - 1 - at_; }

  Status take_one() {
    const std::string_view word = ctx_.arg(at_);
    if (adds_ && word == "*") {
      options_.id_at = at_;
    } else if (equals_ignoring_case(word, "MAXLEN") && behind() > 0) {
      return take_threshold(StreamTrim::Kind::kLength);
    } else if (equals_ignoring_case(word, "MINID") && behind() > 0) {
      return take_threshold(StreamTrim::Kind::kMinId);
    } else if (equals_ignoring_case(word, "LIMIT") && behind() > 0) {
      const auto limit = parse_integer(ctx_.arg(at_ + 1));
      if (!limit) return errors::not_an_integer();
      if (*limit < 0) return failure("The LIMIT argument must be >= 0.");
      options_.trim.limit = uint64_t(*limit);
      limit_given_ = true;
      at_ += 2;
    } else if (adds_ && equals_ignoring_case(word, "NOMKSTREAM")) {
      options_.creates = false;
      at_++;
    } else if (const auto references = reference_word(word)) {
      if (references_given_) return errors::syntax();
      references_given_ = true;
      options_.trim.references = *references;
      at_++;
    } else if (adds_) {
      const auto id = parse_id(word, 0, true);
      if (!id) return errors::invalid_stream_id();
      options_.id_at = at_;
      options_.id_given = true;
      options_.seq_given = id->seq_given;
      options_.id = id->id;
    } else {
      return errors::syntax();
    }
    return Status::ok();
  }

  Status take_threshold(StreamTrim::Kind kind) {
    StreamTrim& trim = options_.trim;
    if (trim.kind != StreamTrim::Kind::kNone) return failure("syntax error, MAXLEN and MINID options at the same time are not compatible");
    const std::string_view mark = shown_word(ctx_.arg(at_ + 1));
    if (behind() >= 2 && (mark == "~" || mark == "=")) {
      trim.approximate = mark == "~";
      at_++;
    }
    options_.trim_at = at_ + 1;
    const std::string_view threshold = ctx_.arg(at_ + 1);
    if (kind == StreamTrim::Kind::kLength) {
      const auto length = parse_integer(threshold);
      if (!length) return errors::not_an_integer();
      if (*length < 0) return failure("The MAXLEN argument must be >= 0.");
      trim.length_max = uint64_t(*length);
    } else {
      const auto id = parse_stream_id(threshold);
      if (!id) return errors::invalid_stream_id();
      trim.id_min = *id;
    }
    trim.kind = kind;
    at_ += 2;
    return Status::ok();
  }

  Status settle() {
    StreamTrim& trim = options_.trim;
    if (trim.limit && trim.kind == StreamTrim::Kind::kNone)
      return failure("syntax error, LIMIT cannot be used without specifying a trimming strategy");
    if (!adds_ && trim.kind == StreamTrim::Kind::kNone) return failure("syntax error, XTRIM must be called with a trimming strategy");
    if (ctx_.session.has(kReplaying)) {
      trim.limit = 0;  // what was trimmed elsewhere is to be trimmed here
    } else if (limit_given_) {
      if (!trim.approximate) return failure("syntax error, LIMIT cannot be used without the special ~ option");
    } else if (trim.approximate) {
      const size_t entries = ctx_.server.keyspace.packing.stream_node_entries;
      trim.limit = entries ? std::min(kTrimmedAtOnce * entries, kTrimmedAtOnceMax) : kTrimmedAtOnceDefault;
    }
    return Status::ok();
  }

  const CommandContext& ctx_;
  const bool adds_;
  StreamAddOptions options_;
  size_t at_ = 2;
  bool limit_given_ = false, references_given_ = false;
};

}  // namespace

Result<StreamAddOptions> parse_add_options(const CommandContext& ctx, bool adds) { return AddOptionsParser(ctx, adds).parse(); }

void make_trim_exact(std::vector<std::string_view>& argv, const StreamAddOptions& options, const StreamValue& stream, StreamIdText& id_text,
                     IntegerText& length_text) {
  argv[options.trim_at - 1] = "=";
  // Where entries were left because somebody refers to them, the first of them is no threshold, but how many are left is.
  if (options.trim.kind == StreamTrim::Kind::kLength || options.trim.references != StreamReferences::kKeep) {
    argv[options.trim_at - 2] = "MAXLEN";
    argv[options.trim_at] = {length_text.digits, print_unsigned(length_text.digits, stream.length())};
  } else {
    id_text = StreamIdText(stream.first_id());
    argv[options.trim_at] = id_text;
  }
}

void reply_stream_id(ReplyWriter& reply, const StreamId& id) { reply.bulk(StreamIdText(id)); }

void reply_stream_fields(ReplyWriter& reply, const StreamBlockReader& entry) {
  reply.array(2 * entry.fields());
  entry.for_each_field([&reply](std::string_view field, std::string_view value) {
    reply.bulk(field);
    reply.bulk(value);
  });
}

void reply_stream_entry(ReplyWriter& reply, const StreamBlockReader& entry) {
  reply.array(2);
  reply_stream_id(reply, entry.id());
  reply_stream_fields(reply, entry);
}

void reply_stream_range(ReplyWriter& reply, const StreamValue& stream, StreamId from, StreamId to, bool backwards, uint64_t count) {
  const auto start = reply.start_deferred();
  uint64_t replied = 0;
  StreamWalk walk(stream, from, to, backwards);
  while ((count == 0 || replied < count) && walk.next()) {
    reply_stream_entry(reply, walk.entry());
    replied++;
  }
  reply.finish_array(start, replied);
}

void propagate_claim(CommandContext& ctx, std::string_view key, const StreamGroup& group, std::string_view consumer,
                     const StreamPending& pending) {
  if (ctx.server.effect_sinks.empty()) return;
  IntegerText time, count;
  const StreamIdText id(pending.id), last_id(group.last_id);
  ctx.propagate_as({"XCLAIM",
                    key,
                    group.name,
                    consumer,
                    "0",
                    id,
                    "TIME",
                    {time.digits, print_integer(time.digits, pending.delivered_ms)},
                    "RETRYCOUNT",
                    {count.digits, print_integer(count.digits, int64_t(pending.deliveries))},
                    "FORCE",
                    "JUSTID",
                    "LASTID",
                    last_id});
}

void propagate_group_position(CommandContext& ctx, std::string_view key, const StreamGroup& group) {
  if (ctx.server.effect_sinks.empty()) return;
  IntegerText read;
  const StreamIdText last_id(group.last_id);
  ctx.propagate_as(
      {"XGROUP", "SETID", key, group.name, last_id, "ENTRIESREAD", {read.digits, print_integer(read.digits, group.entries_read)}});
}

StreamConsumer& consumer_for(CommandContext& ctx, const Key& key, StreamValue& stream, StreamGroup& group, std::string_view name,
                             bool& created) {
  StreamConsumer* consumer = group.find_consumer(name);
  created = !consumer;
  if (created) {
    consumer = stream.groups.create_consumer(group, name, ctx.now_ms());
    ctx.changed(key, kNotifyStream, "xgroup-createconsumer");
  }
  consumer->seen_ms = ctx.now_ms();
  return *consumer;
}

}  // namespace vedette
