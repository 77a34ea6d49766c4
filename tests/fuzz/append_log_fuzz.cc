// Fuzz target of an append-only folder: any manifest over any files is loaded or refused, in the same way
// however the reads fall; a torn end is cut so that the next load takes it as whole. The input is the texts
// of the manifest and of files a and b, with a line of three dashes between them.
#include <array>
#include <string>

#include "common/base/assert.h"
#include "common/base/log.h"
#include "server/execution/append_loader.h"
#include "server/store/digest.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/session/test_server.h"
#include "tests/support/memory_files.h"

namespace {

using namespace vedette;
using namespace vedette::testing;
using namespace std::string_view_literals;

std::string load(MemoryFiles& disk, size_t read_max) {
  disk.read_max = read_max;
  TestServer server;
  AppendSet set(disk, AppendPlace{"/d", "f", "log"});
  Status status = set.read();
  if (!status) return status.error().text();
  AppendLoader loader(server.state, server.executor, disk, set);
  status = loader.open();
  for (bool more = true; status && more;) {
    const Result<bool> slice = loader.run_slice(1000);
    if (!slice) status = Error(slice.error().text());
    else more = *slice;
  }
  if (!status) return status.error().text();
  VED_ASSERT(loader.loaded_bytes() <= loader.total_bytes() || disk.files.size() > 3);
  return to_hex(dataset_digest(server.state.keyspace)) + (loader.position() ? loader.position()->id : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  LogSettings quiet;
  quiet.level = LogLevel::kNothing;
  configure_log(quiet);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<std::string_view, 3> parts;
  for (size_t i = 0; i < parts.size(); i++) {
    const size_t end = i + 1 < parts.size() ? rest.find("\n---\n") : rest.npos;
    parts[i] = rest.substr(0, end == rest.npos ? end : end + 1);
    rest = end == rest.npos ? "" : rest.substr(end + 5);
  }
  const auto fill = [&](MemoryFiles& disk) {
    disk["/d/f/log.manifest"] = parts[0];
    disk["/d/f/a"] = parts[1];
    disk["/d/f/b"] = parts[2];
  };
  MemoryFiles disk, other;
  fill(disk), fill(other);
  const std::string outcome = load(disk, SIZE_MAX);
  VED_ASSERT(outcome == load(other, 3));
  const bool loaded = outcome.size() >= 40 && outcome.find(' ') == outcome.npos;
  if (loaded) VED_ASSERT(load(disk, SIZE_MAX) == outcome);
  return 0;
}

std::span<const std::string_view> fuzz_corpus() {
  static constexpr std::string_view kCorpus[] = {
      "file a seq 1 type b\nfile b seq 1 type i\n---\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n---\n"
      "#TS:1\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n*2\r\n$"
      "3\r\nDEL\r\n$1\r\nx\r\n*1\r\n$4\r\nEXEC\r\n"
      "#VEDETTE-REPL:0123456789012345678901234567890123456789 77\r\n"sv,
      "file a seq 1 type b\n---\nREDIS0010\xfa\x09redis-ver\x05"
      "7.2.4\xfe\x00\x00\x01k\xc0\x01\xff\0\0\0\0\0\0\0\0*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n---\n"sv,
      "# comment\nfile \"b\" type i seq 7\n---\n---\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n$2\r\nPX\r\n$3\r\n100"sv};
  return kCorpus;
}
