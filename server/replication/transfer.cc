// Taking a snapshot out of its frame.
#include "server/replication/transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/assert.h"
#include "common/base/numbers.h"
#include "common/base/text.h"

namespace vedette {
namespace {

// How many bytes at the end of `text` are the beginning of `mark`, not all of it.
size_t torn_mark(std::string_view text, std::string_view mark) {
  for (size_t size = std::min(text.size(), mark.size() - 1); size > 0; size--)
    if (text[text.size() - size] == mark[0] && text.ends_with(mark.substr(0, size))) return size;
  return 0;
}

std::string shown(std::string_view line) { return quoted(line.substr(0, 128)); }

}  // namespace

Transfer::Outcome Transfer::feed(std::string_view& input, const Payload& payload) {
  VED_ASSERT(fault_.empty());
  if (form_ == Form::kHeader && !read_header(input)) return fault_.empty() ? Outcome::kMore : Outcome::kFailed;
  return form_ == Form::kSized ? feed_sized(input, payload) : feed_marked(input, payload);
}

bool Transfer::read_header(std::string_view& input) {
  while (!input.empty()) {
    const size_t end = input.find('\n');
    const std::string_view part = input.substr(0, end);
    if (line_.size() + part.size() > kLineBytesMax) {
      line_ += part.substr(0, kLineBytesMax);
      return fail(fmt::format("the header of the snapshot is longer than {} bytes: {}", kLineBytesMax, shown(line_)));
    }
    line_ += part;
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (end == std::string_view::npos) return false;
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string line = std::move(line_);
    line_.clear();
    if (!line.empty()) return on_header(line);
  }
  return false;
}

bool Transfer::on_header(std::string_view line) {
  if (line[0] == '-') return fail(fmt::format("instead of a snapshot came an error: {}", shown(line)));
  if (line[0] != '$') return fail(fmt::format("instead of a snapshot came: {}", shown(line)));
  if (line.starts_with("$EOF:")) {
    if (line.size() != 5 + kMarkBytes)
      return fail(fmt::format("the end mark of the snapshot has {} bytes instead of {}: {}", line.size() - 5, kMarkBytes, shown(line)));
    mark_ = line.substr(5);
    form_ = Form::kMarked;
    return true;
  }
  total_ = parse_unsigned(line.substr(1));
  if (!total_) return fail(fmt::format("the length of the snapshot is no number: {}", shown(line)));
  if (*total_ > kTotalBytesMax) return fail(fmt::format("no snapshot is that long: {}", shown(line)));
  form_ = Form::kSized;
  return true;
}

bool Transfer::fail(std::string text) {
  fault_ = std::move(text);
  return false;
}

bool Transfer::give(std::string_view piece, const Payload& payload) {
  received_ += piece.size();
  return piece.empty() || payload(piece);
}

Transfer::Outcome Transfer::feed_sized(std::string_view& input, const Payload& payload) {
  const std::string_view piece = input.substr(0, size_t(std::min<uint64_t>(*total_ - received_, input.size())));
  input.remove_prefix(piece.size());
  if (!give(piece, payload)) return Outcome::kStopped;
  return received_ == *total_ ? Outcome::kDone : Outcome::kMore;
}

Transfer::Outcome Transfer::feed_marked(std::string_view& input, const Payload& payload) {
  if (input.empty()) return Outcome::kMore;
  if (held_ > 0) {
    // What is held back goes on in the input: look at the seam. A mark that begins in what is held ends within it.
    std::string seam = mark_.substr(0, held_);
    seam += input.substr(0, kMarkBytes);
    const size_t at = seam.find(mark_);
    const bool whole = at < held_;
    const bool all_seen = input.size() < kMarkBytes;
    // If the seam is all there is, its end may be torn again; else what was held is payload unless the mark is here.
    const size_t torn = !whole && all_seen && at == std::string::npos ? torn_mark(seam, mark_) : 0;
    const size_t plain = whole ? at : std::min(held_, seam.size() - torn);
    if (!give(std::string_view(mark_).substr(0, plain), payload)) return Outcome::kStopped;
    if (whole) {
      input.remove_prefix(at + kMarkBytes - held_);
      held_ = 0;
      return Outcome::kDone;
    }
    if (plain < held_) {
      // The torn end reaches back into what was held: no byte of the input is payload yet.
      input.remove_prefix(input.size());
      held_ = torn;
      return Outcome::kMore;
    }
    held_ = 0;
  }
  const size_t at = input.find(mark_);
  const bool whole = at != std::string_view::npos;
  held_ = whole ? 0 : torn_mark(input, mark_);
  const std::string_view piece = input.substr(0, whole ? at : input.size() - held_);
  input.remove_prefix(whole ? at + kMarkBytes : input.size());
  if (!give(piece, payload)) return Outcome::kStopped;
  return whole ? Outcome::kDone : Outcome::kMore;
}

}  // namespace vedette
