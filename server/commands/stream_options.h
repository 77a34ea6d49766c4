// What the commands about streams share: ids, options of adding and trimming, replies of entries.
#pragma once

#include <optional>
#include <string_view>

#include "server/execution/context.h"
#include "server/store/stream_value.h"

namespace vedette {

namespace errors {
inline Error invalid_stream_id() { return failure("Invalid stream ID specified as stream command argument"); }
Error no_such_group(std::string_view key, std::string_view group);
/// Where the key may be absent, too. `behind`: what follows in the text.
Error no_such_key_or_group(std::string_view key, std::string_view group, std::string_view behind = {});
}  // namespace errors

/// "ms-seq", or "ms" with `missing_seq`. The numbers are as lenient as servers of the protocol are: "+1", " 1", "01".
std::optional<StreamId> parse_stream_id(std::string_view text, uint64_t missing_seq = 0);
/// The same, or "-" and "+" for the least and the greatest.
std::optional<StreamId> parse_stream_bound(std::string_view text, uint64_t missing_seq);
/// The first id of a range: a bound, or "(" and an id that is not in it.
Result<StreamId> parse_range_start(std::string_view text);
Result<StreamId> parse_range_end(std::string_view text);

/// Ids from argument `first` on, up to `last` (not included).
Result<std::vector<StreamId>> parse_stream_ids(const CommandContext& ctx, size_t first, size_t last);

/// KEEPREF, DELREF, ACKED.
std::optional<StreamReferences> reference_word(std::string_view word);

/// Options of XADD and XTRIM.
struct StreamAddOptions {
  StreamTrim trim;
  size_t trim_at = 0;  ///< argument of the threshold
  size_t id_at = 0;    ///< argument of the id
  bool creates = true;
  bool id_given = false, seq_given = false;
  StreamId id;
};
Result<StreamAddOptions> parse_add_options(const CommandContext& ctx, bool adds);
/// Puts what a trimming up to blocks' ends has come to into `argv`: an exact threshold, whose text is in `text`.
void make_trim_exact(std::vector<std::string_view>& argv, const StreamAddOptions& options, const StreamValue& stream, StreamIdText& id_text,
                     IntegerText& length_text);

void reply_stream_id(ReplyWriter& reply, const StreamId& id);
/// The fields and values in turn.
void reply_stream_fields(ReplyWriter& reply, const StreamBlockReader& entry);
/// The id, and the fields and values.
void reply_stream_entry(ReplyWriter& reply, const StreamBlockReader& entry);
/// Entries as an array, up to `count` (0: all).
void reply_stream_range(ReplyWriter& reply, const StreamValue& stream, StreamId from, StreamId to, bool backwards, uint64_t count);

/// What XCLAIM makes of a delivery: replicas and the log see one for each entry that is delivered or claimed.
void propagate_claim(CommandContext& ctx, std::string_view key, const StreamGroup& group, std::string_view consumer,
                     const StreamPending& pending);
void propagate_group_position(CommandContext& ctx, std::string_view key, const StreamGroup& group);

/// The consumer, which is created if it is not there; it has been seen. True in `created`: it was not.
StreamConsumer& consumer_for(CommandContext& ctx, const Key& key, StreamValue& stream, StreamGroup& group, std::string_view name,
                             bool& created);

}  // namespace vedette
