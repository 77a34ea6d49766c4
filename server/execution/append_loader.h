// Loads an append-only file: its base, then its increments, in slices.
//
// A base is a snapshot or commands; an increment is commands. Commands are run by a session of no client, one
// after the other; what stands between MULTI and EXEC is run when its EXEC has been read. So what is loaded
// of a file that was torn by a crash is always what the dataset once was: whole commands and whole
// transactions, up to some moment.
//
// A torn end of the last file is what a crash leaves: with aof-load-truncated it is cut off, and the server
// starts. Everything else that is wrong (a torn file with others after it, a command that nobody knows, bytes
// that are no command) ends the loading, naming the file, the byte, and what to do.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/resp/request_parser.h"
#include "server/execution/append_set.h"
#include "server/execution/dataset_loader.h"
#include "server/execution/executor.h"
#include "server/execution/transaction.h"
#include "server/snapshot/append_position.h"

namespace vedette {

class AppendLoader {
 public:
  /// All outlive the loader. The set must not change meanwhile.
  AppendLoader(ServerState& server, Executor& executor, AppendFiles& files, const AppendSet& set);
  AppendLoader(const AppendLoader&) = delete;
  AppendLoader& operator=(const AppendLoader&) = delete;
  ~AppendLoader();

  /// Looks for the files. To be called first.
  Status open();
  /// Works for about `budget_us`. True if there is more to do. The error is for the operator.
  Result<bool> run_slice(int64_t budget_us);

  /// A test's option (key-load-delay) wants it to go on later.
  bool too_early() const;

  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t loaded_bytes() const { return done_bytes_ + at_file_ + at_; }

  // When all is loaded:
  uint64_t base_bytes() const { return base_bytes_; }
  uint64_t all_bytes() const { return total_bytes_; }
  /// Where replication stood when the last part of the file was written that tells it.
  const std::optional<AppendPosition>& position() const { return position_; }
  /// Whether the dataset is exactly that of position(): nothing came after it.
  bool position_is_exact() const { return position_ && !changed_since_position_; }
  uint64_t commands() const { return commands_; }

 private:
  enum class Stage { kBetweenFiles, kHead, kSnapshot, kCommands };
  struct Part {
    AppendFile file;
    uint64_t size;
  };

  Status step();
  Status open_next();
  Status read_more();
  Status read_head();
  Status read_snapshot();
  Status read_command();
  bool read_comment();
  Status apply(Arguments args, size_t size);
  void run(const ServerCommandTable::Entry& command, Arguments args);
  void run_transaction();
  Status end_of_file();
  Status cut_torn_end();
  bool is_last() const;
  void close_file();
  uint64_t here() const { return at_file_ + at_; }
  const std::string& name() const { return parts_[part_].file.name; }
  Error bad_format(std::string_view what) const;

  static constexpr size_t kReadBytes = 256 * 1024, kCommentBytesMax = 64 * 1024;

  ServerState& server_;
  Executor& executor_;
  AppendFiles& files_;
  const AppendSet& set_;
  std::unique_ptr<Session> session_;
  std::vector<Part> parts_;
  uint64_t total_bytes_ = 0, base_bytes_ = 0, done_bytes_ = 0;

  Stage stage_ = Stage::kBetweenFiles;
  size_t part_ = size_t(-1);
  int fd_ = -1;
  bool at_end_ = false;  // of the file: there are no more bytes than `data_`
  std::string data_;     // read and not yet forgotten; the next byte to look at is data_[at_]
  size_t at_ = 0;
  uint64_t at_file_ = 0;  // where in the file data_[0] lies
  uint64_t good_ = 0;     // end of the last whole command or transaction

  std::unique_ptr<DatasetLoader> snapshot_;
  RequestParser parser_;
  std::vector<std::string_view> args_;
  bool in_transaction_ = false;
  CommandQueue queue_;
  std::string last_id_;
  std::optional<AppendPosition> position_;
  bool changed_since_position_ = false;
  uint64_t commands_ = 0, keys_ = 0, refused_ = 0;
};

}  // namespace vedette
