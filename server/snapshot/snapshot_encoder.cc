// Both forms: the RDB's frame around its values, and commands.
#include "server/snapshot/snapshot_encoder.h"

#include "common/base/numbers.h"
#include "server/snapshot/value_forms.h"

namespace vedette {
namespace {

class RdbEncoder final : public SnapshotEncoder {
 public:
  RdbEncoder(BlockLog& out, const RdbWriteOptions& options) : out_(out), options_(options), writer_(out, options) {}

  void begin(const SnapshotFacts& facts, std::span<const Extent> extents) override {
    writer_.header(facts);
    for (const Extent& extent : extents) writer_.select(extent.db, extent.keys, extent.expires);
  }
  // Without the sizes, which were told at the beginning.
  void select(int db) override {
    char* to = out_.reserve(1 + rdb::kLengthBytesMax);
    to[0] = char(RdbOpcode::kSelectDb);
    out_.commit(1 + rdb::put_length(to + 1, uint64_t(db)));
  }
  bool entry(const Entry& entry, size_t budget_bytes) override {
    if (hurried_) writer_.set_compress(options_.compress && entry.encoding() != Encoding::kExternal);
    return writer_.entry(entry, budget_bytes);
  }
  bool go_on(size_t budget_bytes) override {
    if (hurried_) writer_.set_compress(false);
    return writer_.go_on(budget_bytes);
  }
  void hurry(bool on) override {
    hurried_ = on;
    writer_.set_compress(options_.compress);
  }
  void end() override { writer_.end(); }
  void settle() override { writer_.settle(); }
  std::unique_ptr<SnapshotEncoder> beside(BlockLog& out) const override {
    RdbWriteOptions options = options_;
    options.checksum = false;  // the bytes are summed where they end up
    return std::make_unique<RdbEncoder>(out, options);
  }

 private:
  BlockLog& out_;
  RdbWriteOptions options_;
  RdbWriter writer_;
  bool hurried_ = false;
};

class CommandEncoder final : public SnapshotEncoder {
 public:
  explicit CommandEncoder(BlockLog& out) : out_(out) {}

  void begin(const SnapshotFacts& facts, std::span<const Extent>) override {
    for (const std::string_view code : facts.functions) {
      out_.append("*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n$" + to_text(int64_t(code.size())) + "\r\n");
      out_.append(code);
      out_.append("\r\n");
    }
  }
  void select(int db) override {
    const std::string number = to_text(int64_t(db));
    out_.append("*2\r\n$6\r\nSELECT\r\n$" + to_text(int64_t(number.size())) + "\r\n" + number + "\r\n");
  }
  bool entry(const Entry& entry, size_t budget_bytes) override {
    under_way_ = &entry;
    return go_on(budget_bytes);
  }
  bool go_on(size_t budget_bytes) override {
    VED_ASSERT(under_way_);
    if (!print_entry_slice(*under_way_, out_, progress_, budget_bytes)) return false;
    under_way_ = nullptr;
    return true;
  }
  void hurry(bool) override {}
  void end() override {}
  void settle() override {}
  std::unique_ptr<SnapshotEncoder> beside(BlockLog& out) const override { return std::make_unique<CommandEncoder>(out); }

 private:
  BlockLog& out_;
  ValueProgress progress_;
  const Entry* under_way_ = nullptr;
};

}  // namespace

std::unique_ptr<SnapshotEncoder> make_rdb_encoder(BlockLog& out, const RdbWriteOptions& options) {
  return std::make_unique<RdbEncoder>(out, options);
}
std::unique_ptr<SnapshotEncoder> make_command_encoder(BlockLog& out) { return std::make_unique<CommandEncoder>(out); }

}  // namespace vedette
