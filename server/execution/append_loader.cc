// File by file, command by command.
#include "server/execution/append_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "common/base/text.h"

namespace vedette {
namespace {

constexpr std::string_view kSnapshotMagics[] = {"REDIS", "VALKEY"};
constexpr size_t kSnapshotMagicBytesMax = 6;
constexpr uint64_t kRefusalsLogged = 20;

}  // namespace

AppendLoader::AppendLoader(ServerState& server, Executor& executor, AppendFiles& files, const AppendSet& set)
    : server_(server), executor_(executor), files_(files), set_(set) {
  session_ = std::make_unique<Session>(server.clients.next_id(), server.chunks, executor.now().instant);
  session_->set(kInternal | kReplaying);
}

AppendLoader::~AppendLoader() {
  close_file();
  executor_.forget(*session_);
}

void AppendLoader::close_file() {
  if (fd_ >= 0) files_.close(std::exchange(fd_, -1));
}

Status AppendLoader::open() {
  for (const AppendFile& file : set_.manifest().parts()) {
    const Result<uint64_t> size = set_.size_of(file);
    if (!size) return size.error();
    parts_.push_back({file, *size});
    total_bytes_ += *size;
    if (file.type == AppendFileType::kBase) base_bytes_ = *size;
  }
  return Status::ok();
}

Result<bool> AppendLoader::run_slice(int64_t budget_us) {
  const Instant end{executor_.refresh_now().instant.ns + budget_us * 1000};
  // What is loaded has been replicated, logged and counted before.
  const std::vector<EffectSink*> sinks = std::exchange(server_.effect_sinks, {});
  const uint64_t dirty = server_.stats.dirty, commands = server_.stats.commands;
  Status status;
  bool more = true;
  while (status && more && executor_.refresh_now().instant < end) {
    for (int i = 0; i < 64 && status && more; i++) {
      status = step();
      more = stage_ != Stage::kBetweenFiles || part_ + 1 < parts_.size();
    }
  }
  server_.effect_sinks = sinks;
  server_.stats.dirty = dirty;
  server_.stats.commands = commands;
  if (!status) return Error(status.error());
  return more;
}

bool AppendLoader::too_early() const {
  const int64_t delay = server_.settings.key_load_delay_us;
  if (delay == 0 || !server_.clock) return false;
  const double per_key = delay < 0 ? 1.0 / double(-delay) : double(delay);
  const uint64_t loaded = keys_ + commands_ + (snapshot_ ? snapshot_->keys_loaded() : 0);
  return double(loaded) * per_key > double(us_between(server_.loading.began, server_.clock->now().instant));
}

Status AppendLoader::step() {
  switch (stage_) {
    case Stage::kBetweenFiles: return part_ + 1 < parts_.size() ? open_next() : Status::ok();
    case Stage::kHead: return read_head();
    case Stage::kSnapshot: return read_snapshot();
    case Stage::kCommands: return read_command();
  }
  return Status::ok();
}

Status AppendLoader::open_next() {
  part_++;
  const Result<int> fd = files_.open(set_.path(name()), AppendFiles::Mode::kRead);
  if (!fd) return Error(fmt::format("The append-only file {} cannot be read: {}", set_.path(name()), fd.error().text()));
  fd_ = *fd;
  stage_ = Stage::kHead;
  at_end_ = false;
  data_.clear();
  at_ = 0;
  at_file_ = good_ = 0;
  parser_ = RequestParser();
  last_id_.clear();
  session_->db = 0;
  return Status::ok();
}

Status AppendLoader::read_more() {
  data_.erase(0, at_);
  at_file_ += at_;
  at_ = 0;
  const size_t held = data_.size();
  const size_t wanted = std::max(kReadBytes, std::min(parser_.bytes_wanted(), held * 2));
  data_.resize(held + wanted);
  const Result<size_t> count = files_.read(fd_, data_.data() + held, wanted);
  data_.resize(held + (count ? *count : 0));
  if (!count) return Error(fmt::format("Unrecoverable error reading the append only file {}: {}", name(), count.error().text()));
  at_end_ = *count == 0;
  return Status::ok();
}

Status AppendLoader::read_head() {
  if (data_.size() < kSnapshotMagicBytesMax && !at_end_) return read_more();
  stage_ = Stage::kCommands;
  if (std::none_of(std::begin(kSnapshotMagics), std::end(kSnapshotMagics),
                   [&](std::string_view magic) { return data_.starts_with(magic); }))
    return Status::ok();
  log_notice("Reading the snapshot that begins the append-only file {}", name());
  stage_ = Stage::kSnapshot;
  LoadOptions how;
  how.now_ms = executor_.now().wall.ms();
  how.drop_expired = false;  // what follows may rely on it: its time had not come then
  how.verify_checksum = server_.settings.snapshot_checksum;
  how.bytes_expected = parts_[part_].size;
  snapshot_ = std::make_unique<DatasetLoader>(server_, how);
  return Status::ok();
}

Status AppendLoader::read_snapshot() {
  const std::string_view bytes = std::string_view(data_).substr(at_);
  Status status = snapshot_->feed(bytes);
  if (status) at_ += bytes.size() - snapshot_->unread_tail();
  if (status && !snapshot_->finished()) {
    if (!at_end_) return read_more();
    status = snapshot_->finish();
  }
  if (!status) return Error(fmt::format("Error reading the RDB base file {}, AOF loading aborted: {}", name(), status.error().text()));
  if (Status end = snapshot_->finish(); !end) return end;
  const LoadedFacts& facts = snapshot_->facts();
  position_.reset();
  if (!facts.replication_id.empty() && facts.replication_offset >= 0)
    position_ = AppendPosition{facts.replication_id, uint64_t(facts.replication_offset)};
  changed_since_position_ = false;
  keys_ += snapshot_->keys_loaded();
  snapshot_.reset();
  good_ = here();
  stage_ = Stage::kCommands;
  return Status::ok();
}

Error AppendLoader::bad_format(std::string_view what) const {
  return Error(
      fmt::format("Bad file format reading the append only file {}: {} at byte {}. Make a copy of the "
                  "folder, and then cut "
                  "the file there ('redis-check-aof --fix {}' does so) or restore it",
                  name(), what, here(), manifest_name(set_.place().prefix)));
}

// True if a comment was read, or its beginning is there and no more.
bool AppendLoader::read_comment() {
  const std::string_view rest = std::string_view(data_).substr(at_);
  const size_t end = rest.find('\n');
  if (end == rest.npos) return false;
  std::string_view line = rest.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (auto told = parse_append_position(line, last_id_); told && !in_transaction_) {
    last_id_ = told->id;
    position_ = std::move(told);
    changed_since_position_ = false;
  }
  at_ += end + 1;
  if (!in_transaction_) good_ = here();
  return true;
}

Status AppendLoader::read_command() {
  if (at_ == data_.size()) return at_end_ ? end_of_file() : read_more();
  if (data_[at_] == '#') {
    if (read_comment()) return Status::ok();
    if (data_.size() - at_ > kCommentBytesMax) return bad_format("a comment that is too long");
    return at_end_ ? end_of_file() : read_more();
  }
  if (data_[at_] != '*') return bad_format("no command");
  RequestLimits limits;
  limits.bulk_bytes_max = std::max(limits.bulk_bytes_max, server_.settings.limits.bulk_bytes_max);
  args_.clear();
  size_t size = 0;
  switch (parser_.parse(data_.data() + at_, data_.size() - at_, limits, args_, size)) {
    case RequestParser::Outcome::kError: return bad_format(parser_.error());
    case RequestParser::Outcome::kIncomplete: return at_end_ ? end_of_file() : read_more();
    case RequestParser::Outcome::kRequest: break;
  }
  if (args_.empty()) return bad_format("a command without a name");
  return apply(args_, size);
}

Status AppendLoader::apply(Arguments args, size_t size) {
  const ServerCommandTable::Entry* command = server_.commands.find(args);
  const std::string shown(shown_word(args[0]).substr(0, 128));
  if (!command)
    return Error(
        fmt::format("Unknown command '{}' reading the append only file {} at byte {}: it was written by "
                    "another program, or "
                    "by one that knew more",
                    shown, name(), here()));
  if (!command->accepts_argument_count(args.size()) || !command->subcommands.empty())
    return bad_format(fmt::format("'{}' with wrong arguments", shown));
  if (command->name == "multi") {
    if (in_transaction_) return bad_format("MULTI within MULTI");
    in_transaction_ = true;
    at_ += size;
    return Status::ok();
  }
  if (command->name == "exec") {
    if (!in_transaction_) return bad_format("EXEC without MULTI");
    run_transaction();
  } else {
    if (!(command->flags & (kWrite | kMayReplicate)) && command->name != "select")
      return bad_format(fmt::format("'{}', which changes nothing,", shown));
    if (in_transaction_) queue_.add(*command, args);
    else run(*command, args);
  }
  at_ += size;
  if (!in_transaction_) good_ = here();
  return Status::ok();
}

void AppendLoader::run(const ServerCommandTable::Entry& command, Arguments args) {
  executor_.call(*session_, command, args, false, 0);
  commands_++;
  if (command.name != "select") changed_since_position_ = true;
  char first = 0;
  session_->output.for_each_piece([&](const char* data, size_t) { return first = *data, false; });
  if (first == '-' && refused_++ < kRefusalsLogged) {
    std::string reply;
    session_->output.for_each_piece([&](const char* data, size_t count) { return reply.append(data, count), true; });
    log_warning("A command of the append-only file {} at byte {} ({}) failed: {}", name(), here(), command.name, trim(reply));
  }
  session_->output.clear();
}

void AppendLoader::run_transaction() {
  in_transaction_ = false;
  queue_.for_each([this](const ServerCommandTable::Entry& command, Arguments args) { run(command, args); });
  queue_.clear();
}

// The rest of the set holds nothing: what a crash at the beginning of a rewrite leaves.
bool AppendLoader::is_last() const {
  return std::all_of(parts_.begin() + long(part_) + 1, parts_.end(), [](const Part& part) { return part.size == 0; });
}

Status AppendLoader::end_of_file() {
  const bool in_comment = !in_transaction_ && at_ < data_.size() && data_[at_] == '#';
  if (at_ < data_.size() || in_transaction_)
    if (Status status = cut_torn_end(); !status && !(in_comment && !is_last())) return status;
  in_transaction_ = false;
  queue_.clear();
  close_file();
  done_bytes_ += parts_[part_].size;
  log_notice("DB loaded from {} file {}", parts_[part_].file.type == AppendFileType::kBase ? "base" : "incr", name());
  stage_ = Stage::kBetweenFiles;
  data_.clear();
  at_ = 0;
  at_file_ = 0;
  return Status::ok();
}

Status AppendLoader::cut_torn_end() {
  const uint64_t size = at_file_ + data_.size();
  if (!is_last())
    return Error(
        fmt::format("The append-only file {} ends in the middle of a command, at byte {} of {}, but is not "
                    "the last file: it "
                    "has been damaged. Restore it from a copy; without, 'redis-check-aof --fix {}' shows "
                    "what can be done",
                    name(), good_, size, manifest_name(set_.place().prefix)));
  const bool only_comment = !in_transaction_ && data_[at_] == '#';
  if (in_transaction_) log_warning("Revert incomplete MULTI/EXEC transaction in AOF file {}", name());
  if (!server_.settings.append_log.load_truncated && !only_comment)
    return Error(
        fmt::format("Unexpected end of file reading the append only file {}: it is whole up to byte {} of "
                    "{}. You can: 1) make a "
                    "copy of it and use 'redis-check-aof --fix {}'; 2) set 'aof-load-truncated' to yes, "
                    "which cuts it there, "
                    "and start the server again",
                    name(), good_, size, manifest_name(set_.place().prefix)));
  log_warning("!!! Warning: short read while loading the AOF file {} !!!", name());
  log_warning("!!! Truncating the AOF {} at offset {} !!! (it had {} bytes)", name(), good_, size);
  const Result<int> fd = files_.open(set_.path(name()), AppendFiles::Mode::kAppend);
  if (!fd) return Error(fmt::format("Error truncating the AOF file {}: {}", name(), fd.error().text()));
  Status status = files_.truncate(*fd, good_);
  if (status) status = files_.sync(*fd);
  files_.close(*fd);
  if (!status) return Error(fmt::format("Error truncating the AOF file {}: {}", name(), status.error().text()));
  total_bytes_ -= std::min(total_bytes_, size - good_);
  if (parts_[part_].file.type == AppendFileType::kBase) base_bytes_ = good_;
  parts_[part_].size = good_;
  log_warning("AOF {} loaded anyway because aof-load-truncated is enabled", name());
  return Status::ok();
}

}  // namespace vedette
